"""The keys of objects in the store.

The key of an image is `{category}/{yyyy}/{mm}/{timestamp}_{uuid}.{ext}`, those of its renditions
`…_{uuid}_w{width}_{digest}.webp`. The digest is that of the rendition's bytes: different bytes have a different key,
so every object can be cached for ever.
"""

import hashlib
import re
import uuid

from django.utils import timezone

# Of what is stored, and of what is accepted: HEIC and AVIF are stored as JPEG.
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
SPELLINGS = {"image/jpg": "image/jpeg"}
ACCEPTED = {**EXTENSIONS, "image/heic": "jpg", "image/heif": "jpg", "image/avif": "jpg"}

UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
STEM = rf"(?P<category>designs|avatars|temp)/[0-9]{{4}}/[0-9]{{2}}/[0-9]{{10,12}}_{UUID4}"
ORIGINAL = re.compile(rf"(?P<stem>{STEM})\.(?P<extension>jpg|png|webp)", re.ASCII)
OBJECT = re.compile(
    rf"(?P<stem>{STEM})(?:_w[0-9]{{1,5}}_[0-9a-f]{{8}}\.(?P<rendition>webp)|\.(?P<extension>jpg|png|webp))",
    re.ASCII,
)


# Uploads of clients stay under this prefix until they are checked.
INCOMING = "incoming/"
# Files that the folder storage is still writing.
DRAFTS = ".drafts"
DRAFT = re.compile(rf"{re.escape(DRAFTS)}/[a-z0-9_]+", re.ASCII)


def new_key(category: str, content_type: str) -> str:
    """Return a new, unique key for an image that is sent with an accepted content type."""
    now = timezone.now()
    return f"{category}/{now:%Y/%m}/{int(now.timestamp())}_{uuid.uuid4()}.{ACCEPTED[content_type]}"


def rendition_key(key: str, width: int, data: bytes) -> str:
    """Return the key of the rendition `data` of the image under `key`."""
    stem = key.rpartition(".")[0]
    return f"{stem}_w{width}_{hashlib.sha256(data).hexdigest()[:8]}.webp"


def incoming_key(key: str) -> str:
    """Return the key of what a client uploads for `key`, until it is checked."""
    return INCOMING + key


def stem_of(key: str) -> str:
    """Return what the keys of an image, its renditions and its pending upload share; else the key itself."""
    found = OBJECT.fullmatch(key.removeprefix(INCOMING))
    return found["stem"] if found else key


def is_original(key: str) -> bool:
    """Whether `key` can be that of an image."""
    return ORIGINAL.fullmatch(key) is not None


def is_object(key: str) -> bool:
    """Whether `key` can be that of an image or of a rendition."""
    return OBJECT.fullmatch(key) is not None


def is_incoming(key: str) -> bool:
    """Whether `key` can be that of bytes a client sent."""
    return key.startswith(INCOMING) and is_original(key.removeprefix(INCOMING))


def is_draft(key: str) -> bool:
    """Whether `key` can be that of a file whose writing was interrupted."""
    return DRAFT.fullmatch(key) is not None


def is_own(key: str) -> bool:
    """Whether `key` can be that of anything the gallery puts into its store."""
    return is_object(key) or is_incoming(key) or is_draft(key)
