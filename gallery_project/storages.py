"""Where files lie, by the environment: images, snapshots of the copy of D1, the ids of deleted users."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from core import private_files
from gallery_project.environment import ACCOUNT_VARIABLE, R2_VARIABLES, Options, read_text

PRIVATE_BUCKET_VARIABLE = "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"


def image_storage(env: environ.Env, data: Path) -> Options:
    """Return the storage of images: R2 if its variables are set, else a folder."""
    if not all(read_text(env, name) for name in (ACCOUNT_VARIABLE, *R2_VARIABLES)):
        return {
            "BACKEND": "uploads.storage.folder.FolderStorage",
            "OPTIONS": {"location": data / "media", "base_url": "/media/"},
        }
    return {
        "BACKEND": "uploads.storage.r2.R2Storage",
        "OPTIONS": {
            **r2_access(env),
            "bucket_name": read_text(env, "CLOUDFLARE_R2_BUCKET_NAME"),
            "public_url": read_text(env, "CLOUDFLARE_R2_PUBLIC_URL").rstrip("/"),
        },
    }


def deletions_storage(private: Options | None, data: Path) -> Options:
    """Return the storage of the ids of deleted users: the private bucket, or a folder of this host without one."""
    if private is not None:
        return {**private, "BACKEND": "core.r2.DeletionsBucket"}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": data,
            "allow_overwrite": True,
            "file_permissions_mode": private_files.FILE,
            "directory_permissions_mode": private_files.FOLDER,
        },
    }


def r2_access(env: environ.Env) -> Options:
    """Return the options of a storage that name R2's endpoint and its keys."""
    account = read_text(env, ACCOUNT_VARIABLE)
    return {
        "access_key": read_text(env, "CLOUDFLARE_R2_ACCESS_KEY"),
        "secret_key": read_text(env, "CLOUDFLARE_R2_SECRET_KEY"),
        "endpoint_url": read_text(env, "CLOUDFLARE_R2_ENDPOINT_URL")
        or f"https://{account}.r2.cloudflarestorage.com",
    }


def private_storage(env: environ.Env) -> Options | None:
    """Return the storage of snapshots, a second bucket of R2; None if CLOUDFLARE_R2_PRIVATE_BUCKET_NAME is not set.

    Raises ImproperlyConfigured without R2's account and keys, and if it is the public bucket.
    """
    bucket = read_text(env, PRIVATE_BUCKET_VARIABLE)
    if not bucket:
        return None
    needed = (ACCOUNT_VARIABLE, "CLOUDFLARE_R2_ACCESS_KEY", "CLOUDFLARE_R2_SECRET_KEY")
    if missing := [name for name in needed if not read_text(env, name)]:
        raise ImproperlyConfigured(f"{PRIVATE_BUCKET_VARIABLE} needs {', '.join(missing)} too.")
    if bucket == read_text(env, "CLOUDFLARE_R2_BUCKET_NAME"):
        raise ImproperlyConfigured(
            f"{PRIVATE_BUCKET_VARIABLE} must be another bucket than the public CLOUDFLARE_R2_BUCKET_NAME."
        )
    return {
        "BACKEND": "core.r2.PrivateBucket",
        "OPTIONS": {**r2_access(env), "bucket_name": bucket},
    }
