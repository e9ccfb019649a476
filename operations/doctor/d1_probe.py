"""Asks D1 a short question over its API, and keeps all that the answers say: codes, headers, times."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3
from django.conf import settings as gallery

from d1backend.creation import id_of
from d1backend.options import Settings, settings_of
from d1backend.protocol.budget import budget_of
from d1backend.protocol.limit_headers import parse_limit
from d1backend.protocol.schema_version import VERSION

SECONDS = 5.0  # for an answer
QUESTION = f"SELECT {VERSION}, unixepoch('subsec')"
TIMES = 3  # the first opens the connection


@dataclass(frozen=True)
class Answers:
    """What D1 answered to the last of some questions, and the shortest round trip (seconds).

    `codes` are Cloudflare's codes of errors. `moment` is D1's time between `sent` and `received` (time.time()), `size`
    is in bytes, `left` the calls that the account has left, as far as D1 says.
    """

    status: int
    codes: frozenset[int]
    moment: float
    sent: float
    received: float
    round_trip: float
    schema: str | None
    size: int
    left: int | None


def d1_settings() -> tuple[Settings, str]:
    """Return the settings of the default database and its id."""
    entry = gallery.DATABASES["default"]
    found = settings_of("default", entry)
    return found, id_of(found, str(entry["NAME"]))


def ask_d1() -> Answers:
    """Ask D1 for the version of its schema and the time, three times over one connection.

    Raises urllib3's HTTPError if it cannot be reached, and RateLimited if this host has no call left.
    """
    settings, database = d1_settings()
    path = f"/accounts/{quote(settings.account_id, safe='')}/d1/database/{quote(database, safe='')}/raw"
    budget = budget_of(settings)
    timeout = urllib3.Timeout(connect=3.0, read=SECONDS)
    headers = {"Authorization": f"Bearer {settings.api_token}", "Content-Type": "application/json"}
    body = json.dumps({"batch": [{"sql": QUESTION}]}).encode()
    shortest = SECONDS
    with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
        for _ in range(TIMES):
            budget.take()
            sent, started = time.time(), time.perf_counter()
            response = pool.request("POST", settings.base_url + path, headers=headers, body=body)
            shortest, received = min(shortest, time.perf_counter() - started), time.time()
            budget.note(response.headers)
            if response.status != 200:
                break
    content = parsed(response.data)
    result = first(content.get("result"))
    ((schema, moment),) = (result.get("results") or {}).get("rows") or [(None, 0.0)]
    return Answers(
        status=response.status,
        codes=frozenset(error.get("code", 0) for error in content.get("errors") or []),
        moment=moment,
        sent=sent,
        received=received,
        round_trip=shortest,
        schema=schema,
        size=(result.get("meta") or {}).get("size_after", 0),
        left=parse_limit(response.headers).left,
    )


def token_is_active() -> bool | None:
    """Return whether Cloudflare knows the API token, whatever it permits; None if the API does not say.

    https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/
    """
    settings, _ = d1_settings()
    headers = {"Authorization": f"Bearer {settings.api_token}"}
    timeout = urllib3.Timeout(connect=3.0, read=SECONDS)
    with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
        response = pool.request("GET", f"{settings.base_url}/user/tokens/verify", headers=headers)
    content = parsed(response.data)
    if response.status == 200:
        return (content.get("result") or {}).get("status") == "active"
    return False if response.status in (400, 401) else None


def parsed(data: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def first(result: Any) -> Mapping[str, Any]:
    return result[0] if isinstance(result, list) and result else {}
