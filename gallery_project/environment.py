"""Reads the environment into what settings.py needs: databases, storages and secrets.

Each function takes the environment reader and answers a value, so that settings.py stays a list of facts.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ACCOUNT_VARIABLE = "CLOUDFLARE_ACCOUNT_ID"
D1_VARIABLES = ("CLOUDFLARE_D1_DATABASE_ID", "CLOUDFLARE_API_TOKEN")
R2_VARIABLES = (
    "CLOUDFLARE_R2_ACCESS_KEY",
    "CLOUDFLARE_R2_SECRET_KEY",
    "CLOUDFLARE_R2_BUCKET_NAME",
    "CLOUDFLARE_R2_PUBLIC_URL",
)
REDIS_SECONDS = 0.5  # that a Redis may take to answer before it counts as away
# What the API reads is copied to each host (docs/architecture.md). Passwords' hashes stay on D1, so plain reads of
# users go there; a view alone makes no other ETag.
REPLICA = "replica"
COPIED: dict[str, Any] = {
    "tables": [
        *("users", "sign_ins", "app_settings", "images", "designs", "user_favorites"),
        *("catalogue_stamp", "image_totals", "day_totals", "value_totals"),
    ],
    "search": ["designs_search"],
    "hide": {"users": ["password_hash"]},
    "unrouted": ["users"],
    "quiet": {"designs": ["view_count"]},
}
JWT_SECRET_MINIMUM = 32  # characters: HS256 wants a key of at least 256 bits (RFC 7518, section 3.2)


def origin(url: str) -> str:
    """Scheme, host and port of a URL; empty for an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def missing_variables(env: environ.Env, names: tuple[str, ...], shared: str) -> list[str]:
    """What is missing of a set of variables of which at least one is given; nothing where none is.

    `shared` is a variable that the set needs and that alone does not ask for the set.
    """
    if not any(env.str(name, "") for name in names):
        return []
    return [name for name in (shared, *names) if not env.str(name, "")]


def jwt_secret(env: environ.Env, data: Path, production: bool) -> str:
    """JWT_SECRET; outside production a random one is made once and kept in the data folder.

    Raises ImproperlyConfigured when it is missing in production or shorter than 32 characters.
    """
    secret = env.str("JWT_SECRET", "")
    if secret:
        if len(secret) < JWT_SECRET_MINIMUM:
            raise ImproperlyConfigured(f"JWT_SECRET must have at least {JWT_SECRET_MINIMUM} characters.")
        return secret
    if production:
        raise ImproperlyConfigured("JWT_SECRET must be set when ENVIRONMENT=production.")
    return kept_secret(data / "jwt-secret")


def client_address_source(env: environ.Env) -> tuple[str, int]:
    """CLIENT_ADDRESS_HEADER and NUM_PROXIES, of which one may be set (gallery_project.client_address).

    Raises ImproperlyConfigured when they can not be meant.
    """
    header, proxies = env.str("CLIENT_ADDRESS_HEADER", "").strip(), env.int("NUM_PROXIES", 0)
    if proxies < 0:
        raise ImproperlyConfigured(
            "NUM_PROXIES must be 0 or the number of proxies that append to X-Forwarded-For."
        )
    if header and not re.fullmatch(r"[A-Za-z0-9-]+", header):
        raise ImproperlyConfigured(
            "CLIENT_ADDRESS_HEADER must be the name of one header, as CF-Connecting-IP."
        )
    if header.lower() == "x-forwarded-for":
        raise ImproperlyConfigured(
            "X-Forwarded-For is a list: set NUM_PROXIES, and not CLIENT_ADDRESS_HEADER."
        )
    if header and proxies:
        raise ImproperlyConfigured("Set CLIENT_ADDRESS_HEADER or NUM_PROXIES, and not both.")
    return header, proxies


def kept_secret(path: Path) -> str:
    """The secret kept in a file that only its owner reads, made at the first call.

    Processes that start together agree on one: it is written aside, and the first to link it wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text().strip()


def derived_secret(secret: str, purpose: str) -> str:
    """Another secret for another purpose, so that one variable is enough to configure."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def databases(env: environ.Env, data: Path) -> dict[str, Any]:
    """The databases: `default`, and `replica` where that is D1 and REPLICA is not off."""
    default = default_database(env, data)
    if default["ENGINE"] != "d1backend" or not env.bool("REPLICA", True):
        return {"default": default}
    return {"default": default, REPLICA: replica_database(data, env.float("REPLICA_MAX_AGE", 2.0))}


def replica_database(data: Path, max_age: float) -> dict[str, Any]:
    """The settings of this host's copy of D1, at most `max_age` seconds old while D1 answers."""
    return {
        "ENGINE": "d1backend.replica",
        "NAME": data / "replica",
        "CONN_MAX_AGE": None,
        "OPTIONS": {**COPIED, "max_age": max_age},
    }


def default_database(env: environ.Env, data: Path) -> dict[str, Any]:
    """The default database: D1 when its variables are set, else DATABASE_URL, else SQLite in a file."""
    if all(env.str(name, "") for name in (ACCOUNT_VARIABLE, *D1_VARIABLES)):
        return d1_database(env, data)
    if env.str("DATABASE_URL", ""):
        return {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "gallery.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # A transaction that reads before it writes must not find the file locked half way.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def d1_database(env: environ.Env, data: Path) -> dict[str, Any]:
    """The settings of Cloudflare D1 through d1backend; in `data` its processes tell each other of a block."""
    timeout = env.float("D1_TIMEOUT", 35.0)
    options: dict[str, Any] = {
        "account_id": env.str(ACCOUNT_VARIABLE),
        "api_token": env.str("CLOUDFLARE_API_TOKEN"),
        "timeout": timeout,
        "retry_budget": min(timeout, 20.0),
        "folder": data,
    }
    if env.str("CLOUDFLARE_D1_BASE_URL", ""):
        options["base_url"] = env.str("CLOUDFLARE_D1_BASE_URL")
    return {
        "ENGINE": "d1backend",
        "NAME": env.str("CLOUDFLARE_D1_DATABASE_ID"),
        "CONN_MAX_AGE": None,
        "OPTIONS": options,
    }


def cache_places(env: environ.Env, data: Path) -> dict[str, dict[str, Any]]:
    """The caches: `host`, in files that all processes of the host share, and `default`, CACHE_URL's or the same."""
    # Throttles count over all processes of the host, which memory of one process could not.
    host = {
        "BACKEND": "gallery_project.cache.FolderCache",
        "LOCATION": data / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    if not env.str("CACHE_URL", ""):
        return {"default": host, "host": host}
    given = env.cache_url("CACHE_URL")
    if given["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
        given["BACKEND"] = "gallery_project.cache.SteadyRedisCache"
        waits = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
        given["OPTIONS"] = waits | given.get("OPTIONS", {})
    return {"default": given, "host": host}


def image_storage(env: environ.Env, data: Path) -> dict[str, Any]:
    """The storage of images: R2 when its variables are set, else a folder."""
    if not all(env.str(name, "") for name in (ACCOUNT_VARIABLE, *R2_VARIABLES)):
        return {
            "BACKEND": "uploads.storage.FolderStorage",
            "OPTIONS": {"location": data / "media", "base_url": "/media/"},
        }
    account = env.str(ACCOUNT_VARIABLE)
    return {
        "BACKEND": "uploads.storage.R2Storage",
        "OPTIONS": {
            "access_key": env.str("CLOUDFLARE_R2_ACCESS_KEY"),
            "secret_key": env.str("CLOUDFLARE_R2_SECRET_KEY"),
            "bucket_name": env.str("CLOUDFLARE_R2_BUCKET_NAME"),
            "endpoint_url": env.str("CLOUDFLARE_R2_ENDPOINT_URL", "")
            or f"https://{account}.r2.cloudflarestorage.com",
            "public_url": env.str("CLOUDFLARE_R2_PUBLIC_URL").rstrip("/"),
        },
    }
