"""The signed, expiring permission to PUT one object into the folder storage."""

import time
from datetime import timedelta

from django.core import signing

SALT = "uploads.ticket"


def sign(key: str, content_type: str, size: int, lifetime: timedelta) -> str:
    """A ticket for exactly `size` bytes of that type under `key`, good for `lifetime`."""
    claims = [key, content_type, size, int(time.time() + lifetime.total_seconds())]
    return signing.dumps(claims, salt=SALT)


def admits(ticket: str, key: str, content_type: str, size: int) -> bool:
    """Whether the ticket is ours, not expired, and for this."""
    try:
        *claims, expiry = signing.loads(ticket, salt=SALT)
    except signing.BadSignature:
        return False
    return claims == [key, content_type, size] and time.time() <= expiry
