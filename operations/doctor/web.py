"""Plain HTTP requests as a browser or a client sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import urllib3

CONNECT_SECONDS, READ_SECONDS = 3.0, 6.0
LOCAL = ("127.0.0.1", "localhost", "::1")


class Unreachable(Exception):
    """Nothing answers there; the text says why, without the address."""


@dataclass(frozen=True)
class Answer:
    """A response: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = field(default=(), repr=False)


def ask(method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Send one request and follow no redirect. Raises Unreachable."""
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
        try:
            response = pool.request(method, url, headers=headers, body=body, redirect=False)
        except urllib3.exceptions.LocationValueError:
            raise Unreachable("that is no address") from None
        except urllib3.exceptions.SSLError:
            raise Unreachable("its certificate is not valid, or it speaks no TLS") from None
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(reason_of(error)) from None
    named = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, named, response.data, tuple(response.headers.getlist("Set-Cookie")))


def reason_of(error: BaseException) -> str:
    """Return why a connection failed, in the system's words."""
    cause = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    return getattr(cause, "strerror", None) or type(cause).__name__


def is_local(url: str) -> bool:
    """Return whether an address is one of this machine, as in `make run-prod-like`."""
    return urlsplit(url).hostname in LOCAL


def refused_part(answer: Answer, origin: str, method: str, headers: tuple[str, ...]) -> str:
    """Return what a browser at `origin` would miss in the answer to its preflight request; "" if nothing.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch
    """
    if not 200 <= answer.status < 300:
        return f"the answer has status {answer.status}"
    if answer.headers.get("access-control-allow-origin") not in (origin, "*"):
        return "the origin is not allowed"
    methods = words(answer.headers.get("access-control-allow-methods", ""))
    if not {method.lower(), "*"} & methods:
        return f"{method} is not allowed"
    allowed = words(answer.headers.get("access-control-allow-headers", ""))
    missing = [name for name in headers if not {name, "*"} & allowed]
    return f"the header {missing[0]} is not allowed" if missing else ""


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")} - {""}


def preflight(url: str, origin: str, method: str, headers: tuple[str, ...]) -> str:
    """Ask for permission as a browser at `origin` does. Return what is refused, "" if nothing. Raises Unreachable."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(headers),
    }
    return refused_part(ask("OPTIONS", url, asked), origin, method, headers)


def moment_of(date: str) -> float | None:
    """Return the time of a Date header, in the middle of its second (time.time()); None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5
    except (TypeError, ValueError):
        return None


def seconds_ahead(moment: float, sent: float, received: float) -> float:
    """Return by how much this host's clock is ahead of a server's, at least; 0.0 if they may agree.

    `moment` is the server's time between `sent` and `received`, which are this host's (time.time()).
    """
    return max(0.0, sent - moment) + min(0.0, received - moment)
