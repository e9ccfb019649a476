"""How much of its share of D1's allowance this host has used (d1backend/protocol/budget.py)."""

from django.db import DEFAULT_DB_ALIAS, connections

from d1backend.options import settings_of
from d1backend.protocol.budget import budget_of


def used_and_share() -> tuple[int, int]:
    """Return the calls of the last five minutes, and how many this host may make; 0 where D1 sets no limit."""
    budget = budget_of(settings_of(DEFAULT_DB_ALIAS, connections[DEFAULT_DB_ALIAS].settings_dict))
    return budget.used(), budget.share
