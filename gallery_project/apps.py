"""The project as an app of its own: it registers the system checks of the settings, and starts what reports errors."""

from django.apps import AppConfig
from django.conf import settings


class GalleryProjectConfig(AppConfig):
    name = "gallery_project"

    def ready(self) -> None:
        from core.hooks import gauges
        from core.logs.uncaught import log_uncaught
        from gallery_project import checks, metrics  # noqa: F401  checks registers the system checks

        gauges.provide(metrics.read)
        if settings.LOG_FORMAT == "json" or settings.SENTRY_DSN:
            log_uncaught()
        if settings.SENTRY_DSN:
            from gallery_project import error_reports  # with sentry-sdk, 10 MB that others do without

            error_reports.start()
