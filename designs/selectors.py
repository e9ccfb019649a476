"""Reads of the catalogue. A page costs one statement for its count and one for its rows."""

from dataclasses import replace
from typing import Any

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When

from core import replica
from core.errors import NotFound
from designs.models import FACET_FIELDS, Design, Favourite, Status
from designs.queries import Liked, Wanted
from designs.read_model import DesignRow

NO_SUCH_DESIGN = "There is no such design."
# How much each attribute says of two designs being alike.
LIKENESS = {
    "category": 8,
    "style": 6,
    "fabric": 5,
    "collection_name": 4,
    "colour": 3,
    "occasion": 3,
    "designer_name": 2,
    "season": 1,
}


def visible_to(user: Any) -> QuerySet[Design]:
    """The designs that a user (None: nobody signed in) may see: admins all, others the published."""
    if user is not None and user.is_admin:
        return Design.objects.all()
    return Design.objects.filter(status=Status.PUBLISHED)


def shown_to(user: Any, designs: QuerySet[Design]) -> QuerySet[Design]:
    """`designs` with their images, and `is_favorite` of the user."""
    if user is None:
        return designs.select_related("image").annotate(is_favorite=Value(False))
    likes = Favourite.objects.filter(user_id=user.pk, design_id=OuterRef("pk"))
    return designs.select_related("image").annotate(is_favorite=Exists(likes))


def permitted(user: Any, wanted: Wanted) -> Wanted:
    """What the user may see of what he asks for."""
    if user is not None and user.is_admin:
        return wanted
    return replace(wanted, statuses=(Status.PUBLISHED,))


def featured() -> Wanted:
    """Featured, published designs, newest first."""
    return Wanted(featured=True, statuses=(Status.PUBLISHED,))


def favourites_of(user: Any) -> Liked:
    """What the user likes and may see, the newest favourite first."""
    return Liked(user.pk, () if user.is_admin else (Status.PUBLISHED,))


def page_rows(user: Any, designs: QuerySet[Design], start: int, stop: int) -> list[Design]:
    """The rows `start` to `stop` of an ordered queryset, as `shown_to` the user."""
    order = designs.query.order_by
    if any("__" in str(column) for column in order):
        return list(shown_to(user, designs)[start:stop])
    # The rows before the page are passed over in an index; only its own are read whole.
    page = Design.objects.filter(pk__in=designs.values("pk")[start:stop])
    return list(shown_to(user, page).order_by(*order))


def design(user: Any, design_id: int) -> Design:
    """One design as `shown_to` the user. Raises NotFound where there is none that he may see."""
    found = shown_to(user, visible_to(user).filter(pk=design_id)).first()
    if found is None:
        raise NotFound(NO_SUCH_DESIGN)
    return found


def design_to_change(user: Any, design_id: int) -> Design:
    """As `design`; one that another host has only just stored is found too."""
    found = shown_to(user, visible_to(user).filter(pk=design_id))
    stored = replica.or_exactly(found.first)
    if stored is None:
        raise NotFound(NO_SUCH_DESIGN)
    return stored


def similar(to: Design | DesignRow) -> QuerySet[Design]:
    """The other published designs, the nearest to `to` in attributes first, newer before older."""
    likeness: Any = Value(0)
    for name in FACET_FIELDS:
        value = getattr(to, name)
        if value:
            same = When(**{name: value}, then=Value(LIKENESS[name]))
            likeness = likeness + Case(same, default=Value(0), output_field=IntegerField())
    others = Design.objects.filter(status=Status.PUBLISHED).exclude(pk=to.pk)
    return others.order_by(likeness.desc(), "-id")


def like_count(user: Any, design_id: int) -> int:
    """How many like a design. Raises NotFound where the user may not see it."""
    count = visible_to(user).filter(pk=design_id).values_list("like_count", flat=True).first()
    if count is None:
        raise NotFound(NO_SUCH_DESIGN)
    return count
