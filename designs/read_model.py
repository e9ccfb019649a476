"""Designs as a page shows them, read without making models: that was most of a page's cost."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from django.db import router

from core import sql
from designs.models import Design


class ImageRow(NamedTuple):
    width: int
    height: int
    dominant_colour: str
    thumbhash: str
    renditions: list[dict[str, Any]]


class DesignRow(NamedTuple):
    """What designs.api.serializers shows of a Design, by the same names; times are texts of ISO 8601."""

    pk: int
    title: str
    description: str
    image_id: str
    category: str
    style: str
    colour: str
    fabric: str
    occasion: str
    featured: bool
    status: str
    view_count: int
    like_count: int
    designer_name: str
    collection_name: str
    season: str
    created_at: str
    updated_at: str
    is_favorite: bool
    image: ImageRow


# "+": an expression has no declared type, for which the driver would call a converter of Python's.
ROWS = """
    SELECT d.id, d.title, d.description, d.r2_object_key, d.category, d.style, d.colour, d.fabric, d.occasion,
        +d.featured, d.status, d.view_count, d.like_count, d.designer_name, d.collection_name, d.season,
        replace(d.created_at, ' ', 'T') || 'Z', replace(d.updated_at, ' ', 'T') || 'Z',
        EXISTS (SELECT 1 FROM user_favorites AS f WHERE f.user_id = %s AND f.design_id = d.id),
        i.width, i.height, i.dominant_colour, i.thumbhash, i.renditions
    FROM designs AS d JOIN images AS i ON i.object_key = d.r2_object_key
    WHERE d.id IN (SELECT value FROM json_each(%s))
"""


LIVE = """
    SELECT d.id, d.view_count, d.like_count,
        EXISTS (SELECT 1 FROM user_favorites AS f WHERE f.user_id = %s AND f.design_id = d.id)
    FROM designs AS d WHERE d.id IN (SELECT value FROM json_each(%s))
"""


def live_columns(user: Any, ids: Iterable[int]) -> list[tuple[int, int, int, int]]:
    """`(id, view_count, like_count, whether the user likes it)` of those of the designs that there are, in their
    order."""
    wanted = list(ids)
    found = {row[0]: row for row in by_id(LIVE, user, wanted)}
    return [found[one] for one in wanted if one in found]


def design_rows(user: Any, ids: Iterable[int]) -> list[DesignRow]:
    """Those of the designs that there are, in their order, with `is_favorite` of the user (None: nobody)."""
    wanted = list(ids)
    found = {row[0]: row for row in by_id(ROWS, user, wanted)}
    return [design_row(found[one]) for one in wanted if one in found]


def by_id(statement: str, user: Any, ids: list[int]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    return sql.rows(statement, [user.pk if user else None, json.dumps(ids)], router.db_for_read(Design))


def design_row(row: tuple[Any, ...]) -> DesignRow:
    image = ImageRow._make((*row[19:23], orjson.loads(row[23])))
    return DesignRow._make((*row[:9], row[9] == 1, *row[10:18], row[18] == 1, image))
