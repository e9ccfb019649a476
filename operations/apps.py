"""Commands for maintainers that work on all apps at once."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations import time_travel
        from operations.seed import checks  # noqa: F401  registers the system check

        time_travel.connect()
