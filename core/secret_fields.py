"""Fields that no filter may use: password hashes, ids of tokens.

A model lists its own in `secret_fields`.
"""

from django.db.models import Field, ForeignObjectRel, Model


def is_secret(field: Field | ForeignObjectRel) -> bool:
    model: type[Model] = field.model
    return field.name in getattr(model, "secret_fields", ())
