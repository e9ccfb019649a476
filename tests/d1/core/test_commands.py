"""manage.py on D1: dumpdata, loaddata, dbshell; and what the settings must hold."""

import io
import sys
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.utils import ConnectionHandler

from d1backend import clone
from d1backend.errors import NotSupportedError
from d1backend.options import Settings
from d1backend.protocol.api import Api
from tests.d1.app.models import Author, Book

pytestmark = pytest.mark.django_db(transaction=True)


def test_data_dumped_loads_again(tmp_path):
    Author.objects.create(name="A").books.create(title="B")
    file = tmp_path / "data.json"
    call_command("dumpdata", "app", output=str(file))
    call_command("flush", verbosity=0, interactive=False)
    call_command("loaddata", str(file), verbosity=0)
    assert Book.objects.get().author.name == "A"
    Author.objects.create(name="next")


def test_the_shell_runs_statements_and_prints_errors(monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "stdin", io.StringIO("SELECT 1 AS a,\n2 AS b;\nSELEC;\nUPDATE app_author SET score=1;\n.quit\n")
    )
    call_command("dbshell")
    out = capsys.readouterr().out
    assert "a|b\n1|2\n" in out
    assert "Error:" in out
    assert "0 rows changed" in out


def test_a_trigger_is_typed_over_several_lines(monkeypatch, capsys):
    lines = [
        "CREATE TRIGGER louder AFTER INSERT ON app_author BEGIN",
        "  UPDATE app_author SET score = score + 1;",
        "  UPDATE app_author SET score = score + 1;",
        "END;",
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    call_command("dbshell")
    assert "Error" not in capsys.readouterr().out
    try:
        Author.objects.create(name="A")
        assert Author.objects.get().score == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER louder")


@pytest.mark.parametrize("key", ["account_id", "api_token", "NAME"])
def test_a_missing_setting_is_named(key):
    entry = {"ENGINE": "d1backend", "NAME": "n", "OPTIONS": {"account_id": "a", "api_token": "t"}}
    if key == "NAME":
        entry["NAME"] = ""
    else:
        del entry["OPTIONS"][key]
    with pytest.raises(ImproperlyConfigured, match=key):
        ConnectionHandler({"default": entry})["default"].ensure_connection()


def test_an_unknown_option_is_refused():
    options = {"account_id": "a", "api_token": "t", "tiemout": 3}
    with pytest.raises(ImproperlyConfigured, match="tiemout"):
        ConnectionHandler({"default": {"ENGINE": "d1backend", "NAME": "n", "OPTIONS": options}})[
            "default"
        ].ensure_connection()


def test_the_token_shows_nowhere():
    settings = Settings(account_id="a", api_token="secret-token")
    assert "secret-token" not in repr(settings)


def test_keys_of_threads_never_meet():
    def write():
        from django.db import transaction

        for i in range(10):
            with transaction.atomic():
                Author.objects.create(name=f"{threading.get_ident()} {i}")
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Author.objects.count() == 40


def test_a_key_of_the_applications_choice_does_not_collide_with_reserved_ones():
    from django.db import transaction

    with transaction.atomic():
        first = Author.objects.create(name="first").pk
    Author.objects.create(pk=first + 1, name="chosen")
    with transaction.atomic():
        Author.objects.create(name="second")
        Author.objects.create(name="third")
    Author.objects.create(name="fourth")
    assert Author.objects.count() == 5


def test_a_database_is_cloned_for_parallel_tests(engine):
    api = Api(Settings(account_id="local", api_token=engine.token, base_url=engine.url))
    source, target = api.create("clone source"), api.create("clone target")
    api.batch(
        source,
        [
            ("CREATE TABLE p (id integer PRIMARY KEY AUTOINCREMENT, x)", []),
            ("CREATE TABLE a (p integer REFERENCES p (id), y text)", []),
            ("CREATE INDEX i ON a (y)", []),
            ("INSERT INTO p (x) VALUES (x'00ff'), (9007199254740993), ('t'), (NULL), (0.5)", []),
            ("INSERT INTO a VALUES (5, 'five')", []),
        ],
    )
    clone.copy(api, source, target)
    ask = [
        ("SELECT id, hex(x), typeof(x) FROM p", []),
        ("SELECT * FROM a", []),
        ("SELECT * FROM sqlite_sequence", []),
    ]
    assert api.batch(target, ask) == api.batch(source, ask)
    for database in (source, target):
        api.delete(database)


_SEARCHED = [
    "CREATE TABLE note (id integer PRIMARY KEY, body text)",
    "CREATE VIEW shouted AS SELECT id, upper(body) AS body FROM note",
    "CREATE VIRTUAL TABLE own USING fts5(body, extra UNINDEXED, tokenize = 'porter')",
    "CREATE VIRTUAL TABLE of_note USING fts5(body, content='note', content_rowid='id')",
    "CREATE VIRTUAL TABLE of_view USING fts5(body, content = shouted, content_rowid = 'id')",
    "CREATE VIRTUAL TABLE without USING fts5(body, content='')",
    "CREATE VIRTUAL TABLE terms USING fts5vocab(own, row)",
    "CREATE VIRTUAL TABLE area USING rtree(id, low, high)",
    "CREATE TRIGGER search AFTER INSERT ON note BEGIN "
    "INSERT INTO of_note (rowid, body) VALUES (NEW.id, NEW.body); END",
    "INSERT INTO note VALUES (7, 'running dogs'), (9, x'00ff')",
    "INSERT INTO own (rowid, body, extra) VALUES (70, 'running late', 'x'), (3, 'slow', NULL)",
    "INSERT INTO own (own, rank) VALUES ('rank', 'bm25(10.0, 5.0)')",
    "INSERT INTO of_view (of_view) VALUES ('rebuild')",
    "INSERT INTO area VALUES (1, 0.1, 2.5)",
]
_FOUND = [
    "SELECT rowid, body, extra, rank FROM own WHERE own MATCH 'run' ORDER BY rank",
    "SELECT rowid, body FROM of_note WHERE of_note MATCH 'dogs'",
    "SELECT rowid, body FROM of_view WHERE of_view MATCH 'running'",
    "SELECT * FROM terms",
    "SELECT * FROM area",
    "SELECT rowid, hex(body) FROM note",
    "SELECT k, v FROM own_config",
    "SELECT type, name, sql FROM sqlite_master WHERE name NOT GLOB '_cf_*' ORDER BY name",
]


@pytest.fixture
def copied(engine):
    """Makes a database of statements, copies it, and runs statements on one of both."""
    api = Api(Settings(account_id="local", api_token=engine.token, base_url=engine.url))
    databases = [api.create("clone source"), api.create("clone target")]

    def run(which, statements):
        return [result["rows"] for result in api.batch(databases[which], [(sql, []) for sql in statements])]

    def make(statements):
        run(0, statements)
        clone.copy(api, *databases)
        return run

    yield make
    for database in databases:
        api.delete(database)


def test_full_text_tables_are_cloned(copied):
    run = copied(_SEARCHED)
    assert run(1, _FOUND) == run(0, _FOUND)
    more = [
        "INSERT INTO note VALUES (20, 'new dogs')",
        "SELECT rowid FROM of_note WHERE of_note MATCH 'dogs'",
    ]
    assert run(1, more)[1] == [[7], [20]]
    for name in ("own", "of_note", "of_view"):
        run(1, [f"INSERT INTO {name} ({name}) VALUES ('integrity-check')"])


def test_a_full_text_table_without_its_text_cannot_be_cloned(copied):
    with pytest.raises(NotSupportedError, match="without keeps no text"):
        copied([*_SEARCHED, "INSERT INTO without (rowid, body) VALUES (1, 'x')"])


def test_large_rows_are_cloned(copied):
    run = copied(
        [
            "CREATE TABLE large (id integer PRIMARY KEY, body)",
            "INSERT INTO large SELECT value, hex(zeroblob(350000)) FROM json_each('[1, 2, 3, 4, 5]')",
            "INSERT INTO large VALUES (6, zeroblob(700000))",
        ]
    )
    ask = ["SELECT id, typeof(body), length(body) FROM large", "SELECT count(DISTINCT body) FROM large"]
    assert run(1, ask) == run(0, ask)
