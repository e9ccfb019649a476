"""System checks of where images lie."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from uploads.storage.folder import FolderStorage
from uploads.storage.r2 import R2Storage


@register(Tags.files)
def image_storage_is_usable(**kwargs: Any) -> list[CheckMessage]:
    """STORAGES["default"] is one of ours, and its addresses are whole."""
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
            f"{name} is no address.",
            hint="It must begin with https:// (or http://) and a host, without a query.",
            id=check_id,
        )
        for check_id, (name, address) in wrong.items()
        if not is_address(address)
    ]


@register(Tags.security, deploy=True)
def images_are_read_over_a_domain_of_ones_own(**kwargs: Any) -> list[CheckMessage]:
    """Cloudflare slows the r2.dev addresses down and does not cache them."""
    host = urlsplit(settings.STORAGES["default"].get("OPTIONS", {}).get("public_url", "")).hostname or ""
    if not host.endswith(".r2.dev"):
        return []
    hint = "Connect a domain of your own to the bucket, and set CLOUDFLARE_R2_PUBLIC_URL to it."
    return [Warning("r2.dev addresses are not for production.", hint=hint, id="uploads.W001")]


def is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and parts.port != 0
        )
    except ValueError:
        return False
