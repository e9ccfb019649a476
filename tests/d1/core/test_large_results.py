"""Rows that are large, many or wide: read for update, and of more columns than D1 returns."""

import json
import sqlite3

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Concat

from d1backend import SerializationFailure, gather
from d1backend.transaction.wide import narrow
from tests.d1.app.models import Author, Book, Broad, Everything

pytestmark = pytest.mark.django_db(transaction=True)

_TEXT = 'ça "va"\n' * 15_000
_LONG = "ü" * 60


def test_a_large_row_is_read_for_update_and_guarded():
    row = Everything.objects.create(text=_TEXT, blob=b"\0\xff" * 40_000)
    with transaction.atomic():
        found = Everything.objects.select_for_update().get()
        assert (found.text, bytes(found.blob)) == (_TEXT, b"\0\xff" * 40_000)
        found.big = 1
        found.save()
    _, created = Everything.objects.update_or_create(pk=row.pk, defaults={"big": 2, "text": _TEXT + "x"})
    assert not created
    assert Everything.objects.get().big == 2
    with pytest.raises(SerializationFailure), transaction.atomic():
        Everything.objects.select_for_update().get().save()
        _change_elsewhere("UPDATE app_everything SET text = text || 'y'")
    assert Everything.objects.get().text == _TEXT + "xy"


def test_many_rows_are_read_for_update_and_each_is_guarded():
    Author.objects.bulk_create(Author(name=f"{i:04}{_LONG}", score=i) for i in range(1_500))
    with transaction.atomic():
        assert len(Author.objects.select_for_update().order_by("id")) == 1_500
        Author.objects.update(score=F("score") + 1)
    for change in (
        "UPDATE app_author SET score = 0 WHERE name LIKE '0777%'",
        "DELETE FROM app_author WHERE name LIKE '1499%'",
    ):
        with pytest.raises(SerializationFailure), transaction.atomic():
            list(Author.objects.select_for_update().order_by("id"))
            Author.objects.update(score=F("score") + 1)
            _change_elsewhere(change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE app_everything SET number = 1 WHERE big = {i}",
        "DELETE FROM app_everything WHERE big = {i}",
        "INSERT INTO app_everything (big) VALUES (7)",
    ],
)
@pytest.mark.parametrize("i", [0, 3, 6])
def test_a_result_of_several_megabytes_is_guarded_in_parts(change, i):
    for n in range(7):
        Everything.objects.create(big=n, text=f"{n}" * 700_000)
    rows = Everything.objects.select_for_update().order_by("big", "id")
    with transaction.atomic():
        assert [row.text[:2] for row in rows] == [f"{n}{n}" for n in range(7)]
        Everything.objects.filter(big=6).update(day="2024-01-01")
    with pytest.raises(SerializationFailure), transaction.atomic():
        assert len(rows.all()) == 7
        Everything.objects.filter(big=6).update(day="2024-01-02")
        _change_elsewhere(change.format(i=i))


def test_a_long_condition_is_guarded_with_all_its_parameters():
    Author.objects.bulk_create(Author(name=f"{i}", score=i) for i in range(300))
    for count in (98, 99, 100, 101, 250):
        names = [f"{i}" for i in range(count)]
        with transaction.atomic(), connection.cursor() as cursor:
            marks = ", ".join(["%s"] * count)
            cursor.execute(f"SELECT id, score FROM app_author WHERE name IN ({marks}) FOR UPDATE", names)
            assert len(cursor.fetchall()) == count
            Author.objects.update(score=1)


def test_a_statement_near_the_limit_can_be_rehearsed():
    blobs = [bytes([i % 256, i // 256]) * 75 for i in range(320)]
    columns = ", ".join(f.column for f in Broad._meta.fields)
    sql = f"SELECT {columns} FROM app_broad WHERE blob IN ({', '.join(['%s'] * len(blobs))})"
    with transaction.atomic(), connection.cursor() as cursor:
        Broad.objects.create(blob=blobs[7])
        cursor.execute(sql, blobs)
        assert len(cursor.fetchall()) == 1


def _change_elsewhere(sql):
    connection.connection.session.api.batch(connection.connection.session.database, [(sql, [])])


# More than 100 columns


def _broad():
    parent = Broad.objects.create(c0="parent", c55="p", blob=b"\0p")
    for name in ("b", "a"):
        Broad.objects.create(parent=parent, c0=name, c55=name * 2, big=2**61 + 1, flag=False)
    return parent


def _values(obj):
    return {field.attname: getattr(obj, field.attname) for field in Broad._meta.fields}


def _check(children, parent):
    assert [child.c0 for child in children] == ["a", "b"]
    assert _values(children[0].parent) == _values(parent)
    assert (children[0].big, children[0].flag, children[0].c55) == (2**61 + 1, False, "aa")


def test_a_result_has_more_than_a_hundred_columns():
    parent = _broad()
    parent.refresh_from_db()
    children = Broad.objects.select_related("parent").filter(parent__c0="parent").order_by("c0")
    _check(list(children), parent)
    assert children.last().parent.c0 == "parent"
    assert [c.pk for c in gather(children, children.count)[0]] == [c.pk for c in children]
    with transaction.atomic():
        Broad.objects.create(c0="other")
        _check(list(children), parent)
        _check(list(children.select_for_update()), parent)
        children[0].save()


def test_a_wide_result_keeps_its_other_columns_and_its_order():
    _broad()
    children = Broad.objects.filter(parent=OuterRef("pk")).values("parent").annotate(n=Count("*")).values("n")
    found = (
        Broad.objects.select_related("parent")
        .annotate(n=Subquery(children), both=Concat("c0", Value("%s-"), "c55"), more=Value(5))
        .filter(both__contains="%")
        .order_by("-both", "n")
    )
    assert [(o.c0, o.both, o.n, o.more) for o in found] == [
        ("parent", "parent%s-p", 2, 5),
        ("b", "b%s-bb", None, 5),
        ("a", "a%s-aa", None, 5),
    ]
    assert [o.c0 for o in found.distinct().reverse()] == ["a", "b", "parent"]


def test_raw_sql_may_order_a_wide_result_by_position():
    _broad()
    names = [f"{table}.{field.column}" for table in "xp" for field in Broad._meta.fields]
    sql = (
        f"SELECT {', '.join(names)}, upper(x.c0) || 1 AS n, upper(x.c0) FROM app_broad x "
        "LEFT JOIN app_broad p ON p.id = x.parent_id ORDER BY 124 DESC, x.c0, 123, 1 + 1 LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [2])
        own = [f.column for f in Broad._meta.fields]
        assert [c[0] for c in cursor.description] == [*own, *own, "n", "upper(x.c0)"]
        rows = cursor.fetchall()
        at = names.index("x.c0")
        assert [(row[at], row[-2:]) for row in rows] == [
            ("parent", ("PARENT1", "PARENT")),
            ("b", ("B1", "B")),
        ]
        assert rows[1][names.index("x.flag")] is False
        cursor.execute(sql.replace("124 DESC, x.c0", f"{at + 1}"), [1])
        assert cursor.fetchone()[at] == "a"


def test_a_wide_result_may_be_grouped_by_position():
    columns = ["name", "score"] * 60
    sql = f"SELECT {', '.join(columns)}, count(*), 7 FROM author GROUP BY 2, 122 ORDER BY 121 DESC, 120, 1"
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE author (name, score); INSERT INTO author VALUES ('a', 1), ('b', x'00'), ('c', x'00');"
    )
    packed = narrow(sql)
    assert packed.widen(database.execute(packed.sql).fetchall()) == database.execute(sql).fetchall()
    assert narrow(f"{sql} UNION SELECT 1") is narrow(f"SELECT {', '.join(['1'] * 101)}") is None


def test_parts_of_a_result_are_what_sqlite_writes_as_one_text():
    Book.objects.create(title=json.dumps({"a": "b"}), author=Author.objects.create(name="\0 'x' \"y\""))
    with transaction.atomic():
        list(Book.objects.select_related("author").select_for_update())
        Author.objects.update(score=1)
    assert Author.objects.get().score == 1
