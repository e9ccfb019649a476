"""A table written down once, row by row, so that its rows can be taken in parts whatever kind of file it was.

The file has a line of JSON for the columns, and one for each row: its number, its cells, its digest.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.errors import Invalid
from core.private_files import make_file
from designs.sheets import table
from designs.sheets.headers import Headers
from designs.sheets.rows import Row, digest_of

AT_ONCE = 50  # rows of a part: their digests are looked up in one query


@dataclass(frozen=True)
class Written:
    """A table that was written down: its columns, how many rows it has, and where in the file the first one begins."""

    path: Path
    headers: Headers
    total: int
    start: int  # bytes

    def parts(self, start: int = 0) -> Iterator[list[tuple[Row, int]]]:
        """Yield up to AT_ONCE rows at a time, each with where the next one begins; `start` is such a place."""
        place = start or self.start
        with self.path.open("rb") as file:
            file.seek(place)
            while lines := list(islice(file, AT_ONCE)):
                part = []
                for line in lines:
                    place += len(line)
                    part.append((Row(*json.loads(line)), place))
                yield part


def write_down(source: Path, target: Path, encoding: str = "") -> Written:
    """Read a table of any kind. Raises Invalid if it is none, or has no rows."""
    headers, rows = table.read(source, encoding)
    repeats: Counter[str] = Counter()
    total = 0
    make_file(target)
    with target.open("wb") as file:
        file.write(as_line({"columns": headers.columns, "names": headers.names}))
        start = file.tell()
        for number, cells in rows:
            first = digest_of(headers, cells, 0)
            before = repeats[first]
            if first:
                repeats[first] += 1
            file.write(as_line([number, cells, digest_of(headers, cells, before) if before else first]))
            total += 1
    if not total:
        raise Invalid("This table has names of columns, but no rows below them.")
    return Written(target, headers, total, start)


def written(path: Path, total: int) -> Written:
    """The table that write_down() wrote before."""
    with path.open("rb") as file:
        names = json.loads(file.readline())
        headers = Headers(tuple(names["columns"]), tuple(names["names"]))
        return Written(path, headers, total, file.tell())


def as_line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
