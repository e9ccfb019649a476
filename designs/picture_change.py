"""The change of a design's pictures by one write, whatever others do to them at the same time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import IntegrityError, connection

from core import replica
from core.errors import Invalid, invalid_field
from designs.fields import Values
from designs.models import Design, DesignImage
from designs.pictures import Picture, with_cover
from uploads.models import Category, Image

FIELDS = ("image_keys", "r2_object_key")
# The two write the rows that differ and no others, because D1 bills each. The list is JSON: place, key, alt.
DELETE_OTHERS = """
    DELETE FROM design_images WHERE design_id = %s AND (place, r2_object_key, alt) NOT IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(%s)
    )
"""
INSERT_MISSING = """
    INSERT INTO design_images (design_id, place, r2_object_key, alt)
    SELECT %s, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(%s)
    WHERE json_extract(value, '$[0]') NOT IN (SELECT place FROM design_images WHERE design_id = %s)
"""


@dataclass(frozen=True)
class PictureChange:
    """All pictures that a design gets, and their images by key; without any its pictures stay.

    `before` is what it shows before the change, so far as the change depends on that: nothing if the design is new,
    None if it shows these pictures whatever it showed. `named` is the field that errors name.
    """

    named: str
    pictures: Sequence[Picture] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    before: Sequence[Picture] | None = None

    @classmethod
    def of(cls, fields: Values, design: Design | None = None) -> "PictureChange":
        """The change by the fields of a request. Raises Invalid if a key is not that of a stored image of designs."""
        named = next((name for name in FIELDS if name in fields), "")
        if not named:
            return cls("")
        if design is not None:
            _ = design.pictures  # read now, because D1 would be asked within the transaction
        before: Sequence[Picture] | None = []
        if named == "image_keys":
            pictures = [Picture.of(sent) for sent in fields["image_keys"]]
            before = None if design else []
        else:
            before = design.pictures if design else []
            pictures = with_cover(before, fields["r2_object_key"])
        return cls(named, pictures, stored_images([key for key, _ in pictures], named), before)

    @property
    def audited(self) -> Values:
        return {"image_keys": [picture.sent for picture in self.pictures]} if self.pictures else {}

    @property
    def columns(self) -> Values:
        """The cover, as columns of the model."""
        if not self.pictures:
            return {}
        cover = self.pictures[0]
        return {"image": self.images[cover.object_key], "image_alt": cover.alt}

    def fits(self, design: Design) -> bool:
        """Return whether the design has what the change depends on."""
        return not self.before or [*self.before] == design.pictures

    def store(self, design: Design) -> None:
        """Store the pictures after the cover, in the transaction that stores the cover."""
        rest = self.pictures[1:]
        if self.pictures and (self.before is None or [*self.before[1:]] != [*rest]):
            rows = [[place, *picture] for place, picture in enumerate(rest, start=1)]
            with connection.cursor() as cursor:
                cursor.execute(DELETE_OTHERS, [design.pk, json.dumps(rows)])
                cursor.execute(INSERT_MISSING, [design.pk, json.dumps(rows), design.pk])
        if self.pictures:
            design.further = [
                DesignImage(design=design, place=place, image=self.images[key], alt=alt)
                for place, (key, alt) in enumerate(rest, start=1)
            ]

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Raise Invalid if a foreign key fails: it is that of an image, which was deleted since `of` found it.

        Put it around the transaction, because foreign keys are checked at the commit. Any other IntegrityError passes:
        an import names the id of a new design, which another write may have taken.
        """
        try:
            yield
        except IntegrityError as error:
            if "foreign key" not in str(error).lower():
                raise
            raise no_such_image(self.named) from error


NO_PICTURES = PictureChange("")


def stored_images(keys: Sequence[str], named: str) -> Mapping[str, Image]:
    """The images of designs with these keys. Raises Invalid on the field `named` if one is missing."""

    def ask() -> dict[str, Image]:
        images = Image.objects.filter(object_key__in=keys, category=Category.DESIGNS)
        found = {image.object_key: image for image in images}
        return found if len(found) == len(keys) else {}

    found = replica.or_exactly(ask)
    if not found:
        raise no_such_image(named)
    return found


def no_such_image(named: str) -> Invalid:
    what = "One of these is" if named == "image_keys" else "This is"
    return invalid_field(named, f"{what} not the key of a stored image of designs.")
