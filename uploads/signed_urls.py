"""Signatures of URLs that PUT one object into the folder storage."""

import time
from datetime import timedelta

from django.core import signing

SALT = "uploads.ticket"


def sign(key: str, content_type: str, size: int, lifetime: timedelta) -> str:
    """Return a ticket for exactly `size` bytes of that type under `key`, valid for `lifetime`."""
    claims = [key, content_type, size, int(time.time() + lifetime.total_seconds())]
    return signing.dumps(claims, salt=SALT)


def is_valid(ticket: str, key: str, content_type: str, size: int) -> bool:
    """Return whether the ticket is signed by us, has not expired, and is for this upload."""
    try:
        *claims, expiry = signing.loads(ticket, salt=SALT)
    except signing.BadSignature:
        return False
    return claims == [key, content_type, size] and time.time() <= expiry
