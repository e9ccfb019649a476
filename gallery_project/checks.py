"""System checks of the settings, run by `manage.py check` and at the start."""

import os
from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from core.variables.kinds import shortened
from core.variables.misspelt import misspelt


@register(Tags.security)
def no_variable_is_misspelt(
    app_configs: Sequence[AppConfig] | None = None, **options: Sequence[str] | None
) -> list[CheckMessage]:
    """A misspelt variable has no effect, and the default in its place may go unnoticed for long."""
    return [
        Warning(
            f"The variable {shortened(name)} is read by nothing.",
            hint=f"Is {known} meant? docs/settings.md has all variables.",
            id="gallery.W005",
        )
        for name, known in misspelt(os.environ)
    ]


@register(Tags.security, deploy=True)
def production_stores_outlive_the_host(
    app_configs: Sequence[AppConfig] | None = None, **options: Sequence[str] | None
) -> list[CheckMessage]:
    """Render replaces the disk with each deployment, and with it SQLite and the folder."""
    messages: list[CheckMessage] = []
    if not settings.RENDER_HOSTS:
        return messages
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        hint = "Set D1's variables, or put DATA on a persistent disk."
        messages.append(Warning("The database is a file on this host.", hint=hint, id="gallery.W001"))
    if "FolderStorage" in settings.STORAGES["default"]["BACKEND"]:
        hint = "Set R2's variables, or put DATA on a persistent disk."
        messages.append(Warning("Images are stored in a folder of this host.", hint=hint, id="gallery.W002"))
    return messages


@register(Tags.security, deploy=True)
def new_hosts_have_a_snapshot(
    app_configs: Sequence[AppConfig] | None = None, **options: Sequence[str] | None
) -> list[CheckMessage]:
    """Without a snapshot a new host reads all tables from D1 before it can answer."""
    if settings.REPLICA_ALIAS not in settings.DATABASES or settings.SNAPSHOTS is not None:
        return []
    message = (
        "There are no snapshots of the copy of D1, so a new host needs minutes and most of D1's allowance."
    )
    hint = "Create a second, private bucket on R2 and set CLOUDFLARE_R2_PRIVATE_BUCKET_NAME."
    return [Warning(message, hint=hint, id="gallery.W003")]


@register(Tags.security, deploy=True)
def deleted_ids_outlive_the_host(
    app_configs: Sequence[AppConfig] | None = None, **options: Sequence[str] | None
) -> list[CheckMessage]:
    """A restore of D1 needs the ids of users who deleted their account, whichever host they used."""
    if settings.DATABASES["default"]["ENGINE"] != "d1backend" or settings.PRIVATE_STORAGE is not None:
        return []
    message = "The ids of users who delete their account are kept on one host only, for restores of D1."
    hint = "Create a second, private bucket on R2 and set CLOUDFLARE_R2_PRIVATE_BUCKET_NAME."
    return [Warning(message, hint=hint, id="gallery.W004")]
