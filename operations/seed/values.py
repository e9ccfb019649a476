"""What the seed's columns hold, however it is written: times, flags, numbers, texts."""

from datetime import UTC, datetime

from core.days import moment_of
from operations.seed.source import Value

WORDS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "off", ""), False
)
MILLISECONDS = 100_000_000_000  # a larger number of seconds is the year 5138
LARGEST_ID = 2**53 - 1  # what JSON can carry exactly


def text_of(value: Value) -> str:
    """The value as text, trimmed, without NUL and without halves of characters; empty for none."""
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("\0", "").encode("utf-8", "ignore").decode().strip()


def moment(value: Value) -> datetime | None:
    """The time, in UTC where it has no offset; None for an empty one.

    A number counts seconds, or milliseconds, since 1970. Raises ValueError for what is no time.
    """
    text = text_of(value)
    if not text:
        return None
    try:
        if isinstance(value, int | float):
            seconds = value / 1000 if abs(value) > MILLISECONDS else value
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            found = moment_of(text)
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error
    if not 1900 <= found.year <= 9000:
        raise ValueError(text)
    return found


def flag(value: Value) -> bool:
    """Whether it is on; an empty one is off. Raises ValueError for any other word."""
    word = text_of(int(value) if value in (0.0, 1.0) else value).lower()
    if word not in WORDS:
        raise ValueError(word)
    return WORDS[word]


def whole(value: Value) -> int:
    """A whole number of at least 0. Raises ValueError for anything else."""
    if isinstance(value, bool | bytes) or value is None:
        raise ValueError(value)
    number = float(value)
    if not (number.is_integer() and 0 <= number <= LARGEST_ID):
        raise ValueError(value)
    return int(value) if isinstance(value, int) else int(number)


def identity(value: Value) -> int:
    """An id: a whole number from 1 on. Raises ValueError for anything else."""
    number = whole(value)
    if number < 1:
        raise ValueError(value)
    return number
