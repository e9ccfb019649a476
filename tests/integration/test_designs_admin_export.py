"""The admin's export of designs: it has what the list shows, and an import takes it back as it went out."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from core import spreadsheets
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.integration.import_page import IMPORT, check, shown, store, words

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")
EXPORT = reverse("admin:designs_design_export_csv")
WORKBOOK = reverse("admin:designs_design_export_workbook")


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.DATA = tmp_path / "data"


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", admin=True))
    return client


def export(client, address=EXPORT, **filters):
    return b"".join(client.get(address, filters).streaming_content)


class TestAnExport:
    def test_comes_back_the_same_and_holds_no_formula(self, staff):
        design = DesignFactory(title="=1+1", colour="'-x", description='a,\r\n"b"', fabric="@silk")
        data = export(staff)
        (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        assert (row["title"], row["colour"], row["fabric"]) == ("'=1+1", "''-x", "'@silk")
        before = Design.objects.values().get()
        Design.objects.update(title="changed", colour="", fabric="")
        check(staff, data)
        store(staff)
        assert shown(staff) == [(2, "Changes title, colour, fabric", {})]
        assert Design.objects.values().get(pk=design.pk) == before | {
            "updated_at": Design.objects.get().updated_at,
            "version": 2,
        }

    def test_for_excel_comes_back_the_same_too(self, staff):
        DesignFactory(title="=1+1", colour="'-x", description='a,\r\n"b"  _x0041_', fabric="@silk")
        DesignFactory(title="#N/A", description="\u200bसाड़ी\n🪷", featured=True, status="archived")
        data = export(staff, WORKBOOK)
        before = list(Design.objects.order_by("id").values())
        check(staff, data)
        assert "2 of 2 rows are valid: 0 new, 0 changed, 2 unchanged" in words(staff)
        Design.objects.all().delete()
        check(staff, data)
        store(staff)
        after = list(Design.objects.order_by("id").values())
        assert [row | {"updated_at": None} for row in after] == [row | {"updated_at": None} for row in before]

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

    @pytest.mark.parametrize("address", [EXPORT, WORKBOOK])
    def test_is_linked_with_the_filters_of_the_list(self, staff, address):
        assert f'href="{address}"' in staff.get(LIST).content.decode()
        page = staff.get(LIST, {"fabric": "Silk", "q": "peac"}).content.decode()
        assert f'href="{address}?fabric=Silk&amp;q=peac"' in page


@pytest.mark.parametrize("path", [IMPORT, EXPORT, WORKBOOK])
def test_users_have_no_such_pages(path):
    client = Client()
    client.force_login(UserFactory())
    assert client.get(path).status_code == 302
