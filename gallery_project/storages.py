"""Where files lie, by the environment: images, snapshots of the copy of D1, the ids of deleted users."""

from pathlib import Path

from core import private_files
from core.variables import declared as v
from core.variables.combinations import has_r2
from core.variables.reading import Environment
from gallery_project.environment import Options


def image_storage(env: Environment, data: Path) -> Options:
    """Return the storage of images: R2 if its variables are set, else a folder."""
    if not has_r2(env):
        return {
            "BACKEND": "uploads.storage.folder.FolderStorage",
            "OPTIONS": {"location": data / "media", "base_url": "/media/"},
        }
    return {
        "BACKEND": "uploads.storage.r2.R2Storage",
        "OPTIONS": {
            **r2_access(env),
            "bucket_name": env[v.CLOUDFLARE_R2_BUCKET_NAME],
            "public_url": env[v.CLOUDFLARE_R2_PUBLIC_URL].rstrip("/"),
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


def r2_access(env: Environment) -> Options:
    """Return the options of a storage that name R2's endpoint and its keys."""
    account = env[v.CLOUDFLARE_ACCOUNT_ID]
    return {
        "access_key": env[v.CLOUDFLARE_R2_ACCESS_KEY],
        "secret_key": env[v.CLOUDFLARE_R2_SECRET_KEY],
        "endpoint_url": env[v.CLOUDFLARE_R2_ENDPOINT_URL] or f"https://{account}.r2.cloudflarestorage.com",
    }


def private_storage(env: Environment) -> Options | None:
    """Return the storage of snapshots, a second bucket of R2; None if CLOUDFLARE_R2_PRIVATE_BUCKET_NAME is not set."""
    bucket = env[v.CLOUDFLARE_R2_PRIVATE_BUCKET_NAME]
    if not bucket:
        return None
    return {"BACKEND": "core.r2.PrivateBucket", "OPTIONS": {**r2_access(env), "bucket_name": bucket}}
