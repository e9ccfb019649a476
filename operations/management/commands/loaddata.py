"""Django's loaddata; what triggers count is counted anew at the end, because the fixtures have it already.

Rows that come with their counters would otherwise count twice: likes, totals, the last sign-in of a user.
"""

from collections.abc import Sequence
from typing import Any

from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializedObject
from django.db import connections

from core import triggers


class Command(loaddata.Command):
    def loaddata(self, fixture_labels: Sequence[str]) -> None:
        with triggers.suspended(connections[self.using]):
            super().loaddata(fixture_labels)

    def save_obj(self, obj: DeserializedObject) -> Any:
        """Save an object, unless it is of the full-text index, which is made anew."""
        return bool(obj.object._meta.managed) and super().save_obj(obj)
