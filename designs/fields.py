"""The columns of a design. Whatever lists the fields of a design elsewhere is derived from here.

A new facet field is one more FacetField below, a migration, and its line in docs/api.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.utils import timezone

from designs.search.tokens import folded_words
from uploads.models import Image

# SQLite's NOCASE makes equality, order and grouping ignore ASCII case, also in an index.
NOCASE = "NOCASE"
MOST_PICTURES = 8
ALT_LENGTH = 300  # characters
# Values of a design by the name of their field, as the API or the model names it.
Values = dict[str, Any]


class Status(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    DELETED = "deleted"  # in the trash


# Nobody sets DELETED: a deletion does.
SETTABLE_STATUSES = [choice for choice in Status.choices if choice[0] != Status.DELETED]
LIVE = ~models.Q(status=Status.DELETED)  # the designs outside the trash
LIVE_STATUSES = tuple(status for status in Status if status != Status.DELETED)


class FacetField(models.CharField):
    """A text column that lists filter by, facets count and searches find; empty where the value is unknown.

    `likeness` is the weight of an equal value when designs are compared (selectors.designs_similar_to).
    Migrations show it as the CharField that it is in the database, so they import nothing of this app.
    """

    def __init__(
        self, *, likeness: int = 0, max_length: int = 100, db_collation: str = NOCASE, **options: Any
    ) -> None:
        self.likeness = likeness
        super().__init__(max_length=max_length, db_collation=db_collation, **options)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


class FoldedField(models.TextField):
    """What the full-text index needs beside the texts themselves (folded_text), derived whenever a row is written.

    What updates rows without their models must write it, too (designs.versioning).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"blank": True, "default": "", "editable": False, **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = folded_text(vars(model_instance))
        setattr(model_instance, self.attname, folded)
        return folded

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options


def folded_text(values: Mapping[str, Any]) -> str:
    """The words of the searched fields in the form in which searches compare, where the index makes another of them."""
    return folded_words(values[name] for name in SEARCH_WEIGHTS)


class DesignFields(models.Model):
    """The columns, in the order in which forms, files and the API show them."""

    title = models.CharField(max_length=200, db_collation=NOCASE)
    description = models.TextField(blank=True, default="")
    image = models.ForeignKey(
        Image,
        to_field="object_key",
        db_column="r2_object_key",
        on_delete=models.PROTECT,
        related_name="designs",
    )
    # Its alternative text. The pictures after it are rows of design_images.
    image_alt = models.CharField(max_length=ALT_LENGTH, blank=True, default="", editable=False)
    category = FacetField(max_length=50, likeness=8)
    style = FacetField(blank=True, default="", likeness=6)
    colour = FacetField(blank=True, default="", likeness=3)
    fabric = FacetField(blank=True, default="", likeness=5)
    occasion = FacetField(blank=True, default="", likeness=3)
    season = FacetField(blank=True, default="", likeness=1)
    designer_name = FacetField(blank=True, default="", likeness=2)
    collection_name = FacetField(blank=True, default="", likeness=4)
    featured = models.BooleanField(default=False)
    featured_place = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="The place among featured designs, 1 first. Those without a place follow, newest first.",
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    view_count = models.PositiveBigIntegerField(default=0, editable=False)
    like_count = models.PositiveBigIntegerField(default=0, editable=False)
    # A default, not auto_now_add: an import brings its own dates.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    # Grows by one with each edit, deletion and restore, which the line of the audit trail carries too.
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    trashed_status = models.CharField(max_length=10, blank=True, default="", editable=False)
    folded = FoldedField()

    class Meta:
        abstract = True


COLUMNS = {str(field.column): field for field in DesignFields._meta.fields}
# Fields that the console alone shows and sets.
STAFF_ONLY = ("featured_place",)
# The API names a field after its column: the model's `image` is r2_object_key there.
EDITABLE = tuple(name for name, field in COLUMNS.items() if field.editable and name not in STAFF_ONLY)
FACETS = tuple(field for field in COLUMNS.values() if isinstance(field, FacetField))
FACET_FIELDS = tuple(field.name for field in FACETS)
# The audit trail shows the pictures, the cover among them, as one value.
AUDITED = tuple("image_keys" if column == "r2_object_key" else column for column in EDITABLE)
# Fields that change whenever somebody looks at a design or likes it.
COUNTERS = ("view_count", "like_count")
# The weight of a word found in each searched column: a word of the title counts most, one of a sentence least.
SEARCH_WEIGHTS = {"title": 10.0, "description": 1.0} | dict.fromkeys(FACET_FIELDS, 3.0)
# The columns of the full-text index. Which field a folded word is of, the index cannot tell.
INDEX_WEIGHTS = SEARCH_WEIGHTS | {"folded": 3.0}
