"""Checked and stored images, and pending uploads."""

from django.conf import settings
from django.db import models


class Category(models.TextChoices):
    DESIGNS = "designs"
    AVATARS = "avatars"
    TEMP = "temp"


class Image(models.Model):
    """A stored, checked image. Other rows and the app refer to it by its key."""

    object_key = models.CharField(max_length=255, unique=True)
    category = models.CharField(max_length=20, choices=Category.choices)
    content_type = models.CharField(max_length=50)
    size = models.PositiveIntegerField(help_text="bytes")
    width = models.PositiveIntegerField(help_text="pixels")
    height = models.PositiveIntegerField(help_text="pixels")
    dominant_colour = models.CharField(max_length=7, help_text="#rrggbb")
    thumbhash = models.CharField(max_length=64, help_text="base64")
    perceptual_hash = models.CharField(max_length=16, db_index=True, help_text="64 bits in hex")
    # [{"width": 320, "height": 427, "format": "webp", "key": "…"}, …], narrowest first
    renditions = models.JSONField(default=list)
    recipe = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="which RECIPE of uploads.pipeline.renditions they were made by"
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="images"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "images"
        ordering = ["-id"]
        indexes = [models.Index(fields=["category", "created_at"])]

    def __str__(self) -> str:
        return self.object_key


class ImageTotal(models.Model):
    """The number of images in a category, and their bytes without renditions. uploads.triggers keeps it."""

    id = models.IntegerField(primary_key=True)
    category = models.CharField(max_length=20, choices=Category.choices, unique=True)
    images = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "image_totals"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.category}: {self.images} images, {self.bytes} bytes"


class PendingUpload(models.Model):
    """A presigned upload: its user, and what may be uploaded under the key until it expires."""

    object_key = models.CharField(max_length=255, unique=True)
    category = models.CharField(max_length=20, choices=Category.choices)
    content_type = models.CharField(max_length=50)
    size = models.PositiveIntegerField(help_text="bytes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pending_uploads"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "pending_uploads"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.object_key
