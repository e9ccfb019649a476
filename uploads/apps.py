"""Images: storage, validation, renditions."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"
    verbose_name = "Images"

    def ready(self) -> None:
        from core.triggers import register
        from uploads import checks, triggers  # noqa: F401  checks registers the system checks

        register(self.label, triggers.TRIGGERS)
