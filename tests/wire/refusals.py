"""Refusals that the head decides, of bodies that are large: the client always gets them."""

import http.client
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.e2e.raw_http import Answer
from tests.wire.host import FORM, JSON, MEGABYTE, Host
from tests.wire.table import Table

TIMES = 20
SIZES = (1, 4, 9)  # MB
SLOW, SLOW_SIZE = 200_000, 7 * MEGABYTE  # bytes a second of an uplink, and of what it sends


@dataclass
class Refused:
    """A request that is refused by its head."""

    name: str
    method: str
    path: str
    headers: list[str]
    status: int
    code: str

    def fault(self, answer: Answer) -> str:
        """Return what is wrong with an answer, or nothing."""
        found = (answer.status, answer.code)
        if found != (self.status, self.code):
            return f"{found}"
        return "" if answer.closes else "it does not say Connection: close"


def refused_requests(host: Host) -> list[Refused]:
    upload = "/api/upload/image"
    ticket = f"/media/incoming/designs/2026/01/1767225600_{uuid.uuid4()}.jpg?ticket=x"
    text = ["Content-Type: text/plain", host.bearer]
    return [
        Refused("an expired token", "POST", upload, [FORM, host.expired], 401, "token_expired"),
        Refused("no token", "POST", "/api/designs", [JSON], 401, "not_authenticated"),
        Refused("404", "POST", "/api/nothing", [JSON, host.bearer], 404, "not_found"),
        Refused("405", "PATCH", upload, [FORM, host.bearer], 405, "method_not_allowed"),
        Refused("415", "POST", upload, text, 415, "unsupported_media_type"),
        Refused("a bad ticket", "PUT", ticket, ["Content-Type: image/jpeg"], 403, "forbidden"),
        Refused("413", "POST", "/api/designs", [JSON, host.bearer], 413, "too_large"),
    ]


def check(host: Host, table: Table) -> None:
    table.title("Refused uploads: the answer reaches a client that sends everything first")
    clients: dict[str, Callable[[Host, Refused, bytes], Answer]] = {
        "sockets": by_socket,
        "http.client": by_library,
    }
    for client, ask in clients.items():
        for one in refused_requests(host):
            for size in SIZES:
                body = bytes(size * MEGABYTE + 1)  # a JSON body of 1 MB is within its limit
                faults = [fault for _ in range(TIMES) if (fault := tried(ask, host, one, body))]
                table.count(f"{client}, {size} MB, {one.name}", faults, TIMES)
    slowly(host, table)


def tried(ask: Callable[[Host, Refused, bytes], Answer], host: Host, one: Refused, body: bytes) -> str:
    try:
        return one.fault(ask(host, one, body))
    except (OSError, http.client.HTTPException) as error:
        return repr(error)


def by_socket(host: Host, one: Refused, body: bytes) -> Answer:
    return host.ask(one.method, one.path, *one.headers, body=body)


def by_library(host: Host, one: Refused, body: bytes) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(host.server.address).netloc, timeout=30)
    headers = dict(line.split(": ", 1) for line in one.headers)
    try:
        connection.request(one.method, one.path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def slowly(host: Host, table: Table) -> None:
    """A telephone's uplink: the whole body takes longer than half a minute."""
    one = refused_requests(host)[0]
    faults = []
    try:
        with host.wire() as wire:
            wire.send(wire.head(one.method, one.path, *one.headers, f"Content-Length: {SLOW_SIZE}"))
            begun = time.monotonic()
            for sent in range(0, SLOW_SIZE, SLOW // 10):
                time.sleep(max(0.0, begun + sent / SLOW - time.monotonic()))
                wire.send(bytes(min(SLOW // 10, SLOW_SIZE - sent)))
            fault = one.fault(wire.answer(one.method))
            faults = [fault] if fault else []
    except (OSError, http.client.HTTPException) as error:
        faults = [repr(error)]
    table.count(f"{SLOW_SIZE // MEGABYTE} MB at {SLOW // 1000} kB/s, {one.name}", faults, 1)
