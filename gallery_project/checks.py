"""System checks of the settings that the whole house shares; run by `manage.py check` and at the start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security)
def d1_is_whole(**kwargs: Any) -> list[CheckMessage]:
    """D1's variables come together or not at all."""
    return half_set("D1", settings.D1_MISSING, "gallery.E001")


@register(Tags.security)
def r2_is_whole(**kwargs: Any) -> list[CheckMessage]:
    """R2's variables come together or not at all."""
    return half_set("R2", settings.R2_MISSING, "gallery.E002")


def half_set(what: str, missing: list[str], check_id: str) -> list[CheckMessage]:
    if not missing:
        return []
    hint = f"Set {', '.join(missing)} too, or none of {what}'s variables."
    return [Error(f"{what} is set only in part.", hint=hint, id=check_id)]


@register(Tags.security, deploy=True)
def production_stores_outlive_the_host(**kwargs: Any) -> list[CheckMessage]:
    """Render's disk goes with each deployment, and the embedded default with it."""
    messages: list[CheckMessage] = []
    if not settings.RENDER_HOST:
        return messages
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        hint = "Set D1's variables or DATABASE_URL, or put DATA on a disk that is kept."
        messages.append(Warning("The database is a file on this host.", hint=hint, id="gallery.W001"))
    if "FolderStorage" in settings.STORAGES["default"]["BACKEND"]:
        hint = "Set R2's variables, or put DATA on a disk that is kept."
        messages.append(Warning("Images lie in a folder of this host.", hint=hint, id="gallery.W002"))
    return messages
