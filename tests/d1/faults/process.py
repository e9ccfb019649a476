"""Django with one D1 database and nothing else, for processes outside the test run."""

import django
from django.conf import settings

PATIENCE = {
    "timeout": 0.5, "connect_timeout": 2.0, "retries": 10, "retry_budget": 15.0, "retry_pause": 0.002,
}  # fmt: skip
HASTE = {"retries": 0}


def configure(url: str, database: str, token: str) -> None:
    """Make the database the default one, reached through `url`, and again "hasty", which never tries twice."""
    options = {**PATIENCE, "account_id": "an-account", "api_token": token, "base_url": url}
    entry = {"ENGINE": "d1backend", "NAME": database}
    settings.configure(
        DATABASES={
            "default": {**entry, "OPTIONS": options},
            "hasty": {**entry, "OPTIONS": {**options, **HASTE}},
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
