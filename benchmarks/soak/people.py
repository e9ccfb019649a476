"""People who register, are approved, sign in, refresh and leave; and staff at the console."""

import random
import re
import secrets
from dataclasses import dataclass, field

from benchmarks.soak.client import Answer, Client, Log
from benchmarks.soak.session import PATIENT, Session

PREFIX = "soaked"
MOST_SESSIONS = 12
PAGES = (
    *("/admin/", "/admin/designs/design/", "/admin/designs/design/?q=silk", "/admin/accounts/user/"),
    "/admin/core/auditentry/",
)


@dataclass
class People:
    """Newcomers by name, with the states that each may have; `sessions` are of those who are signed in."""

    client: Client
    log: Log
    admin: Session
    states: dict[str, set[str]] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    def wrong(self, answer: Answer, what: str) -> None:
        self.log.wrong(answer, f"{what}: {answer.body[:200]!r}")

    async def newcomer(self) -> None:
        """Register; be approved or declined; sign in and ask who one is."""
        name = f"{PREFIX}-{secrets.token_hex(6)}"
        session = Session(self.client, name, secrets.token_hex(9))
        given = {"username": name, "password": session.password}
        self.states[name] = {"", "pending"}
        answer, unsure = await session.call("register", "POST", "/api/auth/register", given)
        if answer.status == 200 or (answer.code == "username_taken" and unsure):
            self.states[name] = {"pending"}
            await self.decide(session)
        elif not answer.is_refusal:
            self.wrong(answer, "a registration")
        elif not unsure:
            self.states[name] = {""}

    async def decide(self, session: Session) -> None:
        found, _ = await self.admin.call(
            "people", "GET", "/api/admin/users", query={"search": session.username}
        )
        if found.status != 200:
            return
        items = found.json()["items"]
        if [item["username"] for item in items] != [session.username]:
            self.wrong(found, f"{session.username} registered, and is found {len(items)} times")
            return
        verb, state = ("approve", "approved") if self.chance.random() < 0.8 else ("reject", "rejected")
        self.states[session.username] = {"pending", state}
        path = f"/api/admin/users/{items[0]['id']}/{verb}"
        answer, unsure = await self.admin.call("decide", "POST", path, {})
        if answer.status == 200:
            self.states[session.username] = {state}
            if state == "approved" and await session.sign_in():
                await self.who(session)
                self.sessions = [*self.sessions[-MOST_SESSIONS:], session]
        elif not answer.is_refusal:
            self.wrong(answer, "a decision")
        elif not unsure:
            self.states[session.username] = {"pending"}

    async def who(self, session: Session) -> None:
        answer, _ = await session.call("me", "GET", "/api/auth/me")
        if answer.status == 200 and answer.json()["username"] != session.username:
            self.wrong(answer, f"{session.username} is another")
        elif answer.status != 200 and not answer.is_refusal:
            self.wrong(answer, f"{session.username} is not let in")

    async def refresh(self) -> None:
        """Trade a refresh token in, and use the new access token."""
        if not self.sessions:
            return
        session = self.chance.choice(self.sessions)
        if session.lock.locked() or not session.refresh_token:
            return
        async with session.lock:
            await session.refresh()
            await self.who(session)

    async def leave(self) -> None:
        """Sign out; the access token is dead then."""
        if len(self.sessions) < 3:
            return
        session = self.sessions.pop(0)
        async with session.lock:
            answer, _ = await session.call("logout", "POST", "/api/auth/logout", {})
            if answer.is_refusal:
                return
            if answer.status != 200 and answer.code != "token_revoked":
                self.wrong(answer, "a logout")
            after, _ = await session.call("me", "GET", "/api/auth/me")
            if not after.is_refusal and after.status != 401:
                self.wrong(after, f"{session.username} has signed out, and is let in")


@dataclass
class Console:
    """An admin in a browser: cookies, and pages that must be whole or a 503."""

    client: Client
    log: Log
    username: str
    password: str
    cookies: dict[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(6))

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = f"Cookie: {pairs}\r\n" if pairs else ""
        if body:
            headers += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            headers += f"Referer: https://{self.client.host}{path}\r\n"
        answer, _ = await self.client.patiently(
            "console", lambda: self.client.once("console", method, path, headers=headers, body=body), PATIENT
        )
        for name, value in re.findall(rb"\r\nSet-Cookie: ([^=]+)=([^;\r]*)", answer.head, re.IGNORECASE):
            self.cookies[name.decode()] = value.decode()
        return answer

    async def sign_in(self) -> None:
        page = await self.ask("GET", "/admin/login/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        given = f"username={self.username}&password={self.password}&next=/admin/&csrfmiddlewaretoken="
        answer = await self.ask("POST", "/admin/login/", given.encode() + (token.group(1) if token else b""))
        if answer.status != 302:
            self.log.wrong(answer, f"the console lets nobody in: {answer.body[:200]!r}")

    async def page(self) -> None:
        path = self.chance.choice(PAGES)
        answer = await self.ask("GET", path)
        is_whole = answer.status == 200 and answer.body.rstrip().endswith(b"</html>")
        if not is_whole and not answer.is_refusal:
            self.log.wrong(answer, f"{path} is no whole page: {answer.head[:300]!r}")
