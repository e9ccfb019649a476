"""Fields that nobody may ask about: hashes of passwords, ids of tokens, sessions.

A model names its own in `secret_fields`.
"""

from typing import Any

from django.db.models import Model

OF_DJANGO = {"sessions.Session": {"session_key", "session_data"}}


def is_secret(field: Any) -> bool:
    model: type[Model] = field.model
    return field.name in {*getattr(model, "secret_fields", ()), *OF_DJANGO.get(model._meta.label, ())}
