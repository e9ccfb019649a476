"""Every call of the contract, and ways to make calls that an ordinary client does not make."""

import http.client
import select
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import requests

ANYONE, READER, USER, ADMIN = "anyone", "reader", "user", "admin"
CALLS = [
    ("POST", "/api/auth/register", ANYONE),
    ("POST", "/api/auth/login", ANYONE),
    ("POST", "/api/auth/refresh", ANYONE),
    ("POST", "/api/auth/reset", ANYONE),
    ("GET", "/api/auth/me", USER),
    ("PUT", "/api/auth/me", USER),
    ("DELETE", "/api/auth/me", USER),
    ("GET", "/api/auth/me/export", USER),
    ("POST", "/api/auth/password", USER),
    ("GET", "/api/auth/sessions", USER),
    ("DELETE", "/api/auth/sessions/{id}", USER),
    ("POST", "/api/auth/logout", USER),
    ("GET", "/api/designs", READER),
    ("GET", "/api/designs/facets", READER),
    ("GET", "/api/designs/featured", READER),
    ("GET", "/api/designs/suggest", READER),
    ("GET", "/api/designs/{id}", READER),
    ("GET", "/api/designs/{id}/similar", READER),
    ("POST", "/api/designs", ADMIN),
    ("PUT", "/api/designs/{id}", ADMIN),
    ("DELETE", "/api/designs/{id}", ADMIN),
    ("POST", "/api/designs/{id}/restore", ADMIN),
    ("GET", "/api/designs/{id}/versions", ADMIN),
    ("POST", "/api/designs/{id}/favorite", USER),
    ("DELETE", "/api/designs/{id}/favorite", USER),
    ("GET", "/api/designs/user/favorites", USER),
    ("GET", "/api/admin/users", ADMIN),
    ("GET", "/api/admin/users/pending", ADMIN),
    ("POST", "/api/admin/users/{id}/approve", ADMIN),
    ("POST", "/api/admin/users/{id}/reject", ADMIN),
    ("POST", "/api/admin/users/{id}/reset-code", ADMIN),
    ("PUT", "/api/admin/users/{id}", ADMIN),
    ("DELETE", "/api/admin/users/{id}", ADMIN),
    ("GET", "/api/admin/analytics", ADMIN),
    ("GET", "/api/admin/settings", ADMIN),
    ("PUT", "/api/admin/settings", ADMIN),
    ("GET", "/api/admin/audit", ADMIN),
    ("POST", "/api/upload/image", USER),
    ("GET", "/api/upload/presigned-url", USER),
    ("POST", "/api/upload/complete", USER),
    ("DELETE", "/api/upload/image/{key}", ADMIN),
    ("GET", "/api/upload/images", ADMIN),
]
SOME_KEY = "designs/2020/01/1577836800_00000000000000000000000000000000.jpg"


def concrete(path: str) -> str:
    """`path` with an id and a key that nothing has."""
    return path.replace("{id}", "987654321").replace("{key}", SOME_KEY)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Make the calls side by side; their results in the order of the calls."""
    todo = list(calls)
    with ThreadPoolExecutor(len(todo)) as pool:
        return [one.result() for one in [pool.submit(call) for call in todo]]


def everywhere(address: str, token: str, path: str = "/api/auth/me", times: int = 16) -> set[int]:
    """The status codes of `times` calls, each on its own connection, so that every worker answers some."""

    def ask() -> int:
        return requests.get(address + path, headers=bearer(token), timeout=30).status_code

    return set(at_once([ask] * times))


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """The first true answer of `condition`, asked again and again; raise AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.25)
    return answer


def pour(
    address: str, path: str, *, total: int, headers: dict[str, str], chunked: bool = False
) -> tuple[int, dict[str, str], bytes]:
    """POST `total` spaces as a body until the server answers; the status, headers and body of its answer."""
    target = urlsplit(address)
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(total)}
    lines = [f"POST {path} HTTP/1.1", f"Host: {target.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers | framing).items()]
    block = b" " * 65536
    if chunked:
        block = b"10000\r\n" + block + b"\r\n"
    with socket.create_connection((target.hostname, target.port), timeout=30) as link:
        link.sendall("\r\n".join([*lines, "", ""]).encode())
        left, rest = total, b""
        while left > 0 or rest:
            readable, writable, _ = select.select([link], [link], [], 30)
            if readable:
                break
            assert writable, "the server neither reads nor answers"
            rest = rest or block
            try:
                sent = link.send(rest)
            except (ConnectionResetError, BrokenPipeError):
                break
            rest = rest[sent:]
            left -= sent
        answer = http.client.HTTPResponse(link, method="POST")
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
