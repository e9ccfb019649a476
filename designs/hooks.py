"""What this app provides to lower ones (core.hooks)."""

from django.db.models import Exists, OuterRef

from designs.models import Design, DesignImage
from uploads.models import Category


def cover_use() -> tuple[str, Exists]:
    """The hook image_uses: an image of category designs is in use if it is the cover of a design."""
    return Category.DESIGNS, Exists(Design.objects.filter(image=OuterRef("object_key")))


def further_use() -> tuple[str, Exists]:
    """The hook image_uses: it is in use if a design shows it after the cover."""
    return Category.DESIGNS, Exists(DesignImage.objects.filter(image=OuterRef("object_key")))
