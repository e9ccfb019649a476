"""The pictures of the seed's designs: checked as uploads are, and stored with their renditions.

A picture keeps its key where it is one of this gallery, and its bytes are what an upload of them would store. Otherwise
it is stored anew under another key, and the old object stays.
"""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import storages
from django.db.models import Model
from django.utils import timezone
from PIL import Image as Pillow

from core.errors import GalleryError, Invalid, Unavailable
from operations.seed.report import quoted
from uploads import services
from uploads.keys import ACCEPTED, ORIGINAL, is_original, new_key
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared, prepare
from uploads.storage.base import UNREACHABLE, configured_store

AHEAD = 4  # pictures in memory for each process
STAND_IN_SIZE = (900, 1200)  # pixels
STAND_IN_COLOUR = "#d9d4cc"


class Adopted(NamedTuple):
    """What became of a picture: its key, the unsaved row unless there is one, and what is odd; no key if not shown."""

    key: str
    row: Image | None = None
    what: str = ""  # without the key of the seed's, so that many pictures share it


MISSING = Adopted("", what="is not in the store")


def key_of(text: str) -> str:
    """The key in the seed's column, which may hold the whole address of a picture."""
    try:
        path = urlsplit(text).path if text.startswith(("http://", "https://")) else text
    except ValueError:  # no address, and no key of an object either
        path = text
    return path.lstrip("/")


def note_of(key: str, found: Adopted) -> str:
    """The sentence about the picture with that key of the seed's; empty if nothing is odd."""
    if not found.what:
        return ""
    if not key:
        return "it has no picture."
    return f"its picture {quoted(key)} {found.what}{f': {found.key}' if found.key else ''}."


class Listed:
    """What a check says of pictures: whether their objects are there. Their bytes are looked at when they are taken."""

    def __init__(self) -> None:
        self.keys = {key for key, _ in configured_store().objects()}

    def __call__(self, text: str) -> tuple[str, str]:
        key = key_of(text)
        return (key, "") if key in self.keys else ("", note_of(key, MISSING))


class Pictures:
    """Takes pictures: `pool` prepares them. `known` are the keys that have their rows already.

    What is not `listed` is missing, as the check has said. No store is asked for a name that it cannot have.
    """

    def __init__(self, pool: Executor, workers: int, known: Iterable[str], listed: Listed) -> None:
        self.pool, self.workers, self.known, self.listed = pool, workers, set(known), listed
        self.adopted: dict[str, Adopted] = {}

    def __call__(self, text: str) -> tuple[str, str]:
        """As Listed, of a picture that `take` has taken."""
        key = key_of(text)
        found = self.adopted[key]
        return found.key, note_of(key, found)

    def take(self, texts: Iterable[str]) -> list[Image]:
        """Store the pictures with these keys; return the rows to save. Raises Unavailable."""
        keys = [key for key in dict.fromkeys(map(key_of, texts)) if key not in self.adopted]
        rows = []
        for key, adopted in self.prepared(keys):
            self.adopted[key] = adopted if adopted.row is None else adopted._replace(row=None)
            if adopted.row is not None:
                rows.append(adopted.row)
        return rows

    def prepared(self, keys: list[str]) -> Iterator[tuple[str, Adopted]]:
        waiting = iter(keys)
        while part := list(islice(waiting, self.workers * AHEAD)):
            working: list[tuple[str, bytes, Future[Prepared]]] = []
            for key in part:
                if key in self.known:
                    yield key, Adopted(key)
                elif key not in self.listed.keys or (data := read(key)) is None:
                    yield key, MISSING
                else:
                    working.append((key, data, self.pool.submit(prepare, data)))
            for key, data, future in working:
                yield key, stored(key, data, future.result)


def read(key: str) -> bytes | None:
    """The bytes of an object with any key, one more than an upload may have at most; None if there is none.

    Raises Unavailable.
    """
    try:
        if is_original(key):
            found = configured_store().get(key, settings.MAX_FILE_SIZE)
            return None if found is None else found.data or bytes(settings.MAX_FILE_SIZE + 1)
        with storages["default"].open(key) as file:
            data: bytes = file.read(settings.MAX_FILE_SIZE + 1)
            return data
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, SuspiciousOperation, ValueError):
        return None
    except (BotoCoreError, ClientError, OSError) as error:
        raise Unavailable(UNREACHABLE) from error


def stored(key: str, data: bytes, prepare_it: Callable[[], Prepared]) -> Adopted:
    """Store the picture of these bytes. Raises Unavailable."""
    try:
        prepared = prepare_it()
    except Unavailable:
        raise
    except GalleryError as error:
        return Adopted("", what=sys.intern(f"cannot be shown: {error.message.rstrip('.')}"))
    found = ORIGINAL.fullmatch(key)
    fits = found is not None and found["category"] == Category.DESIGNS
    is_same = found is not None and found["extension"] == ACCEPTED[prepared.content_type]
    if fits and is_same and prepared.data == data:
        services.store_objects(key, prepared, original=False)
        return Adopted(key, row_of(prepared, key))
    why = "without what an upload leaves out" if fits and is_same else "under a key of this gallery"
    new = new_key(Category.DESIGNS, prepared.content_type)
    services.store_objects(new, prepared)
    return Adopted(new, row_of(prepared, new), sys.intern(f"is stored anew {why}"))


def row_of(prepared: Prepared, key: str) -> Image:
    row = services.unsaved_image(None, prepared, Category.DESIGNS, key)
    row.created_at = timezone.now()
    return row


def stand_in() -> tuple[str, list[Model]]:
    """The key of the picture of designs whose own cannot be shown, and its row if it is new. Raises Unavailable."""
    prepared = prepare(plain_picture())
    same = Image.objects.filter(size=len(prepared.data), thumbhash=prepared.thumbhash, height=prepared.height)
    if (found := same.values_list("object_key", flat=True).first()) is not None:
        return found, []
    adopted = stored("", b"", lambda: prepared)
    if adopted.row is None:
        raise Invalid("The stand-in for missing pictures cannot be made.")
    return adopted.key, [adopted.row]


def plain_picture() -> bytes:
    """A picture of one colour, as a PNG."""
    out = io.BytesIO()
    Pillow.new("RGB", STAND_IN_SIZE, STAND_IN_COLOUR).save(out, "PNG")
    return out.getvalue()
