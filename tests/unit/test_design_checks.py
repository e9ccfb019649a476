"""The system checks of the catalogue."""

from unittest import mock

from django.core.checks import run_checks
from django.db import connections


def test_another_database_than_sqlite_or_d1_is_named_with_what_to_do():
    assert not [found for found in run_checks() if found.id == "designs.E001"]
    with mock.patch.object(connections["default"], "vendor", "postgresql"):
        (found,) = [found for found in run_checks() if found.id == "designs.E001"]
    assert "postgresql" in found.msg
    assert "DATABASE_URL" in found.hint
