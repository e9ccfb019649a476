"""`check --database` and `migrate` compare the triggers in the database with those that the code expects."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from core import triggers
from operations.doctor import database as doctor
from operations.doctor.findings import Status, Visit

pytestmark = pytest.mark.django_db


def checked():
    """What the check says, by its identifier."""
    try:
        call_command("check", databases=["default"], stdout=io.StringIO(), stderr=(said := io.StringIO()))
    except SystemCheckError as error:
        return str(error)
    return said.getvalue()


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_a_migrated_database_has_what_the_code_expects():
    assert "core." not in checked()


def test_a_missing_trigger_is_named():
    execute("DROP TRIGGER favorites_count_insert")
    assert "core.E001" in checked()
    assert "favorites_count_insert is missing" in checked()


def test_a_trigger_of_another_text_is_named():
    execute(
        "DROP TRIGGER favorites_count_insert",
        "CREATE TRIGGER favorites_count_insert AFTER INSERT ON user_favorites BEGIN SELECT 1; END",
    )
    assert "core.E002" in checked()
    assert "favorites_count_insert in the database 'default' differs" in checked()


def test_a_full_text_table_of_another_text_is_named():
    expected = triggers.of_app("designs")["designs_search"]
    execute("DROP TABLE designs_search", expected.replace("prefix='2 3'", "prefix='2'"))
    assert "designs_search in the database 'default' differs" in checked()


def test_a_stray_trigger_is_named_and_stops_nothing():
    execute("CREATE TRIGGER left_over AFTER INSERT ON designs BEGIN SELECT 1; END")
    assert "core.W001" in checked()
    assert "left_over is in the database 'default'" in checked()
    call_command("migrate", verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())


def test_the_triggers_of_a_replica_are_not_the_gallery_s():
    execute("CREATE TRIGGER _d1_log_designs_test AFTER INSERT ON designs BEGIN SELECT 1; END")
    assert "core." not in checked()


def test_migrate_fails_where_a_trigger_is_missing_afterwards():
    execute("DROP TRIGGER users_last_login")
    with pytest.raises(SystemCheckError, match="users_last_login is missing"):
        call_command("migrate", verbosity=0, skip_checks=True)


def test_a_database_that_is_still_to_be_migrated_passes():
    execute(
        "DROP TRIGGER users_last_login",
        "DELETE FROM django_migrations WHERE app = 'designs'",
    )
    assert "core." not in checked()


def test_the_triggers_of_a_newer_release_are_not_compared_and_stop_no_rollback():
    """The old version is deployed again, runs `migrate`, and serves the newer schema."""
    execute(
        "DROP TRIGGER favorites_count_insert",
        "CREATE TRIGGER favorites_count_insert AFTER INSERT ON user_favorites BEGIN SELECT 1; END",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('designs', '9000_shelf', '2026-11-29')",
    )
    assert "core.W002" in checked()
    assert "designs.9000_shelf" in checked()
    call_command("migrate", verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())
    assert doctor.triggers_equal(Visit()).status == Status.WARNING
