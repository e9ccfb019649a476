"""D1's REST API over one kept-alive connection: send, sort failures, retry what may be sent again.

Endpoints and answers: https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/raw/
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import urllib3

from .errors import TRANSIENT, InterfaceError, OperationalError, ProgrammingError, RateLimited, from_sql, tidy

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
Statement = tuple[str, list[str]]


@dataclass(frozen=True)
class Settings:
    """Where the API is and how patient to be with it (times in seconds)."""

    account_id: str
    api_token: str
    base_url: str = CLOUDFLARE
    connect_timeout: float = 5.0
    timeout: float = 35.0
    retries: int = 5
    retry_budget: float = 20.0

    def __repr__(self) -> str:
        return f"Settings(account_id={self.account_id!r}, base_url={self.base_url!r})"


class _UnsentError(Exception):
    """The request did not run; `wait` is what the server asked for, in seconds."""

    def __init__(self, error: Exception, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


class _LostError(Exception):
    """The request may have run."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Api:
    """One HTTP connection to the API; used by one thread at a time."""

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self.round_trips = 0
        self._sleep = sleep
        url = urllib3.util.parse_url(settings.base_url)
        timeout = urllib3.Timeout(connect=settings.connect_timeout, read=settings.timeout)
        pool = urllib3.HTTPSConnectionPool if url.scheme == "https" else urllib3.HTTPConnectionPool
        self._pool = pool(url.host or "", url.port, maxsize=1, retries=False, timeout=timeout)
        self._path = (
            f"{(url.path or '').rstrip('/')}/accounts/{quote(settings.account_id, safe='')}/d1/database"
        )
        self._headers = {
            "Authorization": f"Bearer {settings.api_token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "d1backend",
        }

    def close(self) -> None:
        self._pool.close()

    def batch(
        self, database: str, statements: list[Statement], *, repeatable: bool = True
    ) -> list[dict[str, Any]]:
        """Run statements as one batch; D1 does all of them or none.

        `repeatable` says that sending the batch twice does no harm: it only reads, or it carries a mark.
        Returns `{"columns": […], "rows": […]}` for each statement.
        Raises what errors.from_sql says of D1's message, OperationalError for a failure on the way.
        """
        body = {
            "batch": [{"sql": sql, "params": bound} if bound else {"sql": sql} for sql, bound in statements]
        }
        answer = self._patiently("POST", f"/{quote(database, safe='')}/raw", body, repeatable=repeatable)
        return [part["results"] for part in answer["result"]]

    def create(self, name: str) -> str:
        """Make a database and return its id."""
        return self._patiently("POST", "", {"name": name}, repeatable=False)["result"]["uuid"]

    def find(self, name: str) -> str | None:
        """The id of the database of that name, or None."""
        answer = self._patiently("GET", f"?name={quote(name, safe='')}&per_page=100", None)
        return next((db["uuid"] for db in answer["result"] if db["name"] == name), None)

    def delete(self, database: str) -> None:
        self._patiently("DELETE", f"/{quote(database, safe='')}", None)

    def _patiently(self, method: str, path: str, body: Any, *, repeatable: bool = True) -> dict[str, Any]:
        settings, spent, attempt = self.settings, 0.0, 0
        while True:
            try:
                return self._once(method, path, body)
            except _UnsentError as failure:
                error, wait = failure.error, failure.wait
            except _LostError as failure:
                error, wait = failure.error, None
                if not repeatable:
                    raise error from failure.__cause__
            attempt += 1
            pause = 0.1 * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
            pause = max(pause, wait or 0.0)
            if attempt > settings.retries or spent + pause > settings.retry_budget:
                raise error
            self._sleep(pause)
            spent += pause

    def _once(self, method: str, path: str, body: Any) -> dict[str, Any]:
        self.round_trips += 1
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            response = self._pool.request(method, self._path + path, body=data, headers=self._headers)
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise _UnsentError(OperationalError(f"D1 cannot be reached: {_reason(error)}")) from error
        except urllib3.exceptions.SSLError as error:
            raise OperationalError(f"D1 cannot be reached safely: {_reason(error)}") from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise _LostError(OperationalError(f"D1 did not answer in {self.settings.timeout} s")) from error
        except urllib3.exceptions.HTTPError as error:
            raise _LostError(OperationalError(f"The connection to D1 broke: {_reason(error)}")) from error
        return _answer(response.status, response.headers, response.data)


def _reason(error: Exception) -> str:
    return type(error.__cause__ or error).__name__


def _answer(status: int, headers: Any, data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
        if not isinstance(answer, dict):
            raise TypeError("not an object")
    except (ValueError, TypeError):
        answer = None
    if status == 429:
        raise _UnsentError(
            RateLimited("D1's API refuses more requests for now (429)"), _seconds(headers.get("Retry-After"))
        )
    if answer is None or status >= 500:
        raise _LostError(OperationalError(f"D1 answered {status} with {_kind(answer, data)}"))
    if status < 400 and answer.get("success"):
        return answer
    raise _refusal(status, answer)


def _kind(answer: dict[str, Any] | None, data: bytes) -> str:
    if answer is not None:
        return _messages(answer) or "no reason"
    return "a page, not JSON" if data.lstrip()[:1] == b"<" else "JSON cut short" if data else "nothing"


def _messages(answer: dict[str, Any]) -> str:
    errors = answer.get("errors") or []
    return "; ".join(str(e.get("message", "")) for e in errors if isinstance(e, dict))


def _refusal(status: int, answer: dict[str, Any]) -> Exception:
    message = _messages(answer)
    codes = {e.get("code") for e in answer.get("errors") or [] if isinstance(e, dict)}
    if status in (401, 403) or 10000 in codes:
        return OperationalError(f"D1 refuses the API token ({status}: {message})")
    if status == 404:
        return OperationalError(f"D1 does not know the account or the database ({message})")
    if codes & {7400, 7003}:
        return InterfaceError(f"D1 does not understand the request ({message})")
    if 7502 in codes or ("already exists" in message and status == 400 and 7500 not in codes):
        return ProgrammingError(tidy(message))
    if TRANSIENT.search(message) and "JSON path" not in message:
        return _LostError(OperationalError(tidy(message)))
    return from_sql(message)


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
