"""Designs, favourites, views by day, and the tables that triggers keep beside them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from designs.fields import ALT_LENGTH, FACET_FIELDS, NOCASE, DesignFields, Status
from designs.pictures import Picture, Sent
from designs.search.synonyms import Kind
from uploads.models import Image

PHRASE_LENGTH = 100  # characters of a phrase of searches
SOURCE_LENGTH = 300  # characters
KINDS = [
    (Kind.SAME.value, "The same as"),
    (Kind.MEANS.value, "Means"),
    (Kind.KEPT.value, "Never corrected"),
]


class Design(DesignFields):
    """A design of the catalogue. Triggers keep like_count, designs.counters keeps view_count."""

    class Meta:
        db_table = "designs"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="designs_of_all_statuses"),
            models.Index(fields=["status", "-created_at", "-id"], name="designs_newest"),
            models.Index(fields=["status", "-like_count", "-id"], name="designs_popular"),
            models.Index(fields=["status", "-view_count", "-id"], name="designs_most_viewed"),
            models.Index(fields=["status", "title", "id"], name="designs_title"),
            models.Index(fields=["status", "featured", "-created_at", "-id"], name="designs_featured"),
            *(
                models.Index(fields=["status", field, "-created_at", "-id"], name=f"designs_by_{field}")
                for field in FACET_FIELDS
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def r2_object_key(self) -> str:
        """The key of the cover, under its name in the API."""
        return self.image_id

    @cached_property
    def further(self) -> "list[DesignImage]":
        """The pictures after the cover, in their order."""
        return list(self.further_images.all())

    def refresh_from_db(self, *args: Any, **options: Any) -> None:
        super().refresh_from_db(*args, **options)
        self.__dict__.pop("further", None)

    @property
    def pictures(self) -> list[Picture]:
        """All pictures in their order, the cover first."""
        rest = (Picture(picture.image_id, picture.alt) for picture in self.further)
        return [Picture(self.image_id, self.image_alt), *rest]

    @property
    def image_keys(self) -> list[Sent]:
        """The pictures as the API takes them."""
        return [picture.sent for picture in self.pictures]

    @property
    def is_deleted(self) -> bool:
        """Whether the design is in the trash."""
        return self.status == Status.DELETED


class DesignImage(models.Model):
    """A picture of a design after its cover. The places of a design's pictures are 1, 2, 3, … (services)."""

    design = models.ForeignKey(
        Design, on_delete=models.CASCADE, db_index=False, related_name="further_images"
    )
    place = models.PositiveSmallIntegerField()
    image = models.ForeignKey(
        Image,
        to_field="object_key",
        db_column="r2_object_key",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="further_designs",
    )
    alt = models.CharField(max_length=ALT_LENGTH, blank=True, default="")

    class Meta:
        db_table = "design_images"
        default_permissions = ()
        ordering = ["place"]
        # Each leads with a foreign key, which needs an index: D1 bills a row for each.
        constraints = [
            models.UniqueConstraint(fields=["design", "place"], name="one_picture_each_place"),
            models.UniqueConstraint(fields=["image", "design"], name="each_picture_once"),
        ]

    def __str__(self) -> str:
        return f"picture {self.place} of {self.design_id}"


class ImportedRow(models.Model):
    """A row without an id from which an import made a design, so that a second import of it makes no other."""

    digest = models.CharField(max_length=64, primary_key=True)  # designs.sheets.rows.digest_of
    design = models.OneToOneField(Design, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "imported_rows"
        default_permissions = ()

    def __str__(self) -> str:
        return f"row {self.digest[:8]} of design {self.design_id}"


class SearchRow(models.Model):
    """A row of the full-text index of designs (designs.search), an FTS5 table that triggers keep."""

    design = models.OneToOneField(
        Design, on_delete=models.DO_NOTHING, primary_key=True, db_column="rowid", related_name="search_row"
    )
    # FTS5 has a hidden column of the table's own name; comparing it with an expression is a search
    # (https://sqlite.org/fts5.html, section 3).
    matches = models.TextField(db_column="designs_search")
    rank = models.FloatField()

    class Meta:
        managed = False
        db_table = "designs_search"
        default_permissions = ()

    def __str__(self) -> str:
        return f"search row of {self.design_id}"


class CatalogueVersion(models.Model):
    """The version of the catalogue: one row, whose values triggers replace by new random ones (designs.catalogue)."""

    id = models.IntegerField(primary_key=True)
    # Changes with images, and with every column of designs except the counters.
    listing = models.CharField(max_length=16)
    # Changes with these, and with a like_count.
    content = models.CharField(max_length=16)
    # The last changes of `listing`, newest first: "listing before:id of the design,", the id 0 for what is no design.
    recent = models.TextField(default="")

    class Meta:
        db_table = "catalogue_version"
        default_permissions = ()

    def __str__(self) -> str:
        return self.content


class Favourite(models.Model):
    """A user's like of a design."""

    # Each foreign key leads one of the two indexes below; D1 bills a like for each index.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="favourites"
    )
    design = models.ForeignKey(Design, on_delete=models.CASCADE, db_index=False, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "user_favorites"
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["design", "user"], name="one_favourite_each")]
        indexes = [models.Index(fields=["user", "-created_at", "-id"], name="favourites_newest")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.design_id}"


class DailyCount(models.Model):
    """Views of a design on one day (UTC), so that those of a deleted design leave the totals (designs.counters).

    Likes too, of which no favourite is left (designs.totals).

    Each index is one more row to write for each design seen, so the one of the constraint also serves the foreign key.
    """

    day = models.DateField()
    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="daily_counts", db_index=False)
    views = models.PositiveIntegerField(default=0)
    # Those of accounts that were deleted since; of others there are the favourites.
    likes = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "daily_counts"
        constraints = [models.UniqueConstraint(fields=["design", "day"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.design_id} on {self.day}: {self.views}"


class DayTotal(models.Model):
    """The views, likes and new designs of one day (UTC), kept by designs.totals and designs.counters."""

    id = models.IntegerField(primary_key=True)
    day = models.DateField(unique=True)
    views = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    designs = models.BigIntegerField(default=0)

    class Meta:
        db_table = "day_totals"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}: {self.views} views, {self.likes} likes, {self.designs} designs"


class ValueTotal(models.Model):
    """The number of designs with one value and one status, kept by triggers (designs.totals)."""

    id = models.IntegerField(primary_key=True)
    field = models.CharField(max_length=20)
    value = models.CharField(max_length=200, db_collation=NOCASE)
    status = models.CharField(max_length=10, choices=Status.choices)
    count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "value_totals"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["field", "value", "status"], name="one_total_each"),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.value}, {self.status}: {self.count}"


class Synonym(models.Model):
    """A synonym of searches that staff keep (designs.synonyms). Triggers change the catalogue's version with it."""

    kind = models.CharField(max_length=5, choices=KINDS)
    # As a search compares it: folded, so that one phrase is one row.
    phrase = models.CharField(
        max_length=PHRASE_LENGTH, help_text="One to four words, as people type them in a search."
    )
    field = models.CharField(
        max_length=20,
        blank=True,
        default="",
        choices=[(name, name.replace("_", " ").capitalize()) for name in FACET_FIELDS],
        help_text="Of what means something: the field to find the words in; if none, the title and every field.",
    )
    words = models.TextField(
        blank=True,
        default="",
        help_text="Words or phrases, with commas between; none for what is never corrected.",
    )
    source = models.CharField(
        max_length=SOURCE_LENGTH,
        blank=True,
        default="",
        help_text="Where this comes from, for those who keep it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "synonyms"
        ordering = ["phrase", "kind"]
        constraints = [models.UniqueConstraint(fields=["phrase", "kind"], name="one_synonym_each")]

    def __str__(self) -> str:
        return f"{self.phrase} ({self.kind})"


class SearchCount(models.Model):
    """How often a search found nothing or little in a week, kept without who asked (designs.searches)."""

    week = models.DateField()  # its Monday (UTC)
    phrase = models.CharField(max_length=PHRASE_LENGTH)
    count = models.PositiveIntegerField()
    found = models.PositiveIntegerField()  # designs, the last time

    class Meta:
        db_table = "search_counts"
        verbose_name = "search"
        verbose_name_plural = "searches"
        default_permissions = ("view",)
        ordering = ["-week", "-count", "phrase"]
        constraints = [models.UniqueConstraint(fields=["week", "phrase"], name="one_count_a_week")]

    def __str__(self) -> str:
        return f"{self.phrase} in the week of {self.week}: {self.count}"
