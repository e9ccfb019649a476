"""Limits on registrations, and on sign-ins and refreshes by what becomes of them. Guesses: accounts.guesses."""

from django.conf import settings

from accounts.guesses import NAMES_PER_NETWORK
from accounts.usernames import username_key
from core import limits
from core.client_address import network_of
from core.limits import TOO_MANY_ATTEMPTS, Allowance, Limit


def pair_of(address: str, username: str) -> str:
    return f"{network_of(address)}\n{username_key(username.strip())}"


def sign_ins(address: str, username: str) -> Allowance:
    """Return what is left of the right passwords for this name from this network."""
    return Allowance(Limit.of("SIGN_INS"), pair_of(address, username))


def unapproved_sign_ins(address: str, username: str) -> Allowance:
    """Return what is left of the right passwords of an account that waits or was declined."""
    return Allowance(Limit.of("UNAPPROVED_SIGN_INS"), pair_of(address, username))


def rejected_refreshes(address: str) -> Allowance:
    """Return what is left of the refresh tokens from this network that may be rejected."""
    most, seconds = settings.SIGN_IN_FAILURES
    # As many as failed sign-ins: many people may share a network.
    return Allowance(Limit("rejected refreshes", most * NAMES_PER_NETWORK, seconds), network_of(address))


def count_registration(address: str) -> None:
    """Count one registration from this network. Raises TooMany if there were too many."""
    limits.take(limits.registrations_of(network_of(address)), code=TOO_MANY_ATTEMPTS)
