"""What this app provides to lower ones (core.hooks)."""

from django.db.models import Exists, OuterRef

from designs.models import Design
from uploads.models import Category


def image_use() -> tuple[str, Exists]:
    """The hook image_uses: an image of category designs is in use if a design shows it."""
    return Category.DESIGNS, Exists(Design.objects.filter(image=OuterRef("object_key")))
