"""The project as an app of its own: it registers the system checks of the settings."""

from django.apps import AppConfig


class GalleryProjectConfig(AppConfig):
    name = "gallery_project"

    def ready(self) -> None:
        from core.hooks import gauges
        from gallery_project import checks, metrics  # noqa: F401  checks registers the system checks

        gauges.provide(metrics.read)
