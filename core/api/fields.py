"""Serializer fields that accept only their own JSON type; DRF's would convert others."""

import unicodedata

from rest_framework import serializers

from core.json_types import Json


class TextField(serializers.CharField):
    """A string: trimmed, without NUL (DRF's own check), encodable as UTF-8. Rejects numbers."""

    default_error_messages = {
        "invalid": "This must be text.",
        "surrogate": "This holds half a character (a lone surrogate).",
    }

    def to_internal_value(self, data: Json) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if any(unicodedata.category(character) == "Cs" for character in data):
            self.fail("surrogate")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """true or false. Rejects the strings and numbers that DRF would accept."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Json) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class WholeNumberField(serializers.IntegerField):
    """A whole number. Rejects the strings and fractions that DRF would accept."""

    def to_internal_value(self, data: Json) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryFlagField(serializers.BooleanField):
    """true or false as a query parameter, in any case (Python's clients write True)."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Json) -> bool:
        text = str(data).lower()
        if text not in ("true", "false"):
            self.fail("invalid", input=data)
        return text == "true"
