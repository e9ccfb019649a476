"""Which designs are on a page, as far as possible from memory."""

from array import array
from collections.abc import Sequence

from designs import catalogue, selectors
from designs.catalogue import Stamp
from designs.queries import Liked, Sort, Wanted
from designs.read_model import DesignRow

# From this row on a page comes out of the remembered order of the whole list: passing over rows costs their number.
DEEP = 400


def page(stamp: Stamp, query: Wanted | Liked, start: int, stop: int) -> tuple[int, Sequence[int]]:
    """How many designs are found, and the ids of those from `start` to before `stop`."""
    if query.sort is Sort.MOST_VIEWED:
        return total(stamp.listing, query), ids(query, start, stop)
    # Likes make and order these lists.
    word = stamp.content if query.sort is Sort.POPULAR or isinstance(query, Liked) else stamp.listing
    if isinstance(query, Wanted) and (query.words or (start >= DEEP and word is stamp.listing)):
        order = catalogue.orders.answer(word, query, lambda: ids(query))
        return len(order), order[start:stop]
    part = catalogue.small.answer(word, (query, start, stop), lambda: ids(query, start, stop))
    return total(word, query), part


def total(word: str, query: Wanted | Liked) -> int:
    """How many designs are found, whatever their order."""
    return catalogue.small.answer(word, query.unsorted, lambda: query.designs().count())


def ids(query: Wanted | Liked, start: int = 0, stop: int | None = None) -> Sequence[int]:
    return array("q", query.ordered().values_list("pk", flat=True)[start:stop])


def similar(stamp: Stamp, to: DesignRow, limit: int) -> list[int]:
    """The ids of up to `limit` published designs nearest to that one."""
    nearest = selectors.similar(to).values_list("pk", flat=True)[:limit]
    return catalogue.small.answer(stamp.listing, ("similar", to.pk, limit), lambda: list(nearest))
