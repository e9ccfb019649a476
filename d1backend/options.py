"""The settings of a D1 database: a DATABASES entry with ENGINE "d1backend"."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    "allowance",
    "hosts",
    "most_calls",
}
# Calls in five minutes, of one account: https://developers.cloudflare.com/fundamentals/api/reference/limits/
ALLOWANCE = 1200
# A read requests a sync at this part of a replica's max_age, so it seldom has to wait for one.
SYNC_AT = 0.75
_MANY = 1_000  # retries: the time bounds them
MAX_AGE = 2.0  # of a replica whose OPTIONS do not say


@dataclass(frozen=True)
class Settings:
    """Where the API is, and how long to try (times in seconds).

    A call is retried up to `retries` times. The waits start at `retry_pause` and double, and no attempt begins later
    than `retry_budget` after the first. The processes of a host share a 429 through files in `folder`: none of them
    sends a request while it lasts.
    The account has `allowance` calls in five minutes (0: no limit) and `hosts` hosts, each with an equal share. The
    replica of the database syncs each `sync_period`, 0 without one (protocol/budget.py).
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
    allowance: int = 0
    hosts: int = 1
    sync_period: float = 0.0
    most_calls: int | None = None

    def patient(self, seconds: float) -> "Settings":
        """The same for a command that would have to begin again: a call may be tried again for so many seconds."""
        return replace(self, retries=_MANY, retry_budget=seconds, most_calls=None)

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
    allowance, hosts = limits_of(alias, entry)
    replica = replica_of(alias)
    folder = options.get("folder") or (replica and replica.get("NAME"))
    max_age = 0.0 if replica is None else float((replica.get("OPTIONS") or {}).get("max_age", MAX_AGE))
    found = {"folder": Path(folder) if folder else None, "allowance": allowance, "hosts": hosts}
    return Settings(**{**options, **found, "sync_period": max_age * SYNC_AT})


def limits_of(alias: str, entry: Mapping[str, Any]) -> tuple[int, int]:
    """The account's calls in five minutes (0: no limit) and the number of its hosts, from a DATABASES entry.

    Cloudflare's own API has a limit, and others that speak its protocol have none, unless the entry says so.
    Raises ImproperlyConfigured for one that is not a whole number or too small.
    """
    options = entry.get("OPTIONS") or {}
    default = ALLOWANCE if options.get("base_url", CLOUDFLARE) == CLOUDFLARE else 0
    found = []
    for key, value, least in (
        ("allowance", options.get("allowance", default), 0),
        ("hosts", options.get("hosts", 1), 1),
    ):
        if not isinstance(value, int) or value < least:
            raise ImproperlyConfigured(
                f"DATABASES[{alias!r}]['OPTIONS'][{key!r}] must be a whole number from {least}, not {value!r}."
            )
        found.append(value)
    return found[0], found[1]


def replica_of(source: str) -> Mapping[str, Any] | None:
    """The DATABASES entry of the replica that copies this database, if there is one."""
    for entry in connections.settings.values():
        options = entry.get("OPTIONS") or {}
        if entry.get("ENGINE") == REPLICA_ENGINE and options.get("source", "default") == source:
            return entry
    return None
