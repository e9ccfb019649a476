"""The catalogue: designs, favourites, search, facets, analytics."""

from django.apps import AppConfig


class DesignsConfig(AppConfig):
    name = "designs"
    verbose_name = "Designs"

    def ready(self) -> None:
        from core.hooks import exporters, gauges, image_uses
        from core.triggers import register
        from designs import checks, hooks, personal, triggers  # noqa: F401  checks registers the system checks
        from designs.gauges import read

        register(self.label, triggers.OBJECTS, setup=triggers.SEARCH_SETUP, recount=triggers.RECOUNT)
        image_uses.provide(hooks.cover_use)
        image_uses.provide(hooks.further_use)
        exporters.provide(personal.export)
        gauges.provide(read)
