"""Django with one D1 database and nothing else, for processes outside the test run."""

import django
from django.conf import settings

PATIENCE = {
    "timeout": 0.5, "connect_timeout": 2.0, "retries": 10, "retry_budget": 15.0, "retry_pause": 0.002,
}  # fmt: skip
HASTE = {"retries": 0}
SERVER = {"retries": 2, "most_calls": 4}


def configure(url: str, database: str, token: str) -> None:
    """Make it the default database, reached through `url`, and "hasty", which never tries twice, and a "server"."""
    options = {**PATIENCE, "account_id": "an-account", "api_token": token, "base_url": url}
    entry = {"ENGINE": "d1backend", "NAME": database}
    settings.configure(
        DATABASES={
            "default": {**entry, "OPTIONS": options},
            "hasty": {**entry, "OPTIONS": {**options, **HASTE}},
            "server": {**entry, "OPTIONS": {**options, **SERVER}},
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
