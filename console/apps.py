"""The console as an app: its templates, its static files and every admin class."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"
