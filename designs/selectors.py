"""Reads of single designs. Lists and pages are read through designs.catalogue."""

from collections.abc import Mapping

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.db.models.expressions import Combinable

from accounts.models import User
from core import replica
from core.errors import NotFound
from d1backend import gather
from designs.fields import FACETS, LIVE, Status
from designs.models import Design, DesignImage, Favourite

NO_SUCH_DESIGN = "There is no such design."


def designs_visible_to(user: User | None) -> QuerySet[Design]:
    """The designs that a user (None: not signed in) may see: admins all, others the published ones."""
    if user is not None and user.is_admin:
        return Design.objects.all()
    return Design.objects.filter(status=Status.PUBLISHED)


def design_get_for_change(user: User, design_id: int, *, in_trash: bool = False) -> Design:
    """A design with its pictures and the user's `is_favorite`, also when another host has only just stored it.

    Raises NotFound if there is none that the user may see, or unless `in_trash` if it is in the trash.
    """
    likes = Favourite.objects.filter(user_id=user.pk, design_id=OuterRef("pk"))
    found = designs_visible_to(user).filter(pk=design_id).select_related("image")
    if not in_trash:
        found = found.filter(LIVE)
    further = DesignImage.objects.filter(design=design_id).select_related("image")

    def ask() -> Design | None:
        designs, pictures = gather(found.annotate(is_favorite=Exists(likes)), further.all())
        for design in designs:
            design.further = pictures
        return next(iter(designs), None)

    design = replica.or_exactly(ask)
    if design is None:
        raise NotFound(NO_SUCH_DESIGN)
    return design


def designs_similar_to(design_id: int, values: Mapping[str, str]) -> QuerySet[Design]:
    """The other published designs, those first that are nearest to these values of facet fields, then newer ones."""
    likeness: Combinable = Value(0)
    for facet in FACETS:
        if value := values[facet.name]:
            equal = When(**{facet.name: value}, then=Value(facet.likeness))
            likeness = likeness + Case(equal, default=Value(0), output_field=IntegerField())
    others = Design.objects.filter(status=Status.PUBLISHED).exclude(pk=design_id)
    return others.alias(likeness=likeness).order_by("-likeness", "-id")
