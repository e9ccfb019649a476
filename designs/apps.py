"""The catalogue: designs, favourites, search, facets, analytics."""

from django.apps import AppConfig


class DesignsConfig(AppConfig):
    name = "designs"
    verbose_name = "Designs"

    def ready(self) -> None:
        from core.hooks import exporters, image_uses
        from core.triggers import register
        from designs import checks, hooks, personal, triggers  # noqa: F401  checks registers the system checks

        register(self.label, triggers.OBJECTS, setup=triggers.SEARCH_SETUP, recount=triggers.RECOUNT)
        image_uses.provide(hooks.cover_use)
        image_uses.provide(hooks.further_use)
        exporters.provide(personal.export)
