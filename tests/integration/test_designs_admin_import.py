"""The admin's page of imports: a file is sent and checked in parts, and each row is stored once or its faults named."""

import csv
import io
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.errors import Unavailable
from core.models import AuditEntry
from designs.models import Design
from designs.sheets import rows, running
from designs.sheets.table import lines
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.integration.import_page import IMPORT, check, importing, send, shown, state_of, step, store, words
from tests.pictures import picture

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[1] / "sheets"


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.DATA = tmp_path / "data"
    return settings.DATA


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", admin=True))
    return client


@pytest.fixture
def one_row_a_step(monkeypatch):
    monkeypatch.setattr(running, "STEP_SECONDS", -1)


def table(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, dict.fromkeys(name for row in rows for name in row), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def good(**more):
    return {"title": "Patola", "category": "Saree", "r2_object_key": ImageFactory().object_key, **more}


class TestACheck:
    def test_says_what_would_become_of_each_row_and_stores_nothing(self, staff):
        design = DesignFactory(title="Old")
        check(
            staff,
            table(
                good(),
                {**good(), "category": "", "featured": "perhaps"},
                good(id=design.pk, title="New", r2_object_key=design.image_id),
                good(id=design.pk, title="Old", r2_object_key=design.image_id),
                good(r2_object_key="designs/nothing.jpg"),
            ),
        )
        rows = shown(staff)
        assert [(number, outcome) for number, outcome, _ in rows] == [
            (2, "New design"),
            (3, "Not imported"),
            (4, "Changes title"),
            (5, "No change"),
            (6, "Not imported"),
        ]
        assert rows[1][2] == {
            "category": "This cell is empty. Every design needs this.",
            "featured": "Write yes or no.",
        }
        text = words(staff)
        assert "3 of 5 rows are valid: 1 new, 1 changed, 1 unchanged, 2 with errors." in text
        assert "Import 3 valid rows" in text
        assert (
            '<td data-label="featured" class="is-wrong"><div>perhaps<p class="gallery-cell-fault">Write yes'
            in text
        )
        assert list(Design.objects.values_list("title")) == [("Old",)]
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "This file is empty"),
            (b"title,price\nx,1\n", "Row 1, column B: no column is called “price”."),
            (b"title,Title\nx,1\n", "are the same column"),
            (b"\x89PNG\r\n", "not a table"),
            (b"PK\x03\x04" + bytes(400), "damaged"),
        ],
    )
    def test_of_what_is_no_such_table_is_refused_in_words(self, staff, data, sentence):
        assert check(staff, data)["phase"] == "refused"
        page = staff.get(IMPORT).content.decode()
        assert sentence in page
        assert 'role="alert"' in page
        assert "data-begin" not in page

    def test_asks_how_dates_are_written_where_two_readings_fit(self, staff):
        answer = check(staff, table(good(created_at="03/04/2026"), good(created_at="28/11/2026")))
        assert "03/04/2026 may be 3 April 2026 or 4 March 2026" in words(staff)
        assert step(staff, answer["place"], begin="check", order="sideways").status_code == 400
        importing(staff, begin="check", order="month-first")
        assert "2 of 2 rows are valid" in words(staff)
        assert "How are dates written" not in words(staff)
        store(staff)
        assert {design.created_at.month for design in Design.objects.all()} == {3, 11}

    def test_reads_the_file_again_in_another_encoding(self, staff):
        check(staff, f"title,category,r2_object_key\r\nŻółw,Saree,{ImageFactory().pk}\r\n".encode("cp1250"))
        importing(staff, begin="read", encoding="cp1250")
        assert state_of(staff).shown[0].cells[0] == "Żółw"
        refused = step(staff, state_of(staff).place, begin="read", encoding="rot13")
        assert refused.status_code == 400

    def test_shows_each_of_the_first_faults_and_counts_all(self, staff, monkeypatch):
        monkeypatch.setattr(running, "MOST_FAULTY", 3)
        monkeypatch.setattr(running, "MOST_OTHERS", 2)
        check(staff, table(*(good(), good(title="")) * 5))
        assert [number for number, _, _ in shown(staff)] == [2, 3, 4, 5, 7]
        assert "5 of 10 rows are valid" in words(staff)

    def test_escapes_what_a_cell_says(self, staff):
        check(staff, table(good(title="<script>alert(1)</script>"), good(featured="<b>")))
        page = staff.get(IMPORT).content.decode()
        assert "<script>alert" not in page
        assert "<b>" not in page


class TestAnImport:
    def test_stores_the_right_rows_names_the_wrong_and_is_audited(self, staff):
        check(staff, table(good(), good(title=""), good(title="Ikat", status="draft")))
        store(staff)
        assert list(Design.objects.order_by("id").values_list("title", "status")) == [
            ("Patola", "published"),
            ("Ikat", "draft"),
        ]
        assert "2 of 3 rows were stored" in words(staff)
        assert {entry.actor_username for entry in AuditEntry.objects.all()} == {"curator"}

    @pytest.mark.usefixtures("one_row_a_step")
    def test_goes_on_where_it_was_and_does_no_row_twice(self, staff):
        place = check(staff, table(*(good(title=f"T{number}") for number in range(5))))["place"]
        first = step(staff, place, begin="store").json()
        assert (first["done"], first["total"], first["is_running"]) == (1, 5, True)
        # The answer was lost, and the step is sent again; or from another tab.
        again = step(staff, place, begin="store").json()
        assert again == first
        second = step(staff, first["place"]).json()
        assert step(staff, first["place"]).json() == second
        assert Design.objects.count() == 2
        # The page is loaded again, by a browser that knows nothing of before.
        assert f'data-place="{second["place"]}" data-running="true"' in staff.get(IMPORT).content.decode()
        importing(staff)
        assert sorted(Design.objects.values_list("title", flat=True)) == [f"T{number}" for number in range(5)]
        assert AuditEntry.objects.count() == 5

    @pytest.mark.usefixtures("one_row_a_step")
    def test_a_row_that_was_stored_but_not_noted_is_not_stored_again(self, staff, monkeypatch):
        place = check(staff, table(good(title="A"), good(title="B")))["place"]
        with monkeypatch.context() as killed:
            killed.setattr(running, "note", lambda *_: None)
            killed.setattr(running, "save", lambda *_: None)
            step(staff, place, begin="store")
        assert Design.objects.count() == 1
        store(staff)
        assert sorted(Design.objects.values_list("title", flat=True)) == ["A", "B"]
        assert "2 of 2 rows were stored: 1 new, 0 changed, 1 unchanged" in words(staff)

    def test_of_the_same_file_again_makes_no_second_designs(self, staff):
        data = table(good(title="A"), good(title="B"))
        for _ in range(2):
            check(staff, data)
            store(staff)
        assert Design.objects.count() == 2
        assert "0 new, 0 changed, 2 unchanged" in words(staff)

    def test_stops_where_the_database_or_the_store_is_away_and_goes_on_later(self, staff, monkeypatch):
        check(staff, table(good(title="A"), good(title="B"), good(title="C")))
        create = rows.services.design_create
        for error, status in ((Unavailable(), 503), (OperationalError("D1 is away"), 503)):

            def away(actor, fields, error=error, **more):
                if fields["title"] == "B":
                    raise error
                return create(actor, fields, **more)

            with monkeypatch.context() as outage:
                outage.setattr(rows.services, "design_create", away)
                staff.raise_request_exception = False
                place = state_of(staff).place
                begin = "" if state_of(staff).is_running else "store"
                assert step(staff, place, begin=begin).status_code == status
            assert Design.objects.count() == 1
            assert (state_of(staff).done, state_of(staff).counts) == (1, {"new": 1})
        importing(staff)
        assert "3 of 3 rows were stored: 3 new" in words(staff)

    def test_begins_only_with_what_was_checked(self, staff):
        place = send(staff, table(good()))
        assert step(staff, place, begin="store").status_code == 400
        assert step(staff, "nowhere", begin="read").json()["phase"] == "sending"
        check(staff, table(good()))
        place = state_of(staff).place
        # Another file takes its place.
        send(staff, table(good(title="Other")))
        assert step(staff, place, begin="store").json()["phase"] == "sending"
        assert not Design.objects.exists()

    def test_has_the_pictures_of_a_zip(self, staff):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("My pictures/IMG_1.JPG", picture())
        check(staff, (CASES / "case_image.csv").read_bytes(), pictures=out.getvalue())
        store(staff)
        assert Design.objects.get().image.width == 400
        check(staff, (CASES / "semicolon.csv").read_bytes(), pictures=out.getvalue())
        assert shown(staff)[0][2] == {"image": "No file in the zip of pictures has the name “a.jpg”."}
        check(staff, (CASES / "case_image.csv").read_bytes(), pictures=b"PK nothing")
        assert state_of(staff).phase == "refused"

    def test_reads_no_file_of_the_host(self, staff):
        check(staff, table({"title": "x", "category": "Saree", "image": "/etc/hostname"}))
        assert "No file beside this table" in shown(staff)[0][2]["image"]


class TestAFile:
    def test_comes_in_parts_any_of_which_may_come_twice(self, staff, monkeypatch):
        data = table(*(good(title=f"Title {number}") for number in range(50)))
        check(staff, data, part=1000, twice=True)
        assert state_of(staff).total == 50

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"offset": "x"}, 400),
            ({"offset": "-1"}, 400),
            ({"file": "../state.json"}, 400),
            ({"size": "3"}, 400),
            ({"offset": "2", "size": "99"}, 400),  # nothing was sent before
            ({"size": "100000001"}, 413),
            ({"file": "pictures"}, 400),  # no table was
        ],
    )
    def test_that_does_not_fit_is_refused(self, staff, fields, status):
        response = staff.post(
            reverse("admin:designs_design_import_part"),
            {"file": "table", "name": "x", "offset": "0", "size": "4", "data": io.BytesIO(b"text"), **fields},
        )
        assert response.status_code == status
        assert response.json()["message"]

    def test_must_have_come_whole(self, staff):
        send(staff, table(good()), leave_out=1)
        response = step(staff, state_of(staff).place, begin="read")
        assert (response.status_code, "not sent whole" in response.json()["message"]) == (400, True)

    def test_is_private_and_is_each_members_own(self, staff, data):
        check(staff, table(good()))
        files = [path for path in (data / "imports").rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {"table", "rows", "state.json"}
        assert {path.stat().st_mode & 0o077 for path in files} == {0}
        other = Client()
        other.force_login(UserFactory(admin=True))
        assert state_of(other) is None
        assert step(other, state_of(staff).place, begin="store").status_code == 400
        assert not Design.objects.exists()

    def test_is_removed_on_request_and_after_a_day(self, staff, data):
        check(staff, table(good()))
        staff.post(reverse("admin:designs_design_import_forget"))
        assert state_of(staff) is None
        check(staff, table(good()))
        folder = data / "imports" / str(User.objects.get(username="curator").pk)
        for age, is_left in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
            for path in folder.iterdir():
                os.utime(path, (time.time() - age.total_seconds(),) * 2)
            call_command("tidy", only="imports", stdout=io.StringIO())
            assert folder.exists() == is_left

    @pytest.mark.django_db(transaction=True)
    def test_that_two_tabs_import_at_once_is_imported_once(self, staff):
        place = check(staff, table(*(good(title=f"T{number}") for number in range(10))))["place"]
        with ThreadPoolExecutor(4) as tabs:
            answers = list(tabs.map(lambda _: step(staff, place, begin="store").json(), range(4)))
        assert {answer["phase"] for answer in answers} == {"stored"}
        assert (Design.objects.count(), AuditEntry.objects.count()) == (10, 10)


class TestATemplate:
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_names_the_columns_that_an_import_takes(self, staff, tmp_path, kind):
        path = tmp_path / f"template.{kind}"
        response = staff.get(reverse("admin:designs_design_import_template", args=[kind]))
        path.write_bytes(b"".join(response.streaming_content))
        (number, names), *_ = lines(path, "")
        assert (number, names[:3]) == (1, ["Title", "Category", "Image"])
        check(staff, path.read_bytes())
        assert "no rows below" in words(staff)

    def test_is_there_in_two_kinds(self, staff):
        assert staff.get(reverse("admin:designs_design_import_template", args=["pdf"])).status_code == 404
