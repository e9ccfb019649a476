"""Synonyms: what they may hold, their services, the table that searches read, and their commands."""

import csv
import io
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.models import AuditEntry
from d1backend import SerializationFailure
from designs import synonym_csv, synonyms
from designs.known_synonyms import KnownSynonyms, stored_rows
from designs.models import PHRASE_LENGTH, CatalogueVersion, Synonym
from designs.versioned_cache import current_version
from tests.factories.accounts import UserFactory
from tests.factories.designs import SynonymFactory

ON_D1 = pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 has round trips")


def row(**fields):
    return {"kind": "same", "phrase": "sari", "words": "saree", **fields}


def faults(**fields):
    with pytest.raises(Invalid) as refused:
        synonyms.checked(row(**fields))
    return {name: sentences[0] for name, sentences in refused.value.fields.items()}


class TestARow:
    def test_is_kept_as_searches_compare_it(self):
        sent = row(
            kind="means",
            phrase="  Bandhéj  DUPATTA ",
            field="colour",
            words="Rani pink,MAROON; ज़री",
            source=" x ",
        )
        assert synonyms.checked(sent) == (
            "means", "bandhej dupatta", "colour", "rani pink, maroon, जरी", "x",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("fields", "field", "words"),
        [
            ({"kind": "like"}, "kind", "same, means, kept"),
            ({"phrase": ""}, "phrase", "needs a word"),
            ({"phrase": "***"}, "phrase", "needs a word"),
            ({"phrase": "sari & blouse"}, "phrase", "“&” has no letter"),
            ({"phrase": "one two three four five"}, "phrase", "at most 4 words"),
            ({"phrase": "x" * (PHRASE_LENGTH + 1)}, "phrase", "100 characters"),
            ({"words": ""}, "words", "at least one"),
            ({"words": "saree, %"}, "words", "“%”"),
            ({"words": "Sari"}, "words", "the phrase itself"),
            ({"words": ", ".join(f"w{n}" for n in range(21))}, "words", "at most 20"),
            ({"field": "colour"}, "field", "Leave this empty"),
            ({"kind": "means", "field": "price"}, "field", "choose one of category"),
            ({"kind": "kept"}, "words", "Leave this empty"),
            ({"kind": "kept", "words": "", "phrase": "two words"}, "phrase", "one word"),
            ({"source": "x" * 301}, "source", "300 characters"),
            ({"source": "one\ntwo"}, "source", "one line"),
        ],
    )  # fmt: skip
    def test_that_is_wrong_is_refused_in_words(self, fields, field, words):
        assert words in faults(**fields)[field]

    def test_names_all_its_faults(self):
        assert faults(kind="", phrase="%", source="\n\n\nx\0y").keys() == {"kind", "phrase", "source"}

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_that_is_valid_is_valid_again_and_stays_the_same(self, phrase, words):
        try:
            found = synonyms.checked(row(phrase=phrase, words=words))
        except Invalid:
            return
        assert synonyms.checked(found._asdict()) == found


@pytest.mark.django_db
class TestTheServices:
    def test_each_change_is_audited(self):
        boss = UserFactory(admin=True)
        made = synonyms.synonym_create(boss, row())
        assert not synonyms.synonym_update(boss, made, {"phrase": "SARI"})
        assert synonyms.synonym_update(boss, made, {"kind": "means", "field": "category"})
        synonyms.synonym_delete(boss, made)
        lines = AuditEntry.objects.order_by("id").values_list(
            "action", "object_label", "actor_username", "changes"
        )
        assert list(lines) == [
            (
                "synonym.create",
                "sari (same)",
                boss.username,
                {"kind": [None, "same"], "phrase": [None, "sari"], "words": [None, "saree"]},
            ),
            (
                "synonym.update",
                "sari (means)",
                boss.username,
                {"kind": ["same", "means"], "field": ["", "category"]},
            ),
            (
                "synonym.delete",
                "sari (means)",
                boss.username,
                {
                    "kind": ["means", None],
                    "phrase": ["sari", None],
                    "field": ["category", None],
                    "words": ["saree", None],
                },
            ),
        ]
        assert not Synonym.objects.exists()

    def test_a_phrase_has_one_row_of_each_kind(self):
        synonyms.synonym_create(None, row())
        synonyms.synonym_create(None, row(kind="means", field="category"))
        with pytest.raises(Invalid, match="already"):
            synonyms.check_free(synonyms.checked(row(phrase="Sari")))
        with pytest.raises(IntegrityError):
            synonyms.synonym_create(None, row())


@pytest.mark.django_db(transaction=True)
def test_what_others_changed_meanwhile_is_not_overwritten():
    made = synonyms.synonym_create(None, row())
    mine = Synonym.objects.get()
    synonyms.synonym_update(None, made, {"words": "saree, sadi"})
    with pytest.raises(SerializationFailure):
        synonyms.synonym_update(None, mine, {"words": "shari"})
    assert Synonym.objects.get().words == "saree, sadi"


@pytest.mark.django_db
def test_a_new_database_gets_the_shipped_ones_in_one_statement(django_assert_num_queries):
    class Editor:
        connection = connection

        def execute(self, statement, parameters):
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)

    migration = import_module("designs.migrations.0001_initial")
    with django_assert_num_queries(1):
        migration.ship_synonyms(apps, Editor())
    stored = [synonyms.row_of(synonym) for synonym in Synonym.objects.order_by("id")]
    assert stored == [synonyms.checked(row) for row in synonym_csv.shipped()]
    assert Synonym.objects.filter(created_at__isnull=False).count() == len(stored)


@pytest.mark.django_db
class TestTheTable:
    def test_changes_with_each_change_under_a_new_version(self):
        table, seen = KnownSynonyms(), set()
        CatalogueVersion.objects.create(id=1, listing="a", content="a")
        made = SynonymFactory(phrase="sari", words="saree")
        for change in (
            lambda: None,
            lambda: synonyms.synonym_update(None, made, {"words": "saree, sadi"}),
            lambda: synonyms.synonym_delete(None, made),
        ):
            change()
            version = CatalogueVersion.objects.get()
            seen.add((version.listing, version.content, table.at(version.listing)))
        assert len({listing for listing, _, _ in seen}) == len({content for _, content, _ in seen}) == 3
        assert len({read for _, _, read in seen}) == 3

    def test_is_read_once_for_a_version_and_made_anew_only_of_other_rows(self, django_assert_num_queries):
        SynonymFactory(phrase="sari", words="saree")
        table = KnownSynonyms()
        first = table.at("one")
        with django_assert_num_queries(0):
            assert table.at("one") is first
        with django_assert_num_queries(1):
            assert table.at("two") is first
        assert "sari" in first

    def test_is_held_until_other_rows_come_along(self, django_assert_num_queries):
        made = SynonymFactory(phrase="sari", words="saree")
        table = KnownSynonyms()
        first = table.held()
        synonyms.synonym_update(None, made, {"phrase": "sadi"})
        with django_assert_num_queries(0):
            assert table.held() is first
        assert table.keep(stored_rows()) is table.held()
        assert ("sari" in table.held(), "sadi" in table.held()) == (False, True)

    def test_with_cycles_is_as_good_as_any(self):
        SynonymFactory(phrase="a", words="b, c")
        SynonymFactory(phrase="b", words="a, c")
        SynonymFactory(kind="means", phrase="a", words="a, b", field="colour")
        assert KnownSynonyms().keep(stored_rows()).of(("a",))


@pytest.mark.django_db(transaction=True)
@ON_D1
def test_each_change_is_one_round_trip():
    boss = UserFactory(admin=True)
    synonyms.synonym_create(boss, row(phrase="warm"))
    made, trips = None, []
    for change in (
        lambda: synonyms.synonym_create(boss, row()),
        lambda: synonyms.synonym_update(boss, Synonym.objects.get(phrase="sari"), {"words": "saree, sadi"}),
        lambda: synonyms.synonym_delete(boss, Synonym.objects.get(phrase="sari")),
    ):
        before = connection.round_trips
        made = change()
        trips.append(connection.round_trips - before)
    reads = 0 if current_version() else 1
    assert trips == [1, 1 + reads, 1 + reads]
    assert made is None


@pytest.mark.django_db
class TestTheCommands:
    def exported(self):
        call_command("export_synonyms", stdout=(out := io.StringIO()))
        return out.getvalue()

    def test_an_export_comes_back_the_same(self, tmp_path):
        SynonymFactory(phrase="sari", words="saree, साडी", source="=1+1, said")
        SynonymFactory(kind="kept", phrase="linen", words="")
        SynonymFactory(kind="means", phrase="lal", field="colour", words="red")
        file = tmp_path / "synonyms.csv"
        call_command("export_synonyms", file, stdout=io.StringIO())
        before = self.exported()
        Synonym.objects.all().delete()
        call_command("import_synonyms", file, stdout=io.StringIO())
        assert self.exported() == before == file.read_bytes().decode()
        assert Synonym.objects.get(phrase="sari").source == "=1+1, said"

    def test_an_import_adds_changes_and_names_what_is_wrong(self, tmp_path):
        SynonymFactory(phrase="sari", words="saree", source="kept")
        file = tmp_path / "synonyms.csv"
        rows = [("kind", "phrase", "words"), ("same", "Sari", "sadi"), ("same", "%", "x"), ("kept", "linen", ""),
                ("same", "SARI", "again")]  # fmt: skip
        with file.open("w", newline="") as out:
            csv.writer(out).writerows(rows)
        said = io.StringIO()
        with pytest.raises(CommandError, match="2 of 4 rows are right"):
            call_command("import_synonyms", file, dry_run=True, stdout=said, stderr=said)
        assert Synonym.objects.count() == 1
        with pytest.raises(CommandError, match="2 of 4 rows were stored"):
            call_command("import_synonyms", file, stdout=said, stderr=said)
        assert "row 3: phrase: This needs a word" in said.getvalue()
        assert "row 5: phrase: Row 2 has this phrase already" in said.getvalue()
        assert set(Synonym.objects.values_list("kind", "phrase", "words", "source")) == {
            ("same", "sari", "sadi", "kept"),
            ("kept", "linen", "", ""),
        }

    def test_the_shipped_ones_are_added_where_they_are_missing(self):
        SynonymFactory(phrase="saree", words="mine alone")
        call_command("import_synonyms", shipped=True, stdout=io.StringIO())
        assert Synonym.objects.count() == len(synonym_csv.shipped())
        assert Synonym.objects.get(phrase="saree", kind="same").words == "mine alone"

    def test_what_is_no_such_file_is_refused(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_synonyms", tmp_path / "nothing.csv")
        (tmp_path / "bad.csv").write_text("phrase,price\n")
        with pytest.raises(CommandError, match="price"):
            call_command("import_synonyms", tmp_path / "bad.csv")
