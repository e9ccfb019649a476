"""Takes secrets out of text that is about to be logged or reported.

It is the second line of defence. The first is not to log them: no message names what a client sent.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

from django.http import HttpRequest

from core.logs.current import CURRENT

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|_KEY|_DSN", re.I)  # of a variable of the environment
SHORTEST_SECRET = 8  # characters of a variable's value
MOST_VALUES = 500  # of a request
SHORTEST, SHORTEST_NUMBER = 3, 6  # characters that are looked for; tracebacks are full of shorter ones
SHORTEST_HEADER = 8  # the values of most headers are words of HTTP
LONGEST_NAME = 19  # characters: csrfmiddlewaretoken
MOST_RAW = 64 * 1024  # bytes of a body that is no JSON
PLAIN_HEADERS = {"HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_COOKIE"}  # our own name; the others are taken apart
NAMES = r"\w*(?:token|password|secret|signature|ticket|code|cookie|authorization|contact|full_name|username|search)"
# Forms by which a secret is known, whoever wrote it: (pattern, what remains).
SHAPES = (
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{8,}", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),  # a JSON Web Token
    (re.compile(r"(\w+://)[^/\s@:]*:[^/\s@]+@"), rf"\1{HIDDEN}@"),  # the address of a database or a cache
    (re.compile(r"\b(X-Amz-[A-Za-z-]+)(=|%3D)[^&\s\"'<>]+", re.I), rf"\1\2{HIDDEN}"),
    (re.compile(rf"\b({NAMES})=[^&\s\"'<>,)]+", re.I), rf"\1={HIDDEN}"),  # the query of an address, or a form
    # JSON, or a dictionary as Python shows it.
    (
        re.compile(rf"([\"']{NAMES}[\"']\s*:\s*)(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.I),
        rf"\1'{HIDDEN}'",
    ),
)
# Each pattern needs one of these, in lower case. Most texts have none, and are left alone in a tenth of the time.
SIGNS = ("=", ":", "eyj", "%3d", "bearer", "basic", "token")


class KnownSecrets:
    """The secrets of this process, which are looked for in whatever it logs."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, *texts: str) -> None:
        self.texts.update(text for text in texts if text)
        ordered = sorted(self.texts, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def add_variables(self, environment: Mapping[str, str]) -> None:
        """Add the values of the environment's variables that are named like secrets."""
        self.add(
            *(
                value
                for name, value in environment.items()
                if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET and not value.isdecimal()
            )
        )


known = KnownSecrets()


def hide(text: str) -> str:
    """Return the text without secrets of this process, and without what has the form of one."""
    if known.pattern is not None:
        text = known.pattern.sub(HIDDEN, text)
    lowered = text.lower()
    if any(sign in lowered for sign in SIGNS):
        for pattern, rest in SHAPES:
            text = pattern.sub(rest, text)
    return text


def hide_sent(text: str) -> str:
    """Return the text without secrets, and without what the client of the current request sent.

    For messages of exceptions, which may quote any value.
    """
    current = CURRENT.get()
    if current is not None and current.request is not None:
        text = without(text, sent(current.request))
    return hide(text)


def without(text: str, values: Iterable[str]) -> str:
    """Return the text without the values, however Python quotes them."""
    forms = {form for value in islice(values, MOST_VALUES) for form in forms_of(value)}
    long = [
        form for form in forms if len(form.strip()) >= (SHORTEST_NUMBER if form.isdecimal() else SHORTEST)
    ]
    if not long:
        return text
    return re.sub("|".join(map(re.escape, sorted(long, key=len, reverse=True))), HIDDEN, text, flags=re.I)


def forms_of(value: str) -> tuple[str, ...]:
    """Return a value as it is, as Python shows it, as JSON has it, and as an address has it."""
    # Halves of characters are in no address.
    quotable = value.encode(errors="replace")
    return value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(quotable), quote_plus(quotable)


def sent(request: HttpRequest) -> Iterator[str]:
    """Return the values that a client sent, as far as the view has read them. Reads nothing itself."""
    yield from values_of(request.META.get("HTTP_AUTHORIZATION", "").split()[1:])
    yield from values_of(dict(request.COOKIES))
    query = request.META.get("QUERY_STRING", "")
    yield from (unquote_plus(part) for part in filter(None, query.split("&")) if "=" not in part)
    for name, value in parse_qsl(query):
        yield from values_of({name: value})
    for name in ("_post", "_files"):
        for key, values in request.__dict__[name].lists() if name in request.__dict__ else ():
            yield from values_of({key: [getattr(value, "name", value) for value in values]})
    match = request.resolver_match
    if match is not None:
        yield from values_of(match.kwargs)
    else:
        yield from filter(is_foreign, request.path.split("/"))
    yield from headers_of(request)
    yield from body_of(request)


def is_foreign(name: str) -> bool:
    """Return whether a name of a parameter, of a field or in a path is too long for one of ours."""
    return len(name) > LONGEST_NAME


def headers_of(request: HttpRequest) -> Iterator[str]:
    for name, value in request.META.items():
        if name.startswith("HTTP_") and name not in PLAIN_HEADERS and len(value) >= SHORTEST_HEADER:
            yield value


def body_of(request: HttpRequest) -> Iterator[str]:
    body: bytes = getattr(request, "_body", b"")
    try:
        yield from values_of(json.loads(body or b"null"))
    except (ValueError, RecursionError):
        if len(body) <= MOST_RAW:
            yield body.decode(errors="replace")


def values_of(data: object) -> Iterator[str]:
    """Return the texts and whole numbers inside of JSON, and the names of fields that are no names of ours."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, int) and not isinstance(data, bool):
        yield str(data)
    elif isinstance(data, Mapping):
        yield from filter(is_foreign, data)
        for value in data.values():
            yield from values_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from values_of(value)
