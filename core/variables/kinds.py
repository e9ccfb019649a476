"""What the value of a variable may be. A kind turns its text into a value, or raises Refused."""

import ipaddress
import re
from abc import ABC, abstractmethod
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SHOWN = 40  # characters of a value that a sentence shows
WORDS = dict.fromkeys(("true", "on", "yes", "y", "1"), True) | dict.fromkeys(
    ("false", "off", "no", "n", "0"), False
)
LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST_NAME = re.compile(rf"{LABEL}(\.{LABEL})*\.?")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
WEB = ("https", "http")
USUAL_PORTS = {"https": ":443", "http": ":80"}


class Refused(ValueError):
    """The text is not of the kind. `part` is what of it is wrong, if not all."""

    def __init__(self, part: str = "") -> None:
        super().__init__(part)
        self.part = part


class Kind(ABC, Generic[T_co]):
    """`words` completes "must be …". The value of a kind that is not `shown` stands in no message."""

    words: str
    shown = True

    @abstractmethod
    def parse(self, text: str) -> T_co:
        """Return the value of a text, which is not blank and has no space around it. Raises Refused."""

    def written(self, value: object) -> str:
        """Return a default as one would write it in the environment."""
        return str(value)


def shortened(text: str) -> str:
    """Return a text for a message: escaped, and not long."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


class Text(Kind[str]):
    """A text of a pattern, by default any without control characters."""

    def __init__(
        self, words: str = "a text", pattern: str = r"[^\x00-\x1f\x7f]+", *, shown: bool = True
    ) -> None:
        self.words, self.pattern, self.shown = words, re.compile(pattern), shown

    def parse(self, text: str) -> str:
        if not self.pattern.fullmatch(text):
            raise Refused
        return text


class Secret(Text):
    """A text that no message shows: visible ASCII, because most secrets travel in headers."""

    shown = False

    def __init__(self, minimum: int = 1) -> None:
        words = "a text of ASCII characters without spaces"
        if minimum > 1:
            words = f"{words}, at least {minimum} characters long"
        super().__init__(words, rf"[\x21-\x7e]{{{minimum},}}", shown=False)


class Password(Text):
    """What a person types: any text, and no message shows it."""

    def __init__(self) -> None:
        super().__init__("a password", r"(?s).+", shown=False)


class Choice(Kind[str]):
    """One of some words, exactly."""

    def __init__(self, *known: str) -> None:
        self.known, self.words = known, f"one of: {', '.join(known)}"

    def parse(self, text: str) -> str:
        if text not in self.known:
            raise Refused
        return text


class Flag(Kind[bool]):
    """On or off, in any of the usual words."""

    words = "true or false"

    def parse(self, text: str) -> bool:
        try:
            return WORDS[text.lower()]
        except KeyError:
            raise Refused from None

    def written(self, value: object) -> str:
        return "true" if value else "false"


class Whole(Kind[int]):
    """A whole number in a range, of ASCII digits."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most
        self.words = f"a whole number from {least:,} to {most:,}"

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not self.least <= int(text) <= self.most:
            raise Refused
        return int(text)


class Number(Kind[float]):
    """A number in a range, with a point or without."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most
        self.words = f"a number from {least:,g} to {most:,g}"

    def parse(self, text: str) -> float:
        if (
            not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text)
            or not self.least <= float(text) <= self.most
        ):
            raise Refused
        return float(text)

    def written(self, value: object) -> str:
        return f"{value:g}"


class TimeZone(Kind[ZoneInfo]):
    words = "a time zone, like Asia/Kolkata or UTC"

    def parse(self, text: str) -> ZoneInfo:
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: of a name like that of a file
            raise Refused from None


class Url(Kind[str]):
    """A URL with one of these schemes and a host, without a query. It may hold credentials, so no message shows it."""

    shown = False

    def __init__(self, *schemes: str, example: str) -> None:
        self.schemes = schemes
        self.words = f"a URL with a host, like {example}"

    def parse(self, text: str) -> str:
        parts = split(text)
        if parts is None or parts[0] not in self.schemes or not parts[1] or "?" in text or "#" in text:
            raise Refused
        return text


class DatabaseUrl(Kind[str]):
    """The file of an SQLite database. Other databases come with their drivers, of which there is none."""

    shown = False
    words = (
        "the URL of an SQLite file, like sqlite:////srv/gallery.sqlite3: "
        "no other database works yet but D1, which has variables of its own"
    )

    def parse(self, text: str) -> str:
        if not re.fullmatch(r"sqlite:///[^?#\x00-\x1f\x7f]+", text):
            raise Refused
        return text


class CacheUrl(Kind[str]):
    """A Redis server. Limits are counted in it together by all hosts, which no other cache here can do."""

    shown = False
    words = "the URL of a Redis server, like redis://10.0.0.2:6379/0; without it limits are counted in files of DATA"

    def parse(self, text: str) -> str:
        parts = split(text)
        if parts is None or parts[0] not in ("redis", "rediss") or not parts[1]:
            raise Refused
        return text


class Items(Kind[list[str]]):
    """A list, separated by commas. The subclass says of each item whether it is one."""

    def parse(self, text: str) -> list[str]:
        items = [item for each in text.split(",") if (item := each.strip())]
        for item in items:
            if not self.takes(item):
                raise Refused(item)
        return items

    @abstractmethod
    def takes(self, item: str) -> bool: ...

    def written(self, value: object) -> str:
        return ",".join(value) if isinstance(value, list) else str(value)


class Hosts(Items):
    """What Django compares the Host header with: neither a scheme, nor a port, nor a path."""

    words = "host names separated by commas, like gallery.example or .gallery.example, without scheme, port or path"

    def takes(self, item: str) -> bool:
        if item == "*":
            return True
        if item.startswith("["):
            return is_address(item.removeprefix("[").removesuffix("]"))
        return bool(HOST_NAME.fullmatch(item.removeprefix(".")))


class Origins(Items):
    """Origins as browsers send them: scheme, host and port, without a path; or a word that stands for some.

    Browsers send small letters, and no port that is usual for the scheme; who compares origins compares texts.
    """

    def __init__(self, *special: str, schemes: tuple[str, ...] = (), may_have_star: bool = False) -> None:
        self.special, self.schemes, self.may_have_star = special, schemes, may_have_star
        self.words = "origins separated by commas, like https://app.example, with a scheme and without a path"

    def parse(self, text: str) -> list[str]:
        return [
            item.removesuffix(USUAL_PORTS.get(item.partition("://")[0], ""))
            for item in super().parse(text.lower())
        ]

    def takes(self, item: str) -> bool:
        if item in self.special:
            return True
        scheme, separator, rest = item.partition("://")
        known = scheme in self.schemes if self.schemes else bool(SCHEME.fullmatch(scheme))
        if not separator or not known:
            return False
        return is_place(rest.removeprefix("*.") if self.may_have_star else rest)


class Addresses(Items):
    """Addresses of the network, and networks; or * for all."""

    words = "IP addresses or networks separated by commas, like 10.0.0.0/8, or *"

    def takes(self, item: str) -> bool:
        try:
            return item == "*" or bool(ipaddress.ip_network(item, strict=False))
        except ValueError:
            return False


def is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_place(text: str) -> bool:
    """Return whether the text is a host with or without a port, and nothing else."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", text)
    if match is None or int(match[2] or 1) not in range(1, 65_536):
        return False
    host = match[1]
    return is_address(host[1:-1]) if host.startswith("[") else bool(HOST_NAME.fullmatch(host))


def split(text: str) -> tuple[str, str] | None:
    """Return scheme and host of a URL; None if it is none."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        return None
    try:
        parts = urlsplit(text)
        return parts.scheme, parts.hostname or "" if parts.port is None or parts.port else ""
    except ValueError:  # of brackets or a port that are none
        return None
