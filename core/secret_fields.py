"""Fields that no filter may use: password hashes, ids of tokens, sessions.

A model lists its own in `secret_fields`.
"""

from django.db.models import Field, ForeignObjectRel, Model

OF_DJANGO = {"sessions.Session": {"session_key", "session_data"}}


def is_secret(field: Field | ForeignObjectRel) -> bool:
    model: type[Model] = field.model
    return field.name in {*getattr(model, "secret_fields", ()), *OF_DJANGO.get(model._meta.label, ())}
