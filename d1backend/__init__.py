"""A Django database backend for Cloudflare D1 (docs/d1backend.md)."""

from d1backend.errors import ConditionFailed, OutcomeUnknown, OutOfReach, RateLimited, SerializationFailure
from d1backend.gather import ask_ahead, gather, write_then_gather
from d1backend.retry import retry_on_conflict
from d1backend.transaction.write_conditions import conditional_writes, write_only_if
from d1backend.updates import delete_or_conflict, insert_unkeyed, update_or_conflict, update_uncounted

__all__ = [
    "ConditionFailed",
    "OutOfReach",
    "OutcomeUnknown",
    "RateLimited",
    "SerializationFailure",
    "ask_ahead",
    "conditional_writes",
    "delete_or_conflict",
    "gather",
    "insert_unkeyed",
    "retry_on_conflict",
    "update_or_conflict",
    "update_uncounted",
    "write_only_if",
    "write_then_gather",
]
