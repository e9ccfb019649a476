"""Time the workloads of benchmarks.scale in the environment's gallery; print {name: [first ms, then ms]} as JSON."""

import io
import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlencode

from django.core.wsgi import get_wsgi_application

FIRSTS, CALLS, BLOCK = 5, 200, 10

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
application = get_wsgi_application()

from designs.models import Design


def workloads(size: int) -> dict[str, str]:
    last = size // 20
    return {
        "list": "",
        "list, middle page": urlencode({"page": last // 2}),
        "list, last page": urlencode({"page": last}),
        "by title, middle page": urlencode({"sort": "title", "page": last // 2}),
        "popular": urlencode({"sort": "popular"}),
        "popular, middle page": urlencode({"sort": "popular", "page": last // 2}),
        "most viewed, middle page": urlencode({"sort": "most_viewed", "page": last // 2}),
        "filtered list": urlencode({"category": "Saree", "colour": "Indigo"}),
        "several values": urlencode({"category": "Saree,Kurta", "fabric": "Cotton,Khadi"}),
        "search": urlencode({"search": "indigo kalamkari"}),
        "search, common word": urlencode({"search": "silk"}),
        "search, prefix": urlencode({"search": "ka"}),
        "search with filter": urlencode({"search": "silk", "category": "Saree"}),
        "facets": "facets",
        "facets, filtered": "facets?" + urlencode({"category": "Saree", "fabric": "Cotton"}),
        "suggestions": "suggest?" + urlencode({"q": "kanj"}),
        "suggestions, mistyped": "suggest?" + urlencode({"q": "kanjeevaram sar"}),
        "facets of a search": "facets?" + urlencode({"search": "silk"}),
    }


def caller(question: str, token: str) -> Callable[[], None]:
    """Return a function that calls the WSGI application once."""
    path, mark, query = question.partition("?")
    if not mark and question != "facets":
        path, query = "", question
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/designs" + (f"/{path}" if path else ""),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    statuses: list[str] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], error: ExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        statuses.append(status)
        return lambda data: None

    def call() -> None:
        statuses.clear()
        response = application({**environ, "wsgi.input": io.BytesIO()}, start_response)
        b"".join(response)
        response.close()
        assert statuses == ["200 OK"], (question, statuses)

    return call


def first_and_then(call: Callable[[], None]) -> tuple[float, float]:
    """Return milliseconds of CPU: of the fastest first call after a change, and of later calls."""
    firsts = []
    for number in range(FIRSTS):
        Design.objects.filter(pk=1).update(description=f"Changed for the {number}th time.")
        firsts.append(taken(call, 1))
    blocks = sorted(taken(call, BLOCK) for _ in range(CALLS // BLOCK))
    return round(min(firsts), 3), round(blocks[len(blocks) // 4], 3)


def taken(call: Callable[[], None], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times * 1000


def main() -> None:
    size, token = int(sys.argv[1]), sys.argv[2]
    caller("", token)()
    json.dump(
        {name: first_and_then(caller(asked, token)) for name, asked in workloads(size).items()}, sys.stdout
    )


if __name__ == "__main__":
    main()
