"""The project as an app of its own: it registers the system checks of the settings."""

from django.apps import AppConfig


class GalleryProjectConfig(AppConfig):
    name = "gallery_project"

    def ready(self) -> None:
        from gallery_project import checks  # noqa: F401  registers the system checks
