"""Images: storage, validation, renditions."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"
    verbose_name = "Images"

    def ready(self) -> None:
        from core import hooks
        from core.triggers import register
        from uploads import checks, gauges, personal, selectors, triggers  # noqa: F401  checks registers the system checks

        register(self.label, triggers.TRIGGERS, recount=triggers.RECOUNT)
        hooks.own_avatar.provide(selectors.own_avatar)
        hooks.image_uses.provide(selectors.avatar_use)
        hooks.erasers.provide(personal.erase)
        hooks.exporters.provide(personal.export)
        hooks.gauges.provide(gauges.read)
