"""Django's dumpdata without the full-text index, which has no rows of its own.

It is for fixtures of some tables. For all data use `backup`: it is of one state, exact, and encrypted.
"""

from typing import Any

from django.apps import apps
from django.core.management.commands import dumpdata


class Command(dumpdata.Command):
    help = __doc__

    def handle(self, *app_labels: str, **options: Any) -> None:
        unmanaged = [model._meta.label for model in apps.get_models() if not model._meta.managed]
        super().handle(*app_labels, **{**options, "exclude": [*options["exclude"], *unmanaged]})
