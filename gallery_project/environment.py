"""Reads the environment into what settings.py needs: databases, storages and secrets.

The functions return values, so that settings.py stays a list of facts. They raise ImproperlyConfigured, and
django-environ a ValueError for a number that is none; then nothing starts.
Runs while settings load: import no settings and no models.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from core import private_files

Options: TypeAlias = dict[str, Any]  # of a database, cache or storage, as Django takes them

ACCOUNT_VARIABLE = "CLOUDFLARE_ACCOUNT_ID"
D1_VARIABLES = ("CLOUDFLARE_D1_DATABASE_ID", "CLOUDFLARE_API_TOKEN")
R2_VARIABLES = (
    "CLOUDFLARE_R2_ACCESS_KEY",
    "CLOUDFLARE_R2_SECRET_KEY",
    "CLOUDFLARE_R2_BUCKET_NAME",
    "CLOUDFLARE_R2_PUBLIC_URL",
)
PRIVATE_STORAGE = "private"
REDIS_SECONDS = 0.5  # without a response after which Redis counts as away
REPLICA_ALIAS = "replica"
MOST_HOSTS = 100  # with more, a host's share of D1's calls is less than one in 25 s
# The tables that the API and the console's sessions read, copied to each host (docs/architecture.md), and with them to
# snapshots. What "hide" names is in neither, as soon as a table has it, so plain reads of users go to D1; nor are the
# rows that "only" leaves out. A change of view_count alone changes no ETag.
COPIED: Options = {
    "tables": [
        *(
            "users",
            "sign_ins",
            "guesses",
            "deleted_signups",
            "app_settings",
            "images",
            "pending_uploads",
            "designs",
            "design_images",
            "synonyms",
            "search_counts",
        ),
        *("user_favorites", "catalogue_version", "image_totals", "day_totals", "value_totals"),
        # The rights of the console's users.
        *("auth_group", "users_groups", "auth_group_permissions"),
        *("auth_permission", "users_user_permissions", "django_content_type"),
    ],
    "search": ["designs_search"],
    "hide": {
        "users": [
            "password_hash",
            *("full_name", "full_name_searchable", "contact", "contact_searchable", "username_searchable"),
        ]
    },
    # Ended sign-ins are never looked up.
    "only": {"sign_ins": "ended_at IS NULL"},
    # What the copy is small by (docs/replica.md): a row by user and design, and no index for the shortest prefixes.
    "compact": {"user_favorites": ["user_id", "design_id"]},
    "no_index": ["designs_search"],
    "unrouted": ["users"],
    "counters": {"designs": ["view_count"]},
}
ENVIRONMENTS = ("development", "production")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
WORDS = dict.fromkeys(("true", "on", "yes", "y", "1"), True) | dict.fromkeys(
    ("false", "off", "no", "n", "0"), False
)
# An empty one of a store would put data where the next deploy deletes it. JWT_SECRET, which production needs anyway, is
# here so that one message names all that are empty.
NEVER_BLANK = (
    ACCOUNT_VARIABLE,
    *D1_VARIABLES,
    *R2_VARIABLES,
    "DATABASE_URL",
    "CACHE_URL",
    "DATA",
    "JWT_SECRET",
)
JWT_SECRET_MINIMUM = 32  # characters: HS256 wants a key of at least 256 bits (RFC 7518, section 3.2)


def read_text(env: environ.Env, name: str) -> str:
    """Return the value of a variable without surrounding space; empty if it is not set."""
    value: str = env.str(name, "")
    return value.strip()


def read_choice(env: environ.Env, name: str, known: tuple[str, ...], default: str) -> str:
    """Return a variable with a fixed set of values. Raises ImproperlyConfigured for any other, and for an empty one."""
    value: str = env.str(name, default)
    if value not in known:
        raise ImproperlyConfigured(f"{name} is {value!r}, and must be one of: {', '.join(known)}.")
    return value


def read_time_zone(env: environ.Env, name: str, default: str) -> ZoneInfo:
    """Return a variable that names a time zone. Raises ImproperlyConfigured for any other text."""
    value = read_text(env, name) or default
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: of a name like that of a file
        sentence = f"{name} is {value!r}, and must be a time zone, like Asia/Kolkata or UTC."
        raise ImproperlyConfigured(sentence) from None


def read_bool(env: environ.Env, name: str, default: bool) -> bool:
    """Return a variable that is on or off. Raises ImproperlyConfigured for any other word."""
    value = read_text(env, name).lower()
    if value and value not in WORDS:
        raise ImproperlyConfigured(f"{name} is {value!r}, and must be true or false.")
    return WORDS.get(value, default)


def read_whole(env: environ.Env, name: str, default: int, least: int, most: int) -> int:
    """Return a variable that is a whole number in a range. Raises ImproperlyConfigured for anything else."""
    value = read_text(env, name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"{name} is {value!r}, and must be a whole number from {least} to {most:,}."
        )
    return int(value)


def read_limit(env: environ.Env, name: str, most: int, seconds: int) -> tuple[int, int]:
    """Return a limit: the variable `name`, and `name`_SECONDS. Raises ImproperlyConfigured as `read_whole` does."""
    return (
        read_whole(env, name, most, 1, 1_000_000),
        read_whole(env, f"{name}_SECONDS", seconds, 1, 31_536_000),
    )


def refuse_blank(env: environ.Env) -> None:
    """Raise ImproperlyConfigured if a variable of NEVER_BLANK is empty."""
    blank = [name for name in NEVER_BLANK if name in env.ENVIRON and not read_text(env, name)]
    if blank:
        raise ImproperlyConfigured(f"{', '.join(blank)} must have a value, or not be set, in production.")


def require_persistent_data(env: environ.Env, databases: dict[str, Options], images: Options) -> None:
    """Raise ImproperlyConfigured if data would be stored in the code's folder, which each deploy replaces."""
    in_files = "sqlite" in databases["default"]["ENGINE"] or "FolderStorage" in images["BACKEND"]
    if in_files and not read_text(env, "DATA"):
        raise ImproperlyConfigured(
            "DATA must name a folder that outlives a deploy, in production without D1 (or DATABASE_URL) and R2."
        )


def origin(url: str) -> str:
    """Return scheme, host and port of a URL; empty for an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def missing_variables(env: environ.Env, names: tuple[str, ...], shared: str) -> list[str]:
    """Return the missing variables of a set of which at least one is given; nothing if none is.

    `shared` is a variable that the set needs, but that does not require the set. gallery_project/checks.py reports what
    is missing (gallery.E001 and E002).
    """
    if not any(read_text(env, name) for name in names):
        return []
    return [name for name in (shared, *names) if not read_text(env, name)]


def jwt_secret(env: environ.Env, data: Path, production: bool) -> str:
    """Return JWT_SECRET. Outside production a random one is made once and stored in the data folder.

    Raises ImproperlyConfigured if it is missing in production or shorter than 32 characters.
    """
    secret = read_text(env, "JWT_SECRET")
    if secret:
        require_length("JWT_SECRET", secret)
        return secret
    if production:
        raise ImproperlyConfigured("JWT_SECRET must be set when ENVIRONMENT=production.")
    return kept_secret(data / "jwt-secret")


def previous_jwt_secret(env: environ.Env) -> str:
    """Return JWT_SECRET_PREVIOUS, empty if it is not set. Raises ImproperlyConfigured if it is too short."""
    secret = read_text(env, "JWT_SECRET_PREVIOUS")
    if secret:
        require_length("JWT_SECRET_PREVIOUS", secret)
    return secret


def secret_keys(env: environ.Env, secret: str, previous: str) -> tuple[str, list[str]]:
    """Return SECRET_KEY, by default derived from JWT_SECRET, and SECRET_KEY_FALLBACKS, which verify and never sign.

    The fallbacks are those of the variable, with commas between them, and what was derived from JWT_SECRET_PREVIOUS. So
    a change of either secret ends neither the sessions of the console nor the addresses of uploads.
    """
    listed = [key.strip() for key in read_text(env, "SECRET_KEY_FALLBACKS").split(",") if key.strip()]
    if own := env.str("SECRET_KEY", ""):
        return own, listed
    derived = [derived_secret(previous, "django")] if previous else []
    return derived_secret(secret, "django"), [*derived, *listed]


def require_length(name: str, secret: str) -> None:
    if len(secret) < JWT_SECRET_MINIMUM:
        raise ImproperlyConfigured(f"{name} must have at least {JWT_SECRET_MINIMUM} characters.")


def client_address_source(env: environ.Env) -> tuple[str, int]:
    """Return CLIENT_ADDRESS_HEADER and NUM_PROXIES, of which one may be set (core.client_address).

    Raises ImproperlyConfigured if they contradict each other.
    """
    header, proxies = read_text(env, "CLIENT_ADDRESS_HEADER"), env.int("NUM_PROXIES", 0)
    if proxies < 0:
        raise ImproperlyConfigured(
            "NUM_PROXIES must be 0 or the number of proxies that append to X-Forwarded-For."
        )
    if header and not re.fullmatch(r"[A-Za-z0-9-]+", header):
        raise ImproperlyConfigured(
            "CLIENT_ADDRESS_HEADER must be the name of one header, such as CF-Connecting-IP."
        )
    if header.lower() == "x-forwarded-for":
        raise ImproperlyConfigured(
            "X-Forwarded-For is a list: set NUM_PROXIES, and not CLIENT_ADDRESS_HEADER."
        )
    if header and proxies:
        raise ImproperlyConfigured("Set CLIENT_ADDRESS_HEADER or NUM_PROXIES, and not both.")
    return header, proxies


def kept_secret(path: Path) -> str:
    """Return the secret in a file that only its owner can read. The first call creates it.

    Processes that start together agree on one secret: the first to link its draft wins.
    """
    private_files.make_folder(path.parent)
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text().strip()


def derived_secret(secret: str, purpose: str) -> str:
    """Return another secret for another purpose, so that one variable is enough to configure."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def databases(env: environ.Env, data: Path, snapshots: Options | None) -> dict[str, Options]:
    """Return the databases: `default`, and `replica` if the default is D1 and REPLICA is not off."""
    default = default_database(env, data)
    if default["ENGINE"] != "d1backend" or not read_bool(env, "REPLICA", True):
        return {"default": default}
    return {
        "default": default,
        REPLICA_ALIAS: replica_database(data, env.float("REPLICA_MAX_AGE", 2.0), snapshots),
    }


def replica_database(data: Path, max_age: float, snapshots: Options | None = None) -> Options:
    """The settings of this host's copy of D1, at most `max_age` seconds old while D1 answers."""
    return {
        "ENGINE": "d1backend.replica",
        "NAME": data / "replica",
        "CONN_MAX_AGE": None,
        "OPTIONS": {**COPIED, "max_age": max_age, "snapshots": snapshots},
    }


def default_database(env: environ.Env, data: Path) -> Options:
    """Return the default database: D1 if its variables are set, else DATABASE_URL, else SQLite in a file."""
    if all(read_text(env, name) for name in (ACCOUNT_VARIABLE, *D1_VARIABLES)):
        return d1_database(env, data)
    if read_text(env, "DATABASE_URL"):
        return {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return {
        "ENGINE": "core.sqlite",
        "NAME": data / "gallery.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # A transaction that reads before it writes must not find the file locked halfway.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def d1_database(env: environ.Env, data: Path) -> Options:
    """Return the settings of D1 through d1backend. Its processes share files in `data`."""
    timeout = env.float("D1_TIMEOUT", 35.0)
    options: Options = {
        "account_id": read_text(env, ACCOUNT_VARIABLE),
        "api_token": read_text(env, "CLOUDFLARE_API_TOKEN"),
        "timeout": timeout,
        "retry_budget": min(timeout, 20.0),
        "folder": data,
        "hosts": read_whole(env, "HOSTS", 1, 1, MOST_HOSTS),
    }
    if read_text(env, "D1_ALLOWANCE"):
        options["allowance"] = read_whole(env, "D1_ALLOWANCE", 0, 0, 1_000_000)
    if read_text(env, "D1_MOST_CALLS"):
        options["most_calls"] = read_whole(env, "D1_MOST_CALLS", 1, 1, 999_999)
    if base_url := read_text(env, "CLOUDFLARE_D1_BASE_URL"):
        options["base_url"] = base_url
    return {
        "ENGINE": "d1backend",
        "NAME": read_text(env, "CLOUDFLARE_D1_DATABASE_ID"),
        "CONN_MAX_AGE": None,
        "OPTIONS": options,
    }


def cache_places(env: environ.Env, data: Path) -> dict[str, Options]:
    """Return the caches: `host`, files that all processes of the host share; `default`, CACHE_URL's or the same."""
    # Throttles count for all processes of the host, which the memory of one process cannot.
    host = {
        "BACKEND": "core.cache.FolderCache",
        "LOCATION": data / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    if not read_text(env, "CACHE_URL"):
        return {"default": host, "host": host}
    place = env.cache_url("CACHE_URL")
    if place["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
        place["BACKEND"] = "core.cache.SteadyRedisCache"
        waits = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
        place["OPTIONS"] = waits | place.get("OPTIONS", {})
    return {"default": place, "host": host}


def snapshots(storage: Options | None, secrets: list[str]) -> Options | None:
    """Return the replica's option "snapshots"; None without a storage. The secrets are the newest first."""
    if storage is None:
        return None
    return {"storage": PRIVATE_STORAGE, "keys": [secret for secret in secrets if secret]}
