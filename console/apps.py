"""The console: every admin class, with its templates and static files."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"
