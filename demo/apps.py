"""The demo gallery as an app, which gives Django its commands. Production imports nothing from it."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
