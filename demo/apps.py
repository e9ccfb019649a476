"""The demo gallery as an app, for its commands; production imports nothing of it."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
