"""The admin's pages of import and export: a file is checked first, and comes back as it went out."""

import csv
import io
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from console.designs import csv_import
from core import spreadsheets
from core.models import AuditEntry
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")
IMPORT = reverse("admin:designs_design_import_csv")
EXPORT = reverse("admin:designs_design_export_csv")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", admin=True))
    return client


def table(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, dict.fromkeys(name for row in rows for name in row), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def send(client, data, **fields):
    return client.post(IMPORT, {**fields, "file": SimpleUploadedFile("designs.csv", data, "text/csv")})


def check(client, data):
    return send(client, data, check="1")


def store(client, data):
    return send(client, data, store="1", checked=check(client, data).context["digest"])


def export(client, **filters):
    return b"".join(client.get(EXPORT, filters).streaming_content)


def good(**more):
    return {"title": "Patola", "category": "Saree", "r2_object_key": ImageFactory().object_key, **more}


def results_of(response):
    return [
        (result.number, result.is_new, result.changed, dict(result.faults))
        for result in response.context["results"]
    ]


class TestACheck:
    def test_says_what_would_become_of_each_row_and_stores_nothing(self, staff):
        design = DesignFactory(title="Old")
        page = check(
            staff,
            table(
                good(),
                {**good(), "category": "", "featured": "perhaps"},
                good(id=design.pk, title="New", r2_object_key=design.image_id),
                good(id=design.pk, title="Old", r2_object_key=design.image_id),
                good(r2_object_key="designs/nothing.jpg"),
            ),
        )
        rows = results_of(page)
        assert [(number, is_new, bool(faults)) for number, is_new, _, faults in rows] == [
            (2, True, False),
            (3, False, True),
            (4, False, False),
            (5, False, False),
            (6, False, True),
        ]
        assert set(rows[1][3]) == {"category", "featured"}
        assert (rows[2][2], rows[3][2]) == (("title",), ())
        text = " ".join(page.content.decode().split())
        assert "3 of 5 rows are valid: 1 new, 1 changed, 1 unchanged, 2 with errors." in text
        assert "Import 3 valid rows" in text
        assert list(Design.objects.values_list("title")) == [("Old",)]
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "names the columns"),
            (b"title,price\nx,1\n", "price"),
            (b"title\n\xff\n", "UTF-8"),
            (b"\x89PNG\r\n", "CSV"),
        ],
    )
    def test_of_what_is_no_such_table_is_refused_in_words(self, staff, data, words):
        page = check(staff, data).content.decode()
        assert words in page
        assert "Import the" not in page

    def test_of_too_many_rows_names_the_command(self, staff, monkeypatch):
        monkeypatch.setattr(csv_import, "DESIGNS", replace(csv_import.DESIGNS, max_rows=2))
        assert "import_designs" in check(staff, table(good(), good(), good())).content.decode()
        monkeypatch.setattr(csv_import, "MAX_BYTES", 10)
        assert "import_designs" in check(staff, table(good())).content.decode()


class TestAnImport:
    def test_stores_the_right_rows_names_the_wrong_and_is_audited(self, staff):
        page = store(staff, table(good(), good(title=""), good(title="Ikat", status="draft")))
        assert list(Design.objects.order_by("id").values_list("title", "status")) == [
            ("Patola", "published"),
            ("Ikat", "draft"),
        ]
        assert "2 of 3 rows were stored" in page.content.decode()
        assert {entry.actor_username for entry in AuditEntry.objects.all()} == {"curator"}

    def test_is_refused_where_the_file_is_not_the_one_that_was_checked(self, staff):
        digest = check(staff, table(good())).context["digest"]
        for sent in ({"checked": digest}, {}):
            page = send(staff, table(good(title="Other")), store="1", **sent).content.decode()
            assert "not the file that was checked" in page
        assert not Design.objects.exists()

    def test_reads_no_file_of_the_host(self, staff):
        (row,) = results_of(
            check(staff, table({"title": "x", "category": "Saree", "image": "/etc/hostname"}))
        )
        assert "import_designs" in row[3]["image"]


class TestAnExport:
    def test_comes_back_the_same_and_holds_no_formula(self, staff):
        design = DesignFactory(title="=1+1", colour="'-x", description='a,\r\n"b"', fabric="@silk")
        data = export(staff)
        (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        assert (row["title"], row["colour"], row["fabric"]) == ("'=1+1", "''-x", "'@silk")
        before = Design.objects.values().get()
        Design.objects.update(title="changed", colour="", fabric="")
        assert results_of(store(staff, data))[0][3] == {}
        assert Design.objects.values().get(pk=design.pk) == before | {
            "updated_at": Design.objects.get().updated_at,
            "version": 2,
        }

    def test_is_utf_8_to_excel_too(self, staff):
        DesignFactory(title="कांजीवरम")
        data = export(staff)
        assert data.startswith(b"\xef\xbb\xbfid,")
        assert "कांजीवरम".encode() in data

    def test_has_what_the_list_shows_on_all_its_pages(self, staff, monkeypatch):
        monkeypatch.setattr(spreadsheets, "CHUNK", 2)
        for number in range(30):
            DesignFactory(title=f"peacock {number}", fabric="Silk")
        DesignFactory(title="peacock in cotton", fabric="Cotton")
        DesignFactory(title="plain", fabric="Silk")
        rows = csv.DictReader(
            io.StringIO(export(staff, fabric="Silk", q="peac").decode("utf-8-sig"), newline="")
        )
        assert [row["title"] for row in rows] == [f"peacock {number}" for number in range(30)]

    def test_is_linked_with_the_filters_of_the_list(self, staff):
        assert f'href="{EXPORT}"' in staff.get(LIST).content.decode()
        page = staff.get(LIST, {"fabric": "Silk", "q": "peac"}).content.decode()
        assert f'href="{EXPORT}?fabric=Silk&amp;q=peac"' in page


@pytest.mark.parametrize("path", [IMPORT, EXPORT])
def test_users_have_no_such_pages(path):
    client = Client()
    client.force_login(UserFactory())
    assert client.get(path).status_code == 302
