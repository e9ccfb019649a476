"""What existing backends for D1 get wrong, each seen by running them (the faults on the wire are tested
apart)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection
from django.db.models import Q
from django.db.models.functions import Ceil, Power

from d1backend import errors
from d1backend.protocol import messages
from tests.d1.app.models import Author, Book, Everything

pytestmark = pytest.mark.django_db(transaction=True)


def test_rows_keep_their_order_in_every_way_of_fetching():
    with connection.cursor() as cursor:
        sql = "SELECT value FROM json_each('[1,2,3,4,5]')"
        cursor.execute(sql)
        assert [cursor.fetchone(), cursor.fetchmany(2), cursor.fetchall()] == [
            (1,),
            [(2,), (3,)],
            [(4,), (5,)],
        ]
        cursor.execute(sql)
        assert list(cursor) == [(1,), (2,), (3,), (4,), (5,)]


def test_columns_of_one_name_are_all_kept():
    book = Author.objects.create(name="A").books.create(title="B")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS id, 2 AS id, 3 AS id")
        assert cursor.fetchall() == [(1, 2, 3)]
    read = Book.objects.select_related("author").get(pk=book.pk)
    assert (read.title, read.author.name) == ("B", "A")


def test_an_empty_result_has_its_columns():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM app_author WHERE 0")
        assert [c[0] for c in cursor.description] == ["id", "name"]


def test_row_counts_are_rows_changed_so_that_a_new_key_is_inserted():
    for i in range(5):
        Author.objects.create(name=str(i))
    assert Author.objects.filter(name="none").update(score=1) == 0
    Author(pk=99, name="new").save()
    assert Author.objects.filter(pk=99).exists()


def test_a_missing_table_is_an_operational_error_that_names_it():
    with connection.cursor() as cursor, pytest.raises(OperationalError, match="no such table: nowhere"):
        cursor.execute("SELECT * FROM nowhere")


@pytest.mark.parametrize(
    "message",
    [
        "UNIQUE constraint failed: a.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        "D1_ERROR: NOT NULL constraint failed: a.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)",
        "CHECK constraint failed: x at offset 3: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)",
        "the transaction was reset and rolled back because FOREIGN KEY constraint failed: SQLITE_CONSTRAINT",
    ],
)
def test_every_constraint_is_an_integrity_error(message):
    assert isinstance(messages.error_of(message), errors.IntegrityError)


def test_an_error_reads_as_sqlites_own():
    assert (
        str(messages.error_of("D1_ERROR: no such table: x at offset 14: SQLITE_ERROR")) == "no such table: x"
    )


def test_a_filter_on_more_than_a_hundred_keys_and_a_long_prefetch_work():
    authors = Author.objects.bulk_create(Author(name=str(i)) for i in range(150))
    Book.objects.bulk_create(Book(title=a.name, author=a) for a in authors)
    assert Author.objects.filter(pk__in=[a.pk for a in authors]).count() == 150
    assert sum(len(a.books.all()) for a in Author.objects.prefetch_related("books")) == 150


def test_permissions_are_made_by_migrate():
    call_command("migrate", verbosity=0)
    assert Permission.objects.count() == 4 * ContentType.objects.count() > 0


def test_power_and_ceiling_work():
    Everything.objects.create(number=2.5)
    assert Everything.objects.annotate(p=Power("number", 2), c=Ceil("number")).values_list(
        "p", "c"
    ).get() == (6.25, 3)


def test_flush_empties_parents_and_children_together():
    Author.objects.create(name="A").books.create(title="B")
    call_command("flush", verbosity=0, interactive=False)
    assert not Book.objects.exists()
    assert Author.objects.create(name="first").pk == 1


def test_tables_of_d1_and_of_the_backend_are_not_listed():
    Author.objects.create(name="A")
    tables = connection.introspection.table_names()
    assert "app_author" in tables
    assert not [t for t in tables if t.startswith(("_cf", "_d1"))]


def test_a_long_pattern_in_an_indian_script_is_found():
    Author.objects.create(name="कांजीवरम सिल्क साड़ी")
    assert Author.objects.filter(name__icontains="कांजीवरम सिल्क साड़ी").exists()
    assert Author.objects.filter(Q(name__startswith="कांजीवरम सिल्क सा")).exists()


def test_select_for_update_outside_a_transaction_is_refused_by_django_and_update_or_create_works():
    Author.objects.update_or_create(name="A", defaults={"score": 1})
    Author.objects.update_or_create(name="A", defaults={"score": 2})
    assert Author.objects.get().score == 2


def test_a_foreign_key_that_leads_nowhere_is_an_integrity_error():
    with pytest.raises(IntegrityError):
        Book.objects.create(title="x", author_id=4242)


def test_a_user_signs_in():
    User.objects.create_user("asha", password="saree")
    assert User.objects.get(username="asha").check_password("saree")


def test_tests_refuse_to_run_where_they_cannot_make_a_database(engine):
    """With a token that D1 refuses, the configured database is not asked anything."""
    script = (
        "import django\nfrom django.conf import settings\n"
        "settings.configure(DATABASES={'default': {'ENGINE': 'd1backend', 'NAME': 'production', 'OPTIONS': "
        f"{{'account_id': 'a', 'api_token': 'wrong', 'base_url': '{engine.url}', 'retries': 0}}}}}})\n"
        "django.setup()\nfrom django.db import connection\nconnection.creation.create_test_db()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Tests need a database of their own" in done.stderr
    assert "wrong" not in done.stderr


def test_every_test_that_the_documentation_names_is_there():
    root = Path(__file__).parents[3]
    table = (root / "docs/d1backend.md").read_text().split("## What other backends")[1]
    named = set(re.findall(r"`(test_\w+)`", table))
    written = {
        name
        for path in root.glob("tests/d1/*/test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 20
    assert named <= written
