"""The app of what every other app shares."""

from django.apps import AppConfig


class GalleryProjectConfig(AppConfig):
    name = "gallery_project"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from gallery_project import checks  # noqa: F401  registers the system checks
