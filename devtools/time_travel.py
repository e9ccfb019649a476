"""Time Travel of D1, which its local engine does not have: a plan of the fault proxy that answers the two endpoints.

    with FaultProxy(engine.url) as proxy, TimeTravel(engine.url, token) as travel:
        proxy.plan = travel

A bookmark is a copy of the database, which the engine makes when somebody asks for the current one. So one can go back
to these moments only, and a time stands for the last of them at or before it. While the engine is taken back no other
request passes the proxy.
"""

import json
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3

from d1backend import clone
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.fault_plan import Fault, Plan, Request, api_error

_OK = 200


@dataclass(frozen=True)
class Bookmark:
    """A state of a database: the copy that holds it, and when it was made (time.time())."""

    database: str
    copy: str
    moment: float


class TimeTravel:
    """Answers the endpoints of Time Travel; every other request goes by `others`, a plan, or passes."""

    def __init__(self, url: str, token: str, account: str = "an-account") -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {token}"}
        self._account = account
        self._api = Api(Settings(account, token, url))
        self._pool = urllib3.PoolManager()
        self.bookmarks: dict[str, Bookmark] = {}
        self.restored: list[str] = []
        self.others: Plan | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bookmark in self.bookmarks.values():
            self._api.delete(bookmark.copy)
        self._api.close()

    def __call__(self, number: int, request: Request) -> Fault | None:
        parts = urlsplit(request.path)
        if "/time_travel/" not in parts.path:
            return self.others(number, request) if self.others else None
        *_, database, _, verb = parts.path.split("/")
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            answer = (
                self._restore(unquote(database), asked)
                if (request.method, verb) == ("POST", "restore")
                else {"bookmark": self._find(unquote(database), asked)}
            )
        except LookupError as error:
            return Fault("no bookmark", False, api_error(7500, str(error.args[0])), 400)
        whole = {"result": answer, "success": True, "errors": [], "messages": []}
        return Fault("time travel", False, json.dumps(whole).encode(), _OK)

    def _find(self, database: str, asked: dict[str, str]) -> str:
        """The bookmark that is meant: of a name, of a time, or the current one."""
        if "bookmark" in asked:
            if asked["bookmark"] not in self.bookmarks:
                raise LookupError("The bookmark is not valid.")
            return asked["bookmark"]
        if "timestamp" not in asked:
            return self._note(database)
        until = datetime.fromisoformat(asked["timestamp"]).timestamp()
        before = [
            name for name, one in self.bookmarks.items() if one.database == database and one.moment <= until
        ]
        if not before:
            raise LookupError("There is no bookmark at or before this time.")
        return max(before, key=lambda name: self.bookmarks[name].moment)

    def _note(self, database: str) -> str:
        copy = self._api.create(f"bookmark-{uuid.uuid4().hex}")
        clone.copy(self._api, database, copy)
        name = f"{len(self.bookmarks):08x}-00000001-00004c6d-{uuid.uuid4().hex}"
        self.bookmarks[name] = Bookmark(database, copy, time.time())
        return name

    def _restore(self, database: str, asked: dict[str, str]) -> dict[str, str]:
        target = self._find(database, asked)
        previous = self._note(database)
        self._pool.request(
            "POST",
            f"{self._url}/accounts/{self._account}/d1/database/{database}/empty",
            headers=self._headers,
        )
        clone.copy(self._api, self.bookmarks[target].copy, database)
        self.restored.append(target)
        return {"bookmark": target, "previous_bookmark": previous, "message": "Database restored"}
