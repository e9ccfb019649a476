"""The app of what every other app shares."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from django.conf import settings

        from core import d1_quota, private_files
        from d1backend.protocol.api import request_sent

        request_sent.connect(d1_quota.count, dispatch_uid="core.d1_quota")
        private_files.tighten(settings.DATA)
