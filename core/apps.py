"""What every other app shares."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from django.conf import settings

        from core import checks, d1_quota, private_files, triggers
        from d1backend.protocol.api import request_sent

        triggers.register(self.label, triggers.TRIGGERS)
        post_migrate.connect(checks.check_after_migrate, sender=self, dispatch_uid="core.checks")
        request_sent.connect(d1_quota.count, dispatch_uid="core.d1_quota")
        private_files.tighten(settings.DATA)
