"""What every other app shares."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from django.conf import settings

        from core import checks, hooks, personal, private_files, triggers
        from core.metrics import d1, host, replica

        triggers.register(self.label, triggers.TRIGGERS)
        hooks.exporters.provide(personal.export)
        for part in (d1, replica, host):
            hooks.gauges.provide(part.read)
        d1.listen()
        replica.listen()
        post_migrate.connect(checks.check_after_migrate, sender=self, dispatch_uid="core.checks")
        private_files.tighten(settings.DATA)
