"""The settings of a D1 database: a DATABASES entry with ENGINE "d1backend"."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
REPLICA_ENGINE = "d1backend.replica"
_OPTIONS = {
    "account_id",
    "api_token",
    "base_url",
    "connect_timeout",
    "timeout",
    "retries",
    "retry_budget",
    "retry_pause",
    "folder",
    "most_calls",
}


@dataclass(frozen=True)
class Settings:
    """Where the API is, and how long to try (times in seconds).

    A call is retried up to `retries` times. The waits start at `retry_pause` and double, and no attempt begins later
    than `retry_budget` after the first. The processes of a host share a 429 through files in `folder`: none of them
    sends a request while it lasts.
    A process with `most_calls` serves people: at most so many of its calls wait for D1 at once, and while D1 is out of
    reach calls fail at once (protocol/breaker.py). Without it, as in a command, each call waits and retries.
    """

    account_id: str
    api_token: str
    base_url: str = CLOUDFLARE
    connect_timeout: float = 5.0
    timeout: float = 35.0
    retries: int = 5
    retry_budget: float = 20.0
    retry_pause: float = 0.2
    folder: Path | None = None
    most_calls: int | None = None

    def __repr__(self) -> str:
        return f"Settings(account_id={self.account_id!r}, base_url={self.base_url!r})"


def settings_of(alias: str, entry: Mapping[str, Any]) -> Settings:
    """The API's settings from a DATABASES entry; `folder` defaults to the directory of the database's replica.

    Raises ImproperlyConfigured naming the key that is missing or unknown.
    """
    options = entry.get("OPTIONS") or {}
    where = f"DATABASES[{alias!r}]"
    for key in ("account_id", "api_token"):
        if not options.get(key):
            raise ImproperlyConfigured(
                f"{where}['OPTIONS'] needs {key!r}, Cloudflare's {key.replace('_', ' ')}."
            )
    if unknown := sorted(set(options) - _OPTIONS):
        raise ImproperlyConfigured(f"{where}['OPTIONS'] has unknown keys: {', '.join(unknown)}.")
    replica = replica_of(alias)
    folder = options.get("folder") or (replica and replica.get("NAME"))
    return Settings(**{**options, "folder": Path(folder) if folder else None})


def replica_of(source: str) -> Mapping[str, Any] | None:
    """The DATABASES entry of the replica that copies this database, if there is one."""
    for entry in connections.settings.values():
        options = entry.get("OPTIONS") or {}
        if entry.get("ENGINE") == REPLICA_ENGINE and options.get("source", "default") == source:
            return entry
    return None
