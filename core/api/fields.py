"""Serializer fields that take exactly the JSON type they name, where DRF's would convert."""

import unicodedata
from typing import Any

from rest_framework import serializers


class TextField(serializers.CharField):
    """A string: trimmed, without NUL (DRF's own check), and encodable as UTF-8; a number is not one."""

    default_error_messages = {
        "invalid": "This must be text.",
        "surrogate": "This holds half a character (a lone surrogate).",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if any(unicodedata.category(character) == "Cs" for character in data):
            self.fail("surrogate")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """true or false; the strings and numbers that DRF would take are not."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class QueryFlagField(serializers.BooleanField):
    """true or false as a query parameter, in any case (Python's clients write True)."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data.lower() not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data.lower() == "true")
