"""The admin's pages of synonyms and of searches that found little."""

import datetime
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from console.designs.synonym_import import MAX_ROWS
from core.models import AuditEntry
from designs import synonym_csv
from designs.models import SearchCount, Synonym
from designs.search_counts import this_week
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, SearchCountFactory, SynonymFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_synonym_changelist")
ADD = reverse("admin:designs_synonym_add")
TRY = reverse("admin:designs_synonym_try_it")
IMPORT = reverse("admin:designs_synonym_import_csv")
EXPORT = reverse("admin:designs_synonym_export_csv")
SEARCHES = reverse("admin:designs_searchcount_changelist")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", editor=True))
    return client


def sent(**fields):
    return {"kind": "same", "phrase": "sari", "field": "", "words": "saree", "source": "", **fields}


def page_of(synonym, name="change"):
    return reverse(f"admin:designs_synonym_{name}", args=[synonym.pk])


def workbook(*rows):
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def text_of(response):
    return " ".join(response.content.decode().split())


def stored():
    return set(Synonym.objects.values_list("kind", "phrase", "field", "words"))


class TestTheForm:
    def test_adds_changes_and_deletes_with_the_audit_of_the_service(self, staff):
        assert staff.post(ADD, sent(phrase=" SARI ")).status_code == 302
        assert stored() == {("same", "sari", "", "saree")}
        made = Synonym.objects.get()
        changed = sent(kind="means", field="category", words="Saree, Kora White")
        assert staff.post(page_of(made), changed).status_code == 302
        assert stored() == {("means", "sari", "category", "saree, kora white")}
        assert staff.post(page_of(made, "delete"), {"post": "yes"}).status_code == 302
        assert stored() == set()
        lines = AuditEntry.objects.order_by("id").values_list("action", "actor_username")
        assert list(lines) == [(f"synonym.{what}", "curator") for what in ("create", "update", "delete")]

    def test_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(self, staff):
        SynonymFactory(phrase="sari")
        for fields, words in (
            ({"phrase": "%"}, "needs a word"),
            ({"phrase": "one two three four five"}, "at most 4 words"),
            ({"words": ""}, "at least one word"),
            ({"field": "colour"}, "Leave this empty"),
            ({"phrase": "SARI"}, "already"),
        ):
            page = staff.post(ADD, sent(**fields, source="my glossary"))
            assert page.status_code == 200
            assert words in text_of(page)
            assert "my glossary" in text_of(page)
        assert Synonym.objects.count() == 1

    def test_of_a_missed_search_is_filled_in(self, staff):
        assert 'value="toran"' in text_of(staff.get(ADD, {"phrase": "toran", "kind": "means"}))

    def test_several_are_deleted_together(self, staff):
        rows = SynonymFactory.create_batch(3)
        data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows[:2]], "post": "yes"}
        assert staff.post(LIST, data).status_code == 302
        assert Synonym.objects.get() == rows[2]
        assert AuditEntry.objects.filter(action="synonym.delete").count() == 2


class TestTheList:
    def test_is_searched_and_filtered(self, staff):
        SynonymFactory(phrase="sari", words="saree", source="Wikipedia: Sari")
        SynonymFactory(kind="means", phrase="lal", field="colour", words="red")
        assert "lal" not in text_of(staff.get(LIST, {"q": "Wikipedia"})).partition("result_list")[2]
        assert "sari" not in text_of(staff.get(LIST, {"kind__exact": "means"})).partition("result_list")[2]
        assert staff.get(LIST, {"field__exact": "colour"}).status_code == 200


class TestAFile:
    def test_comes_back_as_it_was_exported(self, staff):
        SynonymFactory(phrase="sari", words="saree, sadi", source="=1+1")
        SynonymFactory(kind="kept", phrase="linen", words="")
        before = stored()
        data = b"".join(staff.get(EXPORT).streaming_content)
        Synonym.objects.all().delete()
        checked = self.send(staff, data, check="1")
        assert "2 of 2 rows are valid: 2 new" in text_of(checked)
        assert stored() == set()
        done = self.send(staff, data, store="1", checked=checked.context["digest"])
        assert "2 of 2 rows were stored" in text_of(done)
        assert stored() == before
        assert Synonym.objects.get(phrase="sari").source == "=1+1"

    def test_shows_what_is_wrong_in_each_row(self, staff):
        SynonymFactory(phrase="sari", words="saree")
        data = b"kind,phrase,words\nsame,sari,saree\nsame,%,x\nmeans,lal,\nsame,sari,sadi\nsame,a,b,c\n"
        page = self.send(staff, data, check="1")
        assert "1 of 5 rows are valid: 0 new, 0 changed, 1 unchanged, 4 with errors." in text_of(page)
        assert [[field for field, _ in result.faults] for result in page.context["results"]] == [
            [], ["phrase"], ["words"], ["phrase"], ["row"],
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "data",
        [
            "Kind;Phrase; WORDS \r\nThe same as;café;saree, sadi\r\n;;\r\n".encode("cp1252"),
            "kind\tphrase\twords\t\r\nSAME\tcafé\tsaree, sadi\t\r\n".encode("utf-16"),
            workbook(["Kind", "Phrase", "Words"], [None] * 3, ["same", "café", "saree, sadi"]),
        ],
        ids=["semicolons", "tabs", "workbook"],
    )
    def test_is_read_as_excel_writes_it(self, staff, data):
        checked = self.send(staff, data, check="1")
        assert "1 of 1 rows are valid: 1 new" in text_of(checked)
        self.send(staff, data, store="1", checked=checked.context["digest"])
        assert stored() == {("same", "cafe", "", "saree, sadi")}

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"kind,phrase,price\n", "price is none of kind, phrase"),
            (b"kind,phrase,Kind\n", "names kind twice"),
            (b"", "This file is empty."),
            (b"\x89PNG\r\n\x1a\n", "This is not a table."),
        ],
    )
    def test_that_is_no_such_table_is_refused_in_words(self, staff, data, sentence):
        assert sentence in text_of(self.send(staff, data, check="1"))

    def test_of_all_shipped_ones_is_small_enough(self, staff):
        assert len(synonym_csv.shipped()) * 3 < MAX_ROWS

    def send(self, client, data, **fields):
        file = SimpleUploadedFile("synonyms.csv", data, "text/csv")
        return client.post(IMPORT, {**fields, "file": file})


class TestTheBoxToTry:
    def test_shows_how_a_search_is_read_and_what_it_finds(self, staff):
        SynonymFactory(kind="means", phrase="lal", field="colour", words="red, crimson")
        DesignFactory(title="Paithani Saree", colour="Sindoor red")
        DesignFactory(title="Paithani Saree in drafts", colour="Sindoor red", status="draft")
        page = staff.get(TRY, {"text": "Lal paithani"})
        text = text_of(page)
        assert "lal → colour: red, crimson" in text
        assert "1 design<" in text
        assert "Paithani Saree" in text
        assert "in drafts" not in text
        assert f"{ADD}?phrase=Lal%20paithani" in text

    def test_takes_any_text(self, staff):
        for text in ("", " ", '"><script>', "%", "\0", "x" * 1000, "साड़ी", "NEAR( AND *"):
            page = staff.get(TRY, {"text": text})
            assert page.status_code == 200
            assert "<script>" not in text_of(page).partition("gallery-title")[2].partition("</main>")[0]

    def test_shows_a_change_at_once(self, staff):
        DesignFactory(title="Paithani")
        assert "0 designs" in text_of(staff.get(TRY, {"text": "toran"}))
        staff.post(ADD, sent(phrase="toran", words="paithani"))
        page = text_of(staff.get(TRY, {"text": "toran"}))
        assert "toran → paithani" in page
        assert "1 design<" in page


class TestTheMissedSearches:
    def test_are_listed_with_a_click_to_a_synonym(self, staff):
        SearchCountFactory(phrase="bandej & sari", count=7, found=2)
        SearchCountFactory(phrase="old", week=this_week() - datetime.timedelta(weeks=5))
        page = text_of(staff.get(SEARCHES))
        assert f"{ADD}?phrase=bandej+%26+sari&amp;kind=means" in page
        assert f"{TRY}?text=bandej+%26+sari" in page
        recent = text_of(staff.get(SEARCHES, {"weeks": "4"})).partition("result_list")[2]
        assert "bandej" in recent
        assert "phrase=old" not in recent

    def test_are_never_changed_there(self, staff):
        row = SearchCountFactory()
        for name in ("change", "delete"):
            staff.post(
                reverse(f"admin:designs_searchcount_{name}", args=[row.pk]), {"count": 99, "post": "yes"}
            )
        assert SearchCount.objects.get().count == row.count
        assert staff.get(reverse("admin:designs_searchcount_add")).status_code == 403
