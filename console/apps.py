"""The console: every admin class, with its templates and static files."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console.sessions import begin

        user_logged_in.connect(begin, dispatch_uid="console.sessions.begin")
