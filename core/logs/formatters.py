"""How a line is written: as JSON for programs, or for people to read.

Both put one event on one line and escape every control character, so that no value can forge a line.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from core.logs.current import CURRENT, Current
from core.logs.hiding import hide, hide_sent

Fields = dict[str, Any]

# A traceback that is longer loses its middle. A line then fits one write, so that those of two processes never mix.
HEAD, TAIL = 2000, 4000  # characters
# Control characters, line and paragraph separators, those that reverse the direction of text, halves of characters.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


class Formatter(logging.Formatter):
    """What both have in common."""

    def message_of(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        # The others are made of constants and numbers.
        return hide_sent(text) if record.levelno >= logging.WARNING else hide(text)

    def traceback_of(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record; empty without one."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        lines = traceback.format_exception(record.exc_info[1])
        text = hide_sent("".join(lines).rstrip("\n"))
        return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n[…]\n{text[-TAIL:]}"


class JsonFormatter(Formatter):
    """A line is one JSON object, in ASCII.

    It has the fields of this class and no others. python-json-logger would write whatever a library hangs on a record:
    Django its request, with the address that the client asked for.
    """

    def format(self, record: logging.LogRecord) -> str:
        current = CURRENT.get()
        line: Fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:23] + "Z",
            "level": record.levelname,
            "logger": record.name,
            "message": self.message_of(record),
            "process": record.process,
            **fields_of(record, current),
        }
        if text := self.traceback_of(record):
            line["traceback"] = text
        return encode(line)


class LinesFormatter(Formatter):
    """A line for people: time, level, logger, message, and the fields as name=value.

    The lines of a traceback follow, each with the id of its request.
    """

    def format(self, record: logging.LogRecord) -> str:
        current = CURRENT.get()
        fields = " ".join(
            f"{name}={value}" for name, value in fields_of(record, current).items() if value is not None
        )
        when = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        text = f"{when} {record.levelname} {record.name} {self.message_of(record)} {fields}".rstrip()
        margin = f"    {current.request_id} | " if current else "    | "
        lines = [text, *(margin + line for line in self.traceback_of(record).split("\n") if line)]
        return "\n".join(map(escaped, lines))


def escaped(text: str) -> str:
    """Return the text with its control characters as Python writes them."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def fields_of(record: logging.LogRecord, current: Current | None) -> Fields:
    """Return the request of a line, and the fields that its logger gave it (`extra={"fields": …}`)."""
    fields: Fields = {} if current is None else {"request_id": current.request_id, "user_id": current.user_id}
    return fields | getattr(record, "fields", {})
