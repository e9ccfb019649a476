"""A journey through every call that carries a secret, and the list of all that it used."""

import contextlib
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from devtools.serving import Client, Server
from tests.e2e.pictures import picture


@dataclass
class Journey:
    """What somebody did; `secrets` are the texts that no line of the log may have."""

    server: Server
    secrets: list[str] = field(default_factory=list)
    request_ids: dict[str, str] = field(default_factory=dict)

    def secret(self, text: str) -> str:
        self.secrets.append(text)
        return text

    def new(self, name: str) -> str:
        return self.secret(f"{name}-{secrets.token_hex(8)}")

    def details(self) -> dict[str, str]:
        """Return a name and a contact that nobody else has."""
        return {"full_name": self.new("Meera Rao"), "contact": self.new("meera") + "@example.org"}

    def tokens(self, answer: requests.Response) -> None:
        body = answer.json()
        self.secrets += [body["access_token"], body["refresh_token"]]
        self.secrets += [token.rpartition(".")[2] for token in (body["access_token"], body["refresh_token"])]

    def known(self, name: str, answer: requests.Response) -> requests.Response:
        """Keep the id of a request."""
        self.request_ids[name] = answer.headers["X-Request-ID"]
        return answer

    def run(self) -> None:
        """Do everything but what needs the database to be away."""
        admin = self.server.client()
        self.secrets += self.server.admin.values()
        self.tokens(admin.post("/api/auth/login", json=self.server.admin))
        admin.sign_in(**self.server.admin)
        self.secrets += [admin.token["access_token"], admin.token["refresh_token"]]
        app, username, password = self.newcomer(admin)
        self.uploads(app)
        self.faults(app)
        self.password_and_code(admin, app, username, password)
        self.console()
        self.strangers()

    def newcomer(self, admin: Client) -> tuple[Client, str, str]:
        app, username, password = self.server.client(), self.new("meera"), self.new("password")
        registered = app.post("/api/auth/register", json={"username": username, "password": password})
        user_id = registered.json()["user"]["id"]
        app.post("/api/auth/login", json={"username": username, "password": password})
        admin.get("/api/admin/users", params={"search": username})
        admin.get(f"/api/admin/users/{user_id}")
        admin.post(f"/api/admin/users/{user_id}/approve")
        app.post("/api/auth/login", json={"username": username, "password": self.new("wrong")})
        app.post("/api/auth/login", json={"username": self.new("nobody"), "password": password})
        app.sign_in(username, password)
        refreshed = app.post("/api/auth/refresh", json={"refresh_token": app.token["refresh_token"]})
        self.secrets += [app.token["access_token"], app.token["refresh_token"]]
        self.tokens(refreshed)
        app.use(refreshed.json())
        assert app.put("/api/auth/me", json=self.details()).status_code == 200
        self.known("mine", app.get("/api/auth/me"))
        self.known("search", app.get("/api/designs", params={"search": self.new("kanjivaram")}))
        app.get("/api/designs/suggest", params={"q": self.new("chik")})
        app.get("/api/auth/me/export")
        return app, username, password

    def uploads(self, app: Client) -> None:
        content = picture(256, 256, kind="PNG")
        asked = app.get(
            "/api/upload/presigned-url",
            params={"content_type": "image/png", "size": len(content), "category": "avatars"},
        ).json()
        query = dict(parse_qsl(urlsplit(asked["upload_url"]).query))
        self.secrets += [
            value
            for name, value in query.items()
            if name in ("ticket", "X-Amz-Signature", "X-Amz-Credential")
        ]
        assert requests.put(asked["upload_url"], data=content, headers=asked["headers"], timeout=10).ok
        assert app.post("/api/upload/complete", json={"object_key": asked["object_key"]}).status_code == 200
        assert app.put("/api/auth/me", json={"avatar_object_key": asked["object_key"]}).status_code == 200
        files = {"file": (self.new("avatar") + ".jpg", picture(), "image/jpeg")}
        assert app.post("/api/upload/image", files=files, data={"category": "avatars"}).status_code == 201

    def faults(self, app: Client) -> None:
        sent = {"contact": self.new("secret contact"), "deep": [{"password": self.new("deep")}]}
        failed = app.post("/api/failing", params={"ticket": self.new("ticket")}, json=sent)
        assert failed.status_code == 500
        self.known("failing", failed)
        cookie = {"Cookie": f"gallery={self.new('cookie')}"}
        path, search = self.new("path"), self.new("search")
        page = app.get(f"/failing/{path}", params={"search": search}, headers=cookie)
        assert page.status_code == 500
        self.known("page", page)
        self.known("suspicious", app.get("/suspicious", params={"code": self.new("code")}))
        self.known("telling", app.get("/api/telling", params={"search": self.new("told")}))
        at_once = {"search": self.new("broken"), "at_once": "1"}
        self.known("broken", app.get("/breaking", params=at_once))
        self.request_ids["breaking"] = own = f"own-{secrets.token_hex(8)}"
        with contextlib.suppress(requests.ConnectionError):
            search = {"search": self.new("broken")}
            app.get("/breaking", params=search, headers={"X-Request-ID": own})

    def password_and_code(self, admin: Client, app: Client, username: str, password: str) -> None:
        changed = self.new("changed")
        body = {"current_password": password, "new_password": changed}
        assert app.post("/api/auth/password", json=body).status_code == 200
        user_id = app.get("/api/auth/me").json()["id"]
        code = self.secret(admin.post(f"/api/admin/users/{user_id}/reset-code").json()["code"])
        body = {"username": username, "code": self.new("guess"), "new_password": changed}
        app.post("/api/auth/reset", json=body)
        body = {"username": username, "code": code, "new_password": self.new("reset")}
        assert app.post("/api/auth/reset", json=body).status_code == 200

    def console(self) -> None:
        browser = requests.Session()
        login = f"{self.server.address}/admin/login/"
        wrong = {"username": self.new("staff"), "password": self.new("wrong")}
        for sign_in in (wrong, self.server.admin):
            browser.get(login, timeout=10)
            form = {**sign_in, "csrfmiddlewaretoken": browser.cookies["csrftoken"], "next": "/admin/"}
            browser.post(login, data=form, headers={"Referer": login}, timeout=30)
        page = browser.get(f"{self.server.address}/admin/", timeout=30)
        self.known("console", page)
        assert page.status_code == 200
        self.secrets += [cookie.value for cookie in browser.cookies]
        search = {"q": self.new("people")}
        browser.get(f"{self.server.address}/admin/accounts/user/", params=search, timeout=30)
        # Forms without their token, and from another site.
        referer = f"https://elsewhere.example/{self.new('referer')}"
        requests.post(login, data=form, headers={"Referer": referer}, timeout=10)

    def strangers(self) -> None:
        client = Client(self.server.address)
        forged = self.secret(f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_hex(40)}.{secrets.token_hex(20)}")
        client.get("/api/auth/me", headers={"Authorization": f"Bearer {forged}"})
        client.get("/metrics", headers={"Authorization": f"Bearer {self.new('metrics')}"})
        self.known("unknown", client.get(f"/{self.new('unknown')}", params={"token": self.new("query")}))
        client.get(f"/api/{quote(self.new('unknown'))}/%0aforged")
        client.get("/api/designs", headers={"Host": f"{self.new('host')}.example"})
        client.request(self.new("METHOD").upper().replace("-", ""), "/api/designs")
        self.secrets.append(self.secrets[-1].upper().replace("-", ""))
        long = client.get("/api/designs", params={"search": self.new("long") + "x" * 9000})
        assert long.status_code == 414
        assert client.get("/health").ok


def found_in(text: str, secrets: list[str]) -> list[str]:
    """Return the secrets that a text has, in whichever case."""
    lowered = text.lower()
    return [secret for secret in secrets if secret.lower() in lowered]


def lines_with(text: str, request_id: str) -> list[str]:
    return [line for line in re.split("\n", text) if request_id in line]
