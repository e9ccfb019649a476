"""Changes of the schema: rows and references survive, both ways, and the schema reads back."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import Value
from django.db.models.functions import Upper

from d1backend.errors import NotSupportedError
from d1backend.test import assert_round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    """Two tables, one referring to the other and to itself, with rows; gone after the test."""
    state = ProjectState()
    operations = [
        migrations.CreateModel(
            "Parent", [("id", models.AutoField(primary_key=True)), ("name", models.CharField(max_length=9))]
        ),
        migrations.CreateModel(
            "Child",
            [
                ("id", models.AutoField(primary_key=True)),
                ("parent", models.ForeignKey("shop.Parent", models.CASCADE)),
                ("older", models.ForeignKey("shop.Child", models.CASCADE, null=True)),
            ],
        ),
    ]
    for operation in operations:
        state = apply(operation, state)
    parent = state.apps.get_model("shop", "Parent").objects.create(name="p")
    child = state.apps.get_model("shop", "Child")
    first = child.objects.create(parent_id=parent.pk)
    child.objects.create(parent_id=parent.pk, older_id=first.pk)
    yield state
    with connection.cursor() as cursor:
        for table in ("shop_child", "shop_parent"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def apply(operation, state, *, backwards=False):
    after = state.clone()
    operation.state_forwards("shop", after)
    with connection.schema_editor() as editor:
        if backwards:
            operation.database_backwards("shop", editor, after, state)
        else:
            operation.database_forwards("shop", editor, state, after)
    return after


def children():
    with connection.cursor() as cursor:
        cursor.execute("SELECT parent_id, older_id FROM shop_child ORDER BY id")
        return cursor.fetchall()


def test_altering_a_referenced_table_keeps_rows_and_references(shop):
    operation = migrations.AlterField("Parent", "name", models.CharField(max_length=50, unique=True))
    before = children()
    apply(operation, shop)
    assert children() == before == [(1, None), (1, 1)]
    apply(operation, shop, backwards=True)
    assert children() == before
    assert not [t for t in connection.introspection.table_names() if t.startswith("new__")]
    connection.check_constraints()


def test_altering_a_table_that_refers_to_itself_keeps_its_rows(shop):
    apply(migrations.AddField("Child", "note", models.TextField(default="x")), shop)
    assert children() == [(1, None), (1, 1)]
    relations = connection.introspection.get_relations(connection.cursor(), "shop_child")
    assert relations == {"parent_id": ("id", "shop_parent"), "older_id": ("id", "shop_child")}


def test_renames_and_removals_work_both_ways(shop):
    renamed = apply(migrations.RenameField("Parent", "name", "title"), shop)
    moved = apply(migrations.RenameModel("Parent", "Elder"), renamed)
    relations = connection.introspection.get_relations(connection.cursor(), "shop_child")
    assert relations["parent_id"] == ("id", "shop_elder")
    apply(migrations.RenameModel("Parent", "Elder"), renamed, backwards=True)
    del moved
    apply(migrations.RemoveField("Child", "older"), shop)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM shop_child")
        assert [c[0] for c in cursor.description] == ["id", "parent_id"]


def test_a_remake_that_would_cascade_is_refused_and_changes_nothing(shop):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE hanger (p integer REFERENCES shop_parent (id) ON DELETE CASCADE)")
        cursor.execute("INSERT INTO hanger VALUES (1)")
    try:
        with pytest.raises(Exception, match="ON DELETE CASCADE") as caught:
            apply(migrations.AlterField("Parent", "name", models.TextField(null=True)), shop)
        assert isinstance(caught.value.__cause__, NotSupportedError)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM hanger")
            assert cursor.fetchall() == [(1,)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE hanger")


def test_a_migration_that_fails_leaves_nothing_behind(shop):
    class Broken(migrations.RunSQL):
        pass

    with pytest.raises(Exception, match="syntax error"), connection.schema_editor() as editor:
        editor.execute("CREATE TABLE left_over (a)")
        editor.execute("CREATE TABEL wrong (a)")
    assert "left_over" not in connection.introspection.table_names()


def test_inspectdb_writes_the_models_back():
    out = io.StringIO()
    call_command("inspectdb", "app_book", "app_everything", stdout=out)
    text = out.getvalue()
    assert "author = models.ForeignKey('AppAuthor', models.DO_NOTHING)" in text
    assert "data = models.JSONField(blank=True, null=True)" in text
    assert "blob = models.BinaryField(blank=True, null=True)" in text


def test_sqlmigrate_prints_sql_and_runs_none():
    out = io.StringIO()
    call_command("sqlmigrate", "auth", "0001", stdout=out)
    assert 'CREATE TABLE "auth_user"' in out.getvalue()


def test_a_table_is_described_in_three_round_trips_whatever_its_columns():
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TABLE shop_card ("id" INTEGER PRIMARY KEY, "name" TEXT COLLATE NOCASE NOT NULL, '
            '"data" TEXT CHECK (json_valid("data")), "size" INTEGER)'
        )
        cursor.execute("CREATE VIEW shop_sizes AS SELECT size FROM shop_card")
    try:
        with connection.cursor() as cursor, assert_round_trips(3):
            columns = connection.introspection.get_table_description(cursor, "shop_card")
        with connection.cursor() as cursor:
            (view,) = connection.introspection.get_table_description(cursor, "shop_sizes")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP VIEW shop_sizes")
            cursor.execute("DROP TABLE shop_card")
    assert [(c.name, c.null_ok, c.pk, c.collation, c.has_json_constraint) for c in columns] == [
        ("id", True, True, None, False),
        ("name", False, False, "NOCASE", False),
        ("data", True, False, None, True),
        ("size", True, False, None, False),
    ]
    assert (view.name, view.has_json_constraint) == ("size", False)


@pytest.mark.parametrize(("default", "null"), [("50% off, it's", False), (Value("x"), False), ("x", True)])
def test_a_column_with_a_default_of_the_database_is_added_in_place(shop, default, null):
    """A remake would drop the table's triggers, and copy all rows twice."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TRIGGER kept AFTER DELETE ON shop_parent BEGIN SELECT 1; END")
    field = models.CharField(max_length=20, null=null, db_default=default)
    after = apply(migrations.AddField("Parent", "note", field), shop)
    note = default.value if isinstance(default, Value) else default
    parent = after.apps.get_model("shop", "Parent")
    assert list(parent.objects.values_list("name", "note")) == [("p", note)]
    # Code of the release before does not know the column.
    shop.apps.get_model("shop", "Parent").objects.create(name="q")
    assert parent.objects.get(name="q").note == note
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'kept'")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "field",
    [
        models.CharField(max_length=20, unique=True, null=True, db_default="x"),
        models.CharField(max_length=40, db_default=Upper(Value("x"))),
        models.CharField(max_length=20, default="x"),
        models.ForeignKey("shop.Parent", models.CASCADE, null=True, db_default=1),
    ],
)
def test_a_column_that_sqlite_cannot_add_is_added_by_a_remake(shop, field):
    after = apply(migrations.AddField("Parent", "note", field), shop)
    parent = after.apps.get_model("shop", "Parent").objects.get()
    assert parent.note_id == 1 if isinstance(field, models.ForeignKey) else parent.note.lower() == "x"
