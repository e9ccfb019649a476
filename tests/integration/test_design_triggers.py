"""What the database keeps by itself: the triggers of designs.triggers do their work."""

from dataclasses import replace

import pytest
from django.db import connection, models

from core.triggers import create_triggers, drop_triggers
from designs.models import Design
from designs.queries import DesignQuery, Sort
from designs.search.reading import read_every_word
from designs.search.sql import words_by
from tests.factories.designs import DesignFactory, FavouriteFactory


@pytest.mark.django_db(transaction=True)
def test_a_remade_table_counts_and_is_searched_with_its_triggers_restored():
    kept = DesignFactory(title="Ikat")
    style = Design._meta.get_field("style")
    nullable = models.CharField(max_length=100, null=True, db_collation="NOCASE")
    nullable.set_attributes_from_name("style")
    with connection.schema_editor() as editor:
        drop_triggers(editor, "designs")
        editor.alter_field(Design, style, nullable)
        editor.alter_field(Design, nullable, style)
        create_triggers(editor, "designs")

    design = FavouriteFactory(design=DesignFactory(title="Ajrakh")).design

    assert DesignQuery(words=words_by(read_every_word("ajrakh"))).designs().get().like_count == 1
    assert DesignQuery(words=words_by(read_every_word("ikat"))).designs().get() == kept
    design.delete()
    assert not DesignQuery(words=words_by(read_every_word("ajrakh"))).designs().exists()


@pytest.mark.django_db
def test_the_index_agrees_with_the_table_after_every_kind_of_change():
    designs = DesignFactory.create_batch(5, fabric="Silk")
    Design.objects.filter(pk=designs[0].pk).update(title="Another", fabric="")
    Design.objects.bulk_create([Design(title="Bulk", category="Kurta", image=designs[0].image)])
    Design.objects.filter(title="Bulk").update(view_count=3)
    designs[1].delete()
    with connection.cursor() as cursor:
        # Fails with "database disk image is malformed" where the index and the table disagree.
        cursor.execute("INSERT INTO designs_search (designs_search, rank) VALUES ('integrity-check', 1)")


def plan(queryset):
    return queryset.explain()


@pytest.mark.django_db
@pytest.mark.parametrize("sort", [sort for sort in Sort if sort is not Sort.RELEVANCE])
@pytest.mark.parametrize("attributes", [(), (("category", ("Saree",)),)])
def test_the_order_of_a_list_comes_from_an_index(sort, attributes):
    wanted = DesignQuery(statuses=("published",), sort=sort, attributes=attributes)
    steps = plan(wanted.ordered().values("pk")[:20])
    if not attributes or sort in (Sort.NEWEST, Sort.OLDEST):
        assert "TEMP B-TREE" not in steps, steps
    assert "USING" in steps, steps


@pytest.mark.django_db
@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize(
    "more",
    [{}, {"attributes": (("category", ("Saree",)), ("style", ("a", "b")))}, {"featured": True}],
)
@pytest.mark.parametrize("exact", ["", '"red"'])
def test_a_search_runs_once_and_not_for_each_design(sort, more, exact):
    words = replace(words_by(read_every_word("red silk")), exact=exact)
    wanted = DesignQuery(statuses=("published",), words=words, sort=sort, **more)
    for queryset in (wanted.ordered()[:20], wanted.designs()):
        steps = plan(queryset).splitlines()
        scans = [index for index, step in enumerate(steps) if "VIRTUAL TABLE" in step]
        assert len(scans) == (2 if exact and queryset.query.order_by else 1)
        for scan in scans:
            assert scan == 0 or "LIST SUBQUERY" in steps[scan - 1], steps
            assert "VIRTUAL TABLE INDEX 0:=" not in steps[scan], steps
