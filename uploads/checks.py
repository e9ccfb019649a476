"""System checks of the image storage."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from uploads.storage.folder import FolderStorage
from uploads.storage.r2 import R2Storage


@register(Tags.files)
def image_storage_is_usable(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Sequence[str] | None
) -> list[CheckMessage]:
    """STORAGES["default"] is one of uploads.storage, with valid URLs."""
    configured = settings.STORAGES["default"]
    try:
        backend = import_string(configured["BACKEND"])
    except ImportError:
        backend = object
    if not issubclass(backend, FolderStorage | R2Storage):
        hint = "Use uploads.storage.folder.FolderStorage or uploads.storage.r2.R2Storage."
        return [Error("Images cannot be stored by this storage class.", hint=hint, id="uploads.E001")]
    if issubclass(backend, FolderStorage):
        return []
    options = configured.get("OPTIONS", {})
    wrong = {
        "uploads.E002": ("CLOUDFLARE_R2_PUBLIC_URL", options.get("public_url", "")),
        "uploads.E003": ("CLOUDFLARE_R2_ENDPOINT_URL", options.get("endpoint_url", "")),
    }
    return [
        Error(
            f"{name} is not a valid URL.",
            hint="It must start with https:// (or http://) and a host, and have no query.",
            id=check_id,
        )
        for check_id, (name, address) in wrong.items()
        if not is_url(address)
    ]


@register(Tags.security, deploy=True)
def own_domain_for_images(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Sequence[str] | None
) -> list[CheckMessage]:
    """Cloudflare throttles r2.dev URLs and does not cache them."""
    host = urlsplit(settings.STORAGES["default"].get("OPTIONS", {}).get("public_url", "")).hostname or ""
    if not host.endswith(".r2.dev"):
        return []
    hint = "Connect your own domain to the bucket, and set CLOUDFLARE_R2_PUBLIC_URL to it."
    return [Warning("r2.dev URLs are not for production.", hint=hint, id="uploads.W001")]


def is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and parts.port != 0
        )
    except ValueError:
        return False
