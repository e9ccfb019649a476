"""D1's own engine for a test run: one for each process, ended with it."""

import atexit
import uuid
from typing import Any

from django.conf import settings

from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api


def d1_database() -> dict[str, Any]:
    """The settings of a database on an engine that is started here. Its NAME names nothing: tests make their own."""
    d1 = D1Local()
    d1.__enter__()
    atexit.register(d1.__exit__, None, None, None)
    return {
        "ENGINE": "d1backend",
        "NAME": "tests-make-their-own",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"account_id": "tests", "api_token": d1.token, "base_url": d1.url},
    }


def engine_environment() -> dict[str, str]:
    """The variables that lead a server of the run to a new database of its own on the engine under test."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "d1backend":
        return {}
    options = database["OPTIONS"]
    return {
        "CLOUDFLARE_ACCOUNT_ID": options["account_id"],
        "CLOUDFLARE_API_TOKEN": options["api_token"],
        "CLOUDFLARE_D1_BASE_URL": options["base_url"],
        "CLOUDFLARE_D1_DATABASE_ID": Api(Settings(**options)).create(f"e2e-{uuid.uuid4().hex}"),
    }
