"""The designs of the seed, and who likes them."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from designs.api.serializers import DESCRIPTION_LENGTH
from designs.fields import COLUMNS as OWN_COLUMNS
from designs.fields import FACET_FIELDS, Status, folded_text
from designs.models import Design, Favourite
from operations.seed.report import LeftOut, quoted
from operations.seed.rows import Reader
from operations.seed.source import Row
from operations.seed.values import text_of

DESIGNS, FAVOURITES = "designs", "user_favorites"
NEEDED = ("id", "title", "r2_object_key")
COUNTS = ("view_count", "like_count")
COLUMNS = (*NEEDED, "description", *FACET_FIELDS, "featured", "status", *COUNTS, "created_at", "updated_at")
FAVOURITE_NEEDED = ("user_id", "design_id")
FAVOURITE_COLUMNS = ("id", *FAVOURITE_NEEDED, "created_at")
CACHE = 32_000  # kilobytes of the file of pairs in memory
UNTITLED, UNCATEGORISED = "Untitled", "Other"
# What services of that kind call them, besides their names here.
STATUSES = {status.value: status for status in Status} | {
    "": Status.PUBLISHED,
    "active": Status.PUBLISHED,
    "public": Status.PUBLISHED,
    "inactive": Status.ARCHIVED,
    "hidden": Status.ARCHIVED,
}

# What becomes of the picture with that key of the seed's: its key here, and a note if it is another one or none.
Shown = Callable[[str], tuple[str, str]]


class Designs:
    """Makes the designs; `shown` says what becomes of their pictures, the empty key for one that cannot be shown."""

    def __init__(self, shown: Shown, now: datetime) -> None:
        self.shown, self.now = shown, now
        self.taken: set[int] = set()
        self.likes: dict[int, int] = {}  # as the seed counts them

    def design(self, row: Row, changes: list[str]) -> Design:
        """The unsaved design; without a picture, where it has none that can be shown. Raises LeftOut."""
        read = Reader(row, changes, self.now)
        key = read.key()
        if key in self.taken:
            raise LeftOut("this id is there twice.")
        created, updated = read.dates()
        status = self.status(read)
        picture, note = self.shown(text_of(row["r2_object_key"]))
        if note:
            changes.append(note)
        if not picture and status == Status.PUBLISHED:
            status = Status.DRAFT
            changes.append("It becomes a draft with a stand-in.")
        texts = {name: read.text(name, OWN_COLUMNS[name].max_length) for name in ("title", *FACET_FIELDS)}
        for name, value in (("title", UNTITLED), ("category", UNCATEGORISED)):
            if not texts[name]:
                texts[name] = value
                changes.append(f"{name} is empty, and becomes {quoted(value)}.")
        texts["description"] = read.text("description", DESCRIPTION_LENGTH)
        design = Design(
            pk=key,
            image_id=picture,
            **texts,
            folded=folded_text(texts),
            featured=read.flag("featured"),
            status=status,
            view_count=read.count("view_count"),
            created_at=created,
            updated_at=updated,
        )
        if status == Status.DELETED:
            design.trashed_status, design.deleted_at = Status.DRAFT, self.now
        self.likes[key] = read.count("like_count")
        self.taken.add(key)
        return design

    def status(self, read: Reader) -> Status:
        word = read.text("status").lower()
        if word in STATUSES:
            return STATUSES[word]
        read.changes.append(f"the status {quoted(word)} is unknown here, so it becomes a draft.")
        return Status.DRAFT


class Pairs:
    """Who likes which design, to find what is there twice. In a file that SQLite deletes: millions fill the memory."""

    def __init__(self) -> None:
        self.file = sqlite3.connect("", isolation_level=None)
        self.file.execute(f"PRAGMA cache_size = -{CACHE}")
        self.file.execute("CREATE TABLE pairs (id INTEGER PRIMARY KEY, user, design, UNIQUE (user, design))")
        self.file.execute("BEGIN")

    def add(self, key: int, user: int, design: int) -> bool:
        """Note a favourite; return whether neither its id nor its pair was there."""
        done = self.file.execute("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?)", (key, user, design))
        return done.rowcount == 1


class Favourites:
    """Makes the favourites of the users and designs that were taken."""

    def __init__(self, users: set[int], designs: set[int], now: datetime) -> None:
        self.users, self.designs, self.now = users, designs, now
        self.taken = Pairs()
        self.likes: Counter[int] = Counter()

    def favourite(self, rowid: int, row: Row, changes: list[str]) -> Favourite:
        """The unsaved favourite. Raises LeftOut."""
        read = Reader({"id": rowid, **row}, changes, self.now)
        key = read.key()
        user, design = read.reference("user_id", "its user_id"), read.reference("design_id", "its design_id")
        if user not in self.users:
            raise LeftOut(f"the user {user} is not taken, or not there.")
        if design not in self.designs:
            raise LeftOut(f"the design {design} is not taken, or not there.")
        if not self.taken.add(key, user, design):
            raise LeftOut(f"the user {user} likes the design {design} already.")
        created = read.moment("created_at")
        if created is None:
            created = self.now
            changes.append(f"created_at is empty, and becomes {created:%Y-%m-%d %H:%M:%S}.")
        self.likes[design] += 1
        return Favourite(pk=key, user_id=user, design_id=design, created_at=created)
