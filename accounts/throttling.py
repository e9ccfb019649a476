"""Limits on what strangers can ask of the database, counted in Django's cache for all processes that share it.

Failures count for each pair of address and name, so nobody can lock out others from elsewhere; and for each address,
with a larger limit, so one address cannot try many names.
"""

import hashlib
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from accounts.usernames import username_key
from core.client_address import network_of
from core.errors import TooMany

NAMES_PER_ADDRESS = 20  # an address may fail as often as this many names


@dataclass(frozen=True)
class Limit:
    """At most `most` counts in `seconds`, starting with the first count."""

    key: str
    most: int
    seconds: int

    @classmethod
    def of(cls, what: str, limit: tuple[int, int], *who: str, times: int = 1) -> "Limit":
        digest = hashlib.sha256("\n".join(who).encode("utf-8", "replace")).hexdigest()
        return cls(f"guard:{what}:{digest}", limit[0] * times, limit[1])

    def check(self, code: str) -> None:
        """Raise TooMany if the limit is reached."""
        until = cache.get(self.key)
        if until is not None and cache.get(f"{self.key}:{until}", 0) >= self.most:
            wait = max(1, round(until - time.time()))
            raise TooMany("Too many attempts. Please wait before the next one.", code=code, retry_after=wait)

    def count(self) -> None:
        until = cache.get_or_set(self.key, lambda: time.time() + self.seconds, self.seconds)
        counter = f"{self.key}:{until}"
        cache.add(counter, 0, self.seconds)
        cache.incr(counter)
        # Caches without their own incr reset the counter's lifetime.
        cache.touch(counter, self.seconds)

    def clear(self) -> None:
        cache.delete(self.key)


def pair_limit(address: str, username: str) -> Limit:
    return Limit.of("pair", settings.SIGN_IN_FAILURES, network_of(address), username_key(username.strip()))


def address_limit(address: str) -> Limit:
    return Limit.of("address", settings.SIGN_IN_FAILURES, network_of(address), times=NAMES_PER_ADDRESS)


def unapproved_limit(address: str, username: str) -> Limit:
    who = (network_of(address), username_key(username.strip()))
    return Limit.of("unapproved", settings.SIGN_IN_FAILURES, *who)


def check_sign_in(address: str, username: str) -> None:
    """Raise TooMany (`too_many_attempts`) if this address failed too often, with this name or with several.

    So it does after as many right passwords of an account that is not approved.
    """
    unapproved_limit(address, username).check("too_many_attempts")
    pair_limit(address, username).check("too_many_attempts")
    address_limit(address).check("too_many_attempts")


def count_failure(address: str, username: str) -> None:
    pair_limit(address, username).count()
    address_limit(address).count()


def clear_failures(address: str, username: str) -> None:
    """Forget the failures of this name from this address, after the right password."""
    pair_limit(address, username).clear()


def count_unapproved(address: str, username: str) -> None:
    """Count a right password of an account that waits or was declined. Unlike failures, no sign-in forgets these."""
    unapproved_limit(address, username).count()


def check_refresh(address: str) -> None:
    """Raise TooMany if too many refresh tokens from this address were rejected."""
    refresh_limit(address).check("too_many_attempts")


def count_rejected_refresh(address: str) -> None:
    refresh_limit(address).count()


def refresh_limit(address: str) -> Limit:
    # As many as failed sign-ins: many people may share an address.
    return Limit.of("refresh", settings.SIGN_IN_FAILURES, network_of(address), times=NAMES_PER_ADDRESS)


def count_registration(address: str) -> None:
    """Count one registration from this address. Raises TooMany if there were too many."""
    limit = Limit.of("register", settings.REGISTRATIONS, network_of(address))
    limit.check("too_many_attempts")
    limit.count()
