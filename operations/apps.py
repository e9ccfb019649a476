"""Commands for maintainers that work on all apps at once."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"
