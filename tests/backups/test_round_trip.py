"""A restored database has exactly the rows of the one that the backup was taken of, on either engine."""

import io
from contextlib import closing
from datetime import UTC, datetime

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import SignIn, User
from core.checks import differences
from d1backend.replica.tables import TableSchema
from designs.models import CatalogueVersion, Design, Favourite
from operations.backups import contents, restoring, schema, taking
from operations.backups import databases as engines
from operations.backups.databases import database_of
from tests.backups.databases import contents_of, count, is_on_d1, new_database
from tests.factories.designs import FavouriteFactory

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 11, 29, 3, 17, tzinfo=UTC)

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
cells = st.none() | integers | st.floats(allow_nan=False) | texts | st.binary(max_size=40)
ODD_TABLE = TableSchema("odd_values", "id", ("id", "a", "b", "c"))


def taken(path, to=(), alias="default"):
    return taking.take(path, MOMENT, to, print, alias)


def restored(path, alias, identities=()):
    with contents.opened(path, identities) as backup:
        return restoring.restore(backup, path.name, print, alias)


def test_every_row_comes_back_and_the_counters_with_them(gallery, target, tmp_path):
    path = tmp_path / "x.backup"
    made = taken(path)
    before = contents_of("default")
    report = restored(path, target)
    assert contents_of(target) == before
    assert report.rows == made.rows
    assert report.miscounted == 0
    assert made.rows["user_favorites"] == Favourite.objects.count() > 3
    assert made.rows["sign_ins"] == SignIn.objects.using("default").count() == 6
    assert list(differences(target)) == []
    assert made.later == {}


def test_every_table_of_the_database_is_in_it_or_named(gallery, tmp_path):
    notes = []
    with closing(database_of("default", print)) as database:
        database.run(["CREATE TABLE of_somebody (id INTEGER PRIMARY KEY)"])
        try:
            made = taking.take(tmp_path / "x.backup", MOMENT, [], notes.append)
            names = {name for (name,) in database.ask([schema.TABLES])[0]}
        finally:
            database.run(["DROP TABLE of_somebody"])
    assert names - made.rows.keys() == {"of_somebody"}
    assert "Not in the backup, because this version does not know them: of_somebody." in notes


def test_it_also_moves_between_the_engines(gallery, tmp_path):
    before = contents_of("default")
    taken(tmp_path / "one.backup")
    with new_database("other", tmp_path / "other.sqlite3", on_d1=False) as other:
        restored(tmp_path / "one.backup", other)
        assert contents_of(other) == before
        taken(tmp_path / "two.backup", alias=other)
        with new_database("third", tmp_path / "third.sqlite3") as third:
            restored(tmp_path / "two.backup", third)
            assert contents_of(third) == before


def test_pages_after_the_first_hold_the_rest(gallery, target, tmp_path, monkeypatch):
    """Small pages: of tables that are not copied, of ended sign-ins, of hidden columns."""
    for module in ("databases", "reading"):
        monkeypatch.setattr(f"operations.backups.{module}.FIRST_PAGE", 2)
    monkeypatch.setattr(engines.first_page, "__defaults__", (2, None))
    monkeypatch.setattr("operations.backups.reading.IN_RANGE", 1)
    monkeypatch.setattr("operations.backups.hidden.AT_ONCE", 2)
    monkeypatch.setattr("operations.backups.databases._INSERT_BYTES", 300)
    monkeypatch.setattr("operations.backups.restoring.INDEXED_AT_ONCE", 3)
    made = taken(tmp_path / "x.backup")
    restored(tmp_path / "x.backup", target)
    assert contents_of(target) == contents_of("default")
    assert set(made.later) >= ({"audit_entries", "sign_ins", "users"} if is_on_d1() else set())


def test_numbers_are_not_given_again_and_the_version_is_new(gallery, target, tmp_path):
    version = CatalogueVersion.objects.get()
    last = User.objects.order_by("pk").last().pk
    taken(tmp_path / "x.backup")
    restored(tmp_path / "x.backup", target)
    with closing(database_of(target, print)) as database:
        sequences = dict(database.ask([schema.SEQUENCES])[0])
        ((listing, content, recent),) = database.ask(
            ["SELECT listing, content, recent FROM catalogue_version"]
        )[0]
    assert sequences["users"] == last + restoring.SKIPPED
    assert listing != version.listing
    assert content != version.content
    assert recent == ""


def test_a_table_without_a_row_gives_no_number_again_either(db_of_commits, target, tmp_path):
    """What it got after the backup had the first numbers."""
    taken(tmp_path / "x.backup")
    restored(tmp_path / "x.backup", target)
    with closing(database_of(target, print)) as database:
        sequences = dict(database.ask([schema.SEQUENCES])[0])
    assert min(sequences[name] for name in ("users", "designs", "user_favorites")) >= restoring.SKIPPED


def test_searches_and_triggers_work_on_what_was_restored(gallery, target, tmp_path):
    taken(tmp_path / "x.backup")
    restored(tmp_path / "x.backup", target)
    with closing(database_of(target, print)) as database:
        found = database.ask(["SELECT count(*) FROM designs_search WHERE designs_search MATCH 'kanjivaram'"])[
            0
        ][0][0]
        before = database.ask(["SELECT like_count FROM designs ORDER BY id LIMIT 1"])[0][0][0]
        database.run(
            [
                "INSERT INTO user_favorites (user_id, design_id, created_at) "
                "SELECT (SELECT max(id) FROM users), min(id), '2026-11-29' FROM designs"
            ]
        )
        after = database.ask(["SELECT like_count FROM designs ORDER BY id LIMIT 1"])[0][0][0]
    assert found == Design.objects.count() > 0
    assert after == before + 1


def test_a_like_made_a_moment_before_is_in_it(gallery, tmp_path):
    """On D1 the copy of this host may lack it until the backup asks."""
    like = FavouriteFactory(user=gallery, design=Design.objects.first())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE user_favorites SET created_at = '2001-01-01 00:00:00' WHERE id = %s", [like.pk]
        )
    taken(tmp_path / "x.backup")
    with contents.opened(tmp_path / "x.backup") as backup:
        rows = [
            row for part, rows in backup.archive.parts() for row in rows if part.table == "user_favorites"
        ]
    assert "2001-01-01 00:00:00" in [row[1] for row in rows]


def test_encrypted_to_a_key_it_opens_with_its_identity_alone(gallery, target, tmp_path):
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    path = tmp_path / "x.backup"
    taken(path, [str(identity.to_public())])
    assert b"asha" not in path.read_bytes()
    with pytest.raises(Exception, match="name the file with its private key by --identity"):
        restored(path, target)
    with pytest.raises(Exception, match=r"is encrypted to age1.*, and the identity has another key"):
        restored(path, target, [other])
    restored(path, target, [identity])
    assert count(target, "users") == User.objects.using("default").count()


@pytest.fixture(scope="module")
def odd_table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        database = database_of("default", print)
        database.run(["CREATE TABLE odd_values (id INTEGER PRIMARY KEY, a, b, c)"])
        yield database
        database.run(["DROP TABLE odd_values"])
        database.close()


@given(rows=st.lists(st.tuples(cells, cells, cells), max_size=12))
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
def test_odd_values_are_inserted_and_read_exactly(odd_table, rows):
    numbered = [(place, *row) for place, row in enumerate(rows)]
    odd_table.run(["DELETE FROM odd_values"])
    odd_table.insert(ODD_TABLE, numbered)
    found = [row for page in odd_table.pages(ODD_TABLE) for row in page]
    assert [[(type(v), repr(v)) for v in row] for row in found] == [
        [(type(v), repr(v)) for v in row] for row in numbered
    ]


def test_verify_restores_into_a_scratch_database(gallery, tmp_path, settings):
    settings.BACKUP_KEY = ""
    out = io.StringIO()
    call_command("backup", to=str(tmp_path / "b"), verify="", stdout=out, stderr=io.StringIO())
    (path,) = (tmp_path / "b").iterdir()
    assert f"{path.name} can be restored" in out.getvalue()
    assert path.stat().st_mode & 0o777 == 0o600
    out = io.StringIO()
    call_command("backup", verify=str(path), stdout=out, stderr=io.StringIO())
    assert "can be restored" in out.getvalue()


def test_an_encrypted_one_is_verified_with_its_identity(gallery, tmp_path, settings):
    identity = pyrage.x25519.Identity.generate()
    settings.BACKUP_KEY = str(identity.to_public())
    errors = io.StringIO()
    call_command("backup", to=str(tmp_path / "b"), stdout=io.StringIO(), stderr=errors)
    assert "not encrypted" not in errors.getvalue()
    (path,) = (tmp_path / "b").iterdir()
    with pytest.raises(CommandError, match="--identity"):
        call_command("backup", verify=str(path))
    (tmp_path / "identity.txt").write_text(f"# a comment\n{identity}\n")
    out = io.StringIO()
    call_command(
        "backup", verify=str(path), identity=str(tmp_path / "identity.txt"), stdout=out, stderr=io.StringIO()
    )
    assert "can be restored" in out.getvalue()


def test_an_object_of_another_database_stays_there(gallery, target, tmp_path):
    """As the groups that `migrate` makes in it do, also where a router leads writes to D1."""
    before = contents_of("default", but=())
    taken(tmp_path / "x.backup")
    restored(tmp_path / "x.backup", target)
    assert contents_of("default", but=()) == before
