"""Makes of the environment what settings.py needs: databases, caches and secrets.

The functions return values, so that settings.py stays a list of facts. What is wrong was refused before
(core/variables). Runs while settings load: import no settings and no models.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import environ

from core import private_files
from core.variables import declared as v
from core.variables.combinations import has_d1
from core.variables.reading import Environment

Options: TypeAlias = dict[str, Any]  # of a database, cache or storage, as Django takes them

PRIVATE_STORAGE = "private"
REDIS_SECONDS = 0.5  # without a response after which Redis counts as away
REPLICA_ALIAS = "replica"
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
    # core.restores.MARKER: no host copies what a restore has not finished.
    "not_while": "unfinished_restore",
}


def origin(url: str) -> str:
    """Return scheme, host and port of a URL; empty for an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def jwt_secret(env: Environment, data: Path) -> str:
    """Return JWT_SECRET. Outside production, where it may be missing, it is made once and stored in the data folder."""
    return env[v.JWT_SECRET] or kept_secret(data / "jwt-secret")


def secret_keys(env: Environment, secret: str, previous: str) -> tuple[str, list[str]]:
    """Return SECRET_KEY, by default derived from JWT_SECRET, and SECRET_KEY_FALLBACKS, which verify and never sign.

    The fallbacks are those of the variable, with commas between them, and what was derived from JWT_SECRET_PREVIOUS. So
    a change of either secret ends neither the sessions of the console nor the addresses of uploads.
    """
    listed = [key.strip() for key in env[v.SECRET_KEY_FALLBACKS].split(",") if key.strip()]
    if own := env[v.SECRET_KEY]:
        return own, listed
    derived = [derived_secret(previous, "django")] if previous else []
    return derived_secret(secret, "django"), [*derived, *listed]


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


def databases(env: Environment, data: Path, snapshots: Options | None) -> dict[str, Options]:
    """Return the databases: `default`, and `replica` if the default is D1 and REPLICA is not off."""
    default = default_database(env, data)
    if default["ENGINE"] != "d1backend" or not env[v.REPLICA]:
        return {"default": default}
    return {
        "default": default,
        REPLICA_ALIAS: replica_database(data, env[v.REPLICA_MAX_AGE], snapshots),
    }


def replica_database(data: Path, max_age: float, snapshots: Options | None = None) -> Options:
    """The settings of this host's copy of D1, at most `max_age` seconds old while D1 answers."""
    return {
        "ENGINE": "d1backend.replica",
        "NAME": data / "replica",
        "CONN_MAX_AGE": None,
        "OPTIONS": {**COPIED, "max_age": max_age, "snapshots": snapshots},
    }


def default_database(env: Environment, data: Path) -> Options:
    """Return the default database: D1 if its variables are set, else SQLite in DATABASE_URL's file or in `data`."""
    if has_d1(env):
        return d1_database(env, data)
    named = unquote(urlsplit(env[v.DATABASE_URL]).path).removeprefix("/")
    return {
        "ENGINE": "core.sqlite",
        "NAME": Path(named).resolve() if named else data / "gallery.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # A transaction that reads before it writes must not find the file locked halfway.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def d1_database(env: Environment, data: Path) -> Options:
    """Return the settings of D1 through d1backend. Its processes share files in `data`."""
    timeout = env[v.D1_TIMEOUT]
    options: Options = {
        "account_id": env[v.CLOUDFLARE_ACCOUNT_ID],
        "api_token": env[v.CLOUDFLARE_API_TOKEN],
        "timeout": timeout,
        "retry_budget": min(timeout, 20.0),
        "folder": data,
        "hosts": env[v.HOSTS],
    }
    given = {
        "allowance": env[v.D1_ALLOWANCE],
        "most_calls": env[v.D1_MOST_CALLS],
        "base_url": env[v.CLOUDFLARE_D1_BASE_URL] or None,
    }
    return {
        "ENGINE": "d1backend",
        "NAME": env[v.CLOUDFLARE_D1_DATABASE_ID],
        "CONN_MAX_AGE": None,
        "OPTIONS": options | {name: value for name, value in given.items() if value is not None},
    }


def cache_places(env: Environment, data: Path) -> dict[str, Options]:
    """Return the caches: `host`, files that all processes of the host share; `default`, CACHE_URL's or the same."""
    # Throttles count for all processes of the host, which the memory of one process cannot.
    host = {
        "BACKEND": "core.cache.FolderCache",
        "LOCATION": data / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    if not env[v.CACHE_URL]:
        return {"default": host, "host": host}
    place = environ.Env.cache_url_config(env[v.CACHE_URL])
    waits = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
    redis = {"BACKEND": "core.cache.SteadyRedisCache", "OPTIONS": waits | place.get("OPTIONS", {})}
    return {"default": place | redis, "host": host}


def snapshots(storage: Options | None, secrets: list[str]) -> Options | None:
    """Return the replica's option "snapshots"; None without a storage. The secrets are the newest first."""
    if storage is None:
        return None
    return {"storage": PRIVATE_STORAGE, "keys": [secret for secret in secrets if secret]}
