"""A Django database backend for Cloudflare D1 (docs/d1backend.md)."""

from .errors import OutcomeUnknown, RateLimited, SerializationFailure
from .gather import gather
from .retry import retry_on_conflict
from .uncounted import insert_unkeyed, update_or_conflict, update_uncounted

__all__ = [
    "OutcomeUnknown",
    "RateLimited",
    "SerializationFailure",
    "gather",
    "insert_unkeyed",
    "retry_on_conflict",
    "update_or_conflict",
    "update_uncounted",
]
