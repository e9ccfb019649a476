"""The catalogue: designs, favourites, search, facets, analytics."""

from django.apps import AppConfig


class DesignsConfig(AppConfig):
    name = "designs"
    verbose_name = "Designs"

    def ready(self) -> None:
        from designs import checks  # noqa: F401  registers the system checks
