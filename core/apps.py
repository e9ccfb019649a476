"""What every other app shares."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from django.conf import settings

        from core import checks, hooks, personal, private_files, triggers

        triggers.register(self.label, triggers.TRIGGERS)
        hooks.exporters.provide(personal.export)
        post_migrate.connect(checks.check_after_migrate, sender=self, dispatch_uid="core.checks")
        private_files.tighten(settings.DATA)
