"""A sign-in of the app, which refreshes its tokens before they expire."""

import asyncio
from dataclasses import dataclass, field

from benchmarks.soak.client import Answer, Client, Json
from benchmarks.soak.schedule import MINUTE

PATIENT = 120.0  # seconds: an outage, a restart and the wait after them
FRESH = 15 * MINUTE  # of the 30 that an access token lasts
GRACE = 30.0  # seconds in which a refresh token may be used again


@dataclass
class Session:
    """Somebody who is signed in: `token` is an access token that is good for a while."""

    client: Client
    username: str
    password: str
    token: str = ""
    refresh_token: str = ""
    since: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(
        self, call: str, method: str, path: str, json: Json | None = None, *, headers: str = "", body: bytes = b"",
        stays: bool = True, query: dict[str, str | int] | None = None,
    ) -> tuple[Answer, bool]:  # fmt: skip
        """Make a call until it is no refusal; return its answer and whether an earlier try may have run."""
        if self.refresh_token and self.client.log.now() > self.since + FRESH:
            async with self.lock:
                if self.client.log.now() > self.since + FRESH:
                    await self.refresh()
        return await self.client.patiently(
            call,
            lambda: self.client.once(
                call, method, path, token=self.token, json=json, headers=headers, body=body, query=query
            ),
            PATIENT,
            stays=stays,
        )

    async def sign_in(self) -> bool:
        """Sign in; return whether that was answered in time."""
        given = {"username": self.username, "password": self.password}
        answer, _ = await self.client.patiently(
            "login", lambda: self.client.once("login", "POST", "/api/auth/login", json=given), PATIENT
        )
        return self.take(answer)

    async def refresh(self) -> None:
        """Trade the refresh token in; sign in again where a lost answer was repeated too late for the grace."""
        given, began = {"refresh_token": self.refresh_token}, self.client.log.now()
        answer, unsure = await self.client.patiently(
            "refresh", lambda: self.client.once("refresh", "POST", "/api/auth/refresh", json=given), PATIENT
        )
        is_late = unsure and answer.code == "token_reused" and answer.ended > began + GRACE
        if is_late or answer.is_refusal:
            self.refresh_token = ""
            await self.sign_in()
        else:
            self.take(answer)

    def take(self, answer: Answer) -> bool:
        if answer.is_refusal:
            return False
        if answer.status != 200:
            self.client.log.wrong(answer, f"{self.username} gets no token: {answer.body[:200]!r}")
            return False
        found = answer.json()
        if found["user"]["username"] != self.username:
            self.client.log.wrong(answer, f"{self.username} gets the token of {found['user']['username']}")
        self.token, self.refresh_token = found["access_token"], found["refresh_token"]
        self.since = self.client.log.now()
        return True
