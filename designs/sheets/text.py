"""Tables as text: CSV with any usual separator, in any encoding that Excel writes."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from charset_normalizer import from_bytes

from core.errors import Invalid
from designs.sheets.headers import column_of

# A row as a spreadsheet counts it (the first is 1), and its cells.
Line = tuple[int, list[str]]

CELL_SIZE = 1_000_000  # characters
LINE_SIZE = 4_000_000  # characters
SAMPLE = 256 * 1024  # bytes
SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(
    r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE
)  # Excel's own hint, which it does not show
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Those that Excel writes in the countries of Europe and on older Macs, by what people call them.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows, Western Europe (1252)",
    "cp1250": "Windows, Central Europe (1250)",
    "cp1251": "Windows, Cyrillic (1251)",
    "cp1253": "Windows, Greek (1253)",
    "cp1254": "Windows, Turkish (1254)",
    "cp1257": "Windows, Baltic (1257)",
    "mac_roman": "Macintosh",
}
GUESSED = [name for name in ENCODINGS if not name.startswith("utf")]
USUAL, MACINTOSH = "cp1252", "mac_roman"
CLOSE = 0.05  # of charset-normalizer's measure of disorder, within which the usual one is the better guess
NOT_TEXT = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


ColumnOf = Callable[[str], str | None]  # the column that a name stands for


def lines(path: Path, encoding: str = "", known: ColumnOf = column_of) -> Iterator[Line]:
    """Yield the rows of a file. Raises Invalid, also while it reads, if they are no table.

    `encoding` is one of ENCODINGS; without it, it is found. `known` tells names of columns from other texts.
    """
    encoding = encoding or encoding_of(path)
    csv.field_size_limit(CELL_SIZE)
    number = 0
    try:
        with path.open(encoding=encoding, newline="") as file:
            separator = separator_of(file, known)
            for number, cells in enumerate(csv.reader(bounded(file), delimiter=separator, strict=True), 1):
                yield number, cells
    except csv.Error as error:
        raise Invalid(
            f"Row {number + 1}: a quotation mark is open to the end, or stands within a cell without being doubled. "
            "Open the file in Excel and save it again."
        ) from error
    except UnicodeError as error:
        raise Invalid(
            f"After row {number} the text cannot be read as {ENCODINGS.get(encoding, encoding)}. "
            "In Excel, save it as “CSV UTF-8”."
        ) from error


def bounded(file: TextIO) -> Iterator[str]:
    """The lines of a file, none of which takes more than LINE_SIZE of memory."""
    while line := file.readline(LINE_SIZE):
        if len(line) == LINE_SIZE:
            raise Invalid(f"This is no table: a line of it has more than {LINE_SIZE:,} characters.")
        yield line


def encoding_of(path: Path) -> str:
    """The encoding of a file. Raises Invalid for what is not text."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        return encoding_by_zeros(sample)
    if NOT_TEXT.search(sample):
        raise Invalid("This is not a table. Choose an Excel workbook (.xlsx) or a CSV file.")
    if is_utf8(path):
        return "utf-8-sig"
    return guessed(part_beyond_ascii(path))


def encoding_by_zeros(sample: bytes) -> str:
    """UTF-16 without its mark has a zero beside each Latin letter and each separator."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 10 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    raise Invalid("This is not a table. Choose an Excel workbook (.xlsx) or a CSV file.")


def is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while part := file.read(SAMPLE):
                decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def part_beyond_ascii(path: Path) -> bytes:
    """The lines with letters beyond ASCII, up to SAMPLE bytes of them: the others say nothing."""
    found: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        while size < SAMPLE and (line := file.readline(SAMPLE)):
            if not line.isascii():
                found.append(line)
                size += len(line)
    return b"".join(found)


def guessed(sample: bytes) -> str:
    """The encoding that a sample without the marks of Unicode has most likely. Raises Invalid for damaged UTF-8."""
    letters = sum(len(letter) for letter in UTF8_LETTER.findall(sample))
    if 2 * letters > sum(byte > 0x7F for byte in sample):
        raise Invalid("Some letters of this file are damaged. In Excel, save it as “CSV UTF-8”.")
    if b"\n" not in sample:
        return MACINTOSH
    # Windows ends its lines with both signs.
    possible = [name for name in GUESSED if name != MACINTOSH or b"\r\n" not in sample]
    matches = list(from_bytes(sample, cp_isolation=possible))
    for match in matches:
        is_usual = USUAL in (match.encoding, *match.could_be_from_charset)
        if is_usual and match.chaos <= matches[0].chaos + CLOSE:
            return USUAL
    return matches[0].encoding if matches else USUAL


def separator_of(file: TextIO, known: ColumnOf) -> str:
    """The separator, by the row that names the columns. Leaves the file at its first row."""
    first = file.readline(LINE_SIZE)
    if hint := SEPARATOR_LINE.fullmatch(first):
        return hint[1]
    file.seek(0)
    head = [line for _, line in zip(range(50), bounded(file), strict=False)]
    file.seek(0)

    def fitness(separator: str) -> tuple[int, int]:
        names = sum(known(cell) is not None for cell in first_cells(head, separator))
        return names, sum(line.count(separator) for line in head)

    return max(SEPARATORS, key=fitness)


def first_cells(head: list[str], separator: str) -> list[str]:
    """The cells of the first row that has any text."""
    try:
        rows = csv.reader(head, delimiter=separator)
        return next((cells for cells in rows if any(cell.strip() for cell in cells)), [])
    except csv.Error:
        return []
