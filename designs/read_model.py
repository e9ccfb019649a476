"""Designs as the API shows them, read by plain SQL: making models was most of the cost of a page."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import models, router
from django.db.models import QuerySet

from accounts.models import User
from core import sql
from designs.fields import COLUMNS, COUNTERS, EDITABLE, Values
from designs.models import Design
from uploads.pipeline.renditions import renditions_as_json

# The caller; None if they have not signed in.
Reader = User | None

SHOWN = ("id", *EDITABLE, *COUNTERS, "created_at", "updated_at", "version")
NAMES = (*SHOWN, "is_favorite")
FLAGS = tuple(
    name for name in NAMES if name == "is_favorite" or isinstance(COLUMNS.get(name), models.BooleanField)
)
# What depends on the moment and on the reader; the rest of a design holds for as long as the catalogue's `listing`.
VOLATILE_FIELDS = (*COUNTERS, "is_favorite")

# Which designs, and in which order: those of a JSON list of ids, or those that a query of ids finds.
PAGE_OF_IDS = "WITH page (id, place) AS (SELECT value, key FROM json_each(%s))"
# SQLite numbers the rows as the subquery returns them.
PAGE_OF_QUERY = "WITH ids (id) AS ({}), page AS (SELECT id, row_number() OVER () AS place FROM ids)"
IS_FAVORITE = "EXISTS (SELECT 1 FROM user_favorites AS f WHERE f.user_id = %s AND f.design_id = d.id)"
VOLATILE = f"""
    SELECT d.id, d.view_count, d.like_count, {IS_FAVORITE}
    FROM page JOIN designs AS d ON d.id = page.id
    ORDER BY page.place
"""


def column_sql(name: str) -> str:
    """A column as it becomes JSON. An expression has no declared type, for which the driver would convert it."""
    field = COLUMNS.get(name)
    if isinstance(field, models.BooleanField):
        return f"+d.{name}"
    if isinstance(field, models.DateTimeField):
        return f"replace(d.{name}, ' ', 'T') || 'Z'"
    return f"d.{name}"


# The pictures after the cover, as JSON; few designs have any.
FURTHER = """
    (SELECT json_group_array(json_array(x.place, x.r2_object_key, x.alt,
        j.width, j.height, j.dominant_colour, j.thumbhash, json(j.renditions)))
    FROM design_images AS x JOIN images AS j ON j.object_key = x.r2_object_key WHERE x.design_id = d.id)
"""
IMAGE_COLUMNS = ("width", "height", "dominant_colour", "thumbhash", "renditions")
DESIGNS = f"""
    SELECT {", ".join(map(column_sql, SHOWN))}, {IS_FAVORITE}, d.image_alt,
        {", ".join(f"i.{name}" for name in IMAGE_COLUMNS)}, {FURTHER}
    FROM page JOIN designs AS d ON d.id = page.id JOIN images AS i ON i.object_key = d.r2_object_key
    ORDER BY page.place
"""


def read_designs(user: Reader, ids: Sequence[int], base: str) -> list[Values]:
    """The designs of these ids that exist, in that order; `base` precedes the key in the URL of an image."""
    return [design_of_row(row, base) for row in rows_of_ids(DESIGNS, user, ids)]


def read_designs_of(user: Reader, ids: "QuerySet[Design, int]", base: str) -> list[Values]:
    """The designs whose ids a query finds, in its order."""
    alias = router.db_for_read(Design, values_only=True)
    subquery, parameters = ids.query.get_compiler(alias).as_sql()
    rows = sql.rows(
        f"{PAGE_OF_QUERY.format(subquery)} {DESIGNS}", [*parameters, user.pk if user else None], alias
    )
    return [design_of_row(row, base) for row in rows]


def read_volatile(user: Reader, ids: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """`(id, view_count, like_count, is_favorite)` of the designs of these ids that exist, in that order."""
    return [(row[0], row[1], row[2], row[3]) for row in rows_of_ids(VOLATILE, user, ids)]


def rows_of_ids(statement: str, user: Reader, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    parameters = [json.dumps(list(ids)), user.pk if user else None]
    return sql.rows(f"{PAGE_OF_IDS} {statement}", parameters, router.db_for_read(Design, values_only=True))


def design_of_row(row: Sequence[Any], base: str) -> Values:
    values: Values = dict(zip(NAMES, row, strict=False))  # the columns of the pictures come after these
    for name in FLAGS:
        values[name] = values[name] == 1
    alt, *columns, renditions, further = row[len(NAMES) :]
    cover = (values["r2_object_key"], alt, *columns, orjson.loads(renditions))
    rest = [] if further == "[]" else [picture for _, *picture in sorted(orjson.loads(further))]
    return with_pictures(values, [cover, *rest], base)


def with_pictures(values: Values, pictures: Sequence[Sequence[Any]], base: str) -> Values:
    """A design's values and its pictures, the cover first: key, alternative text and the columns of the image."""
    values["image_url"] = base + values["r2_object_key"]
    images = [(key, alt, image_as_json(image, base)) for key, alt, *image in pictures]
    values["image"] = images[0][2]
    values["images"] = [
        {"object_key": key, "url": base + key, "alt": alt, **image} for key, alt, image in images
    ]
    return values


def image_as_json(image: Sequence[Any], base: str) -> Values:
    """An image, of which the IMAGE_COLUMNS are given."""
    width, height, dominant_colour, thumbhash, renditions = image
    return {
        "width": width,
        "height": height,
        "dominant_colour": dominant_colour,
        "thumbhash": thumbhash,
        "renditions": renditions_as_json(renditions, base),
    }
