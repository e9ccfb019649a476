"""Designs as the items of answers: with a stamp of the catalogue from memory, without one from the database."""

from collections.abc import Sequence
from typing import Any

import orjson

from core.errors import NotFound
from d1backend import gather
from designs import catalogue, pages, selectors
from designs.api.serializers import as_json
from designs.catalogue import Stamp
from designs.models import Status
from designs.queries import Liked, Sort, Wanted
from designs.read_model import DesignRow, design_rows, live_columns

Items = Sequence[dict[str, Any] | orjson.Fragment]
# What an item says of its moment and its reader; all else in it stands for as long as the stamp's `listing`.
LIVE = ("view_count", "like_count", "is_favorite")


def page_items(
    user: Any, query: Wanted | Liked, start: int, stop: int, stamp: Stamp | None, base: str
) -> tuple[Items, int]:
    """The items from `start` to before `stop` of a list, and how many all of it has."""
    if stamp is None:
        designs = query.ordered()
        rows, total = gather(lambda: selectors.page_rows(user, designs, start, stop), designs.count)
        return [as_json(design, base) for design in rows], total
    total, ids = pages.page(stamp, query, start, stop)
    if query.sort is Sort.MOST_VIEWED:  # whose ETag is made of what they say
        return [as_json(design, base) for design in design_rows(user, ids)], total
    return fragments(user, ids, stamp, base), total


def similar_items(user: Any, design_id: int, limit: int, stamp: Stamp | None, base: str) -> Items:
    """Up to `limit` published designs nearest to that one in attributes. Raises as `design_item`."""
    if stamp is None:
        nearest = selectors.similar(selectors.design(user, design_id))
        return [as_json(design, base) for design in selectors.page_rows(user, nearest, 0, limit)]
    return fragments(user, pages.similar(stamp, visible_row(user, design_id), limit), stamp, base)


def design_item(user: Any, design_id: int, stamp: Stamp | None, base: str) -> dict[str, Any]:
    """One design. Raises NotFound where there is none that the user may see."""
    return as_json(selectors.design(user, design_id) if stamp is None else visible_row(user, design_id), base)


def visible_row(user: Any, design_id: int) -> DesignRow:
    rows = design_rows(user, [design_id])
    if not rows or not (rows[0].status == Status.PUBLISHED or (user and user.is_admin)):
        raise NotFound("There is no such design.")
    return rows[0]


def fragments(user: Any, ids: Sequence[int], stamp: Stamp, base: str) -> list[orjson.Fragment]:
    """Designs as JSON, of which only what is LIVE is read and written anew."""

    def lasting(questions: list[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        rows = design_rows(None, [design_id for _, design_id in questions])
        return {(base, design.pk): lasting_json(design, base) for design in rows}

    known = catalogue.designs.answers(stamp.listing, [(base, design_id) for design_id in ids], lasting)
    return [
        orjson.Fragment(
            b'%s,"view_count":%d,"like_count":%d,"is_favorite":%s}'
            % (known[base, design_id], views, likes, b"true" if is_favorite else b"false")
        )
        for design_id, views, likes, is_favorite in live_columns(user, ids)
        if (base, design_id) in known
    ]


def lasting_json(design: DesignRow, base: str) -> bytes:
    """A design's JSON without what is LIVE, and without its closing brace."""
    shown = as_json(design, base)
    return orjson.dumps({name: shown[name] for name in shown if name not in LIVE})[:-1]
