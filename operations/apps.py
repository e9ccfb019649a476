"""Commands for maintainers that work on all apps at once."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations import time_travel

        time_travel.connect()
