"""A design, who likes it, and how often it was seen by day."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from uploads.models import Image

# The eight fields that lists filter by and facets count, in the order the app shows them.
FACET_FIELDS = (
    "category",
    "style",
    "colour",
    "fabric",
    "occasion",
    "season",
    "designer_name",
    "collection_name",
)
# SQLite's NOCASE makes equality, order and grouping blind to ASCII case, by index.
NOCASE = "NOCASE"


class Status(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


def attribute(max_length: int = 100) -> models.CharField:
    """A column that lists filter by: empty where unknown."""
    return models.CharField(max_length=max_length, blank=True, default="", db_collation=NOCASE)


class Design(models.Model):
    """One design of the catalogue. like_count is kept by triggers, view_count by designs.counters."""

    title = models.CharField(max_length=200, db_collation=NOCASE)
    description = models.TextField(blank=True, default="")
    image = models.ForeignKey(
        Image,
        to_field="object_key",
        db_column="r2_object_key",
        on_delete=models.PROTECT,
        related_name="designs",
    )
    category = models.CharField(max_length=50, db_collation=NOCASE)
    style = attribute()
    colour = attribute()
    fabric = attribute()
    occasion = attribute()
    season = attribute()
    designer_name = attribute()
    collection_name = attribute()
    featured = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    view_count = models.PositiveBigIntegerField(default=0)
    like_count = models.PositiveBigIntegerField(default=0)
    # A default, not auto_now_add: an import brings its own dates.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

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
        """The API's word for the image's key."""
        return self.image_id


class SearchRow(models.Model):
    """The full-text index of designs (designs.search), an FTS5 table that triggers keep."""

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


class CatalogueStamp(models.Model):
    """How the catalogue stands: one row, whose words triggers replace by new, random ones (designs.catalogue)."""

    # Another word after each change of designs, but for their counters, and of images.
    listing = models.CharField(max_length=16)
    # Another word after these, and after each change of a like_count.
    content = models.CharField(max_length=16)

    class Meta:
        db_table = "catalogue_stamp"
        default_permissions = ()

    def __str__(self) -> str:
        return self.content


class Favourite(models.Model):
    """A user likes a design."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "user_favorites"
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "design"], name="one_favourite_each")]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="favourites_newest"),
            models.Index(fields=["created_at"], name="favourites_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.design_id}"


class DailyCount(models.Model):
    """Views of a design on one day (UTC)."""

    day = models.DateField()
    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="daily_counts")
    views = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "daily_counts"
        constraints = [models.UniqueConstraint(fields=["day", "design"], name="one_count_a_day")]
        indexes = [models.Index(fields=["day", "views"], name="views_by_day")]

    def __str__(self) -> str:
        return f"{self.design_id} on {self.day}: {self.views}"


class DayTotal(models.Model):
    """What happened on one day (UTC) in the whole gallery, kept by triggers (designs.totals)."""

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
    """How many designs of one status have a value, kept by triggers (designs.totals)."""

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
        indexes = [models.Index(fields=["field", "status", "-count"], name="values_in_use")]

    def __str__(self) -> str:
        return f"{self.field} {self.value}, {self.status}: {self.count}"
