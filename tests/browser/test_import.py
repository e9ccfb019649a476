"""Designs imported in the console, as staff do it: a table from Excel, its pictures in a zip, in a real browser."""

import csv
import io
import unicodedata
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import expect

from tests.browser.looks import SCREENS, THEMES, look
from tests.pictures import picture

pytestmark = pytest.mark.browser

CASES = Path(__file__).parents[1] / "sheets"
PATH = "/admin/designs/design/import/"


def designs(gallery, **wanted):
    answer = gallery.client(**gallery.admin).get("/api/designs", params={"per_page": 100, **wanted})
    return answer.json()["items"]


@pytest.fixture
def importing(admin, gallery):
    """The page, in which no server is slow to start."""
    admin.goto(f"{gallery.address}{PATH}")
    return admin


def results(page):
    return page.get_by_role("region", name="Results")


def table(rows, name="designs.csv"):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return {"name": name, "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def three_rows(gallery):
    design = designs(gallery)[0]
    return [
        ["id", "title", "category", "r2_object_key", "featured"],
        [design["id"], "Renamed", design["category"], design["r2_object_key"], "true"],
        ["", "New one", "Saree", design["r2_object_key"], "false"],
        ["", "", "Saree", "designs/none.jpg", "perhaps"],
    ]


def zip_of_pictures():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("a.jpg", "IMG_1.JPG", unicodedata.normalize("NFD", "साड़ी é.jpg")):
            archive.writestr(f"Pictures/{name}", picture(width=160, height=120))
    return {"name": "pictures.zip", "mimeType": "application/zip", "buffer": out.getvalue()}


def choose(page, file, pictures=None):
    page.get_by_label("Table", exact=True).set_input_files(file)
    if pictures:
        page.get_by_label("Pictures, if the table names files").set_input_files(pictures)
    page.get_by_role("button", name="Check the file").click()


def workbook():
    book = Workbook()
    for line in (["Title", "Category", "Image", "Featured"], ["Real", "Saree", "a.jpg", True]):
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return {"name": "real.xlsx", "mimeType": "application/octet-stream", "buffer": out.getvalue()}


def test_a_file_is_checked_first_and_then_stored(importing, gallery):
    before = designs(gallery)
    choose(importing, table(three_rows(gallery)))
    expect(results(importing)).to_contain_text(
        "2 of 3 rows are valid: 1 new, 1 changed, 0 unchanged, 1 with errors."
    )
    last = results(importing).get_by_role("row").last
    expect(last.get_by_role("cell").nth(3)).to_contain_text("This cell is empty.")
    expect(last.get_by_role("cell").last).to_contain_text("perhaps")
    expect(last.get_by_role("cell").last).to_contain_text("Write yes or no.")
    assert designs(gallery) == before

    results(importing).get_by_role("button", name="Import 2 valid rows").click()
    expect(results(importing)).to_contain_text("2 of 3 rows were stored")
    titles = {design["title"] for design in designs(gallery)}
    assert {"Renamed", "New one"} <= titles
    assert len(titles) == len({design["title"] for design in before}) + 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("screen", SCREENS)
def test_its_results_fit_each_screen(importing, gallery, screen, theme):
    width, height = SCREENS[screen]
    importing.set_viewport_size({"width": width, "height": height})
    importing.emulate_media(color_scheme=theme)
    head, *rows = three_rows(gallery)
    rows = [[*head, "created_at"], *([*row, "03/04/2026"] for row in rows * 40)]
    choose(importing, table(rows))
    expect(results(importing)).to_contain_text("How are dates written in this file?")
    look(importing, f"import-checked-{screen}-{theme}")
    assert importing.evaluate("document.documentElement.scrollHeight") < 5000
    importing.get_by_label("Month first").check()
    importing.get_by_role("button", name="Check again").click()
    expect(results(importing)).to_contain_text("80 of 120 rows are valid")
    choose(importing, table([["title", "title", "price"], ["a", "b", "c"]]))
    expect(results(importing).get_by_role("alert")).to_contain_text("Row 1, columns A and B")
    look(importing, f"import-refused-{screen}-{theme}")


def test_each_kind_of_file_that_excel_writes_is_imported(importing, gallery):
    readable = {
        path.name: path
        for path in sorted(CASES.glob("*.csv"))
        if path.stem not in ("dup_header", "id_float", "values")
    }
    for file in (*readable.values(), workbook()):
        choose(importing, file, zip_of_pictures())
        button = results(importing).get_by_role("button", name="valid row")
        button.click()
        expect(results(importing)).to_contain_text("0 with errors")
        expect(results(importing).get_by_role("link", name="Go to the designs")).to_be_visible()
        importing.get_by_role("button", name="Remove this file").click()
        expect(importing.get_by_role("button", name="Remove this file")).to_have_count(0)
    titles = {design["title"] for design in designs(gallery)}
    assert {"T6", "U1 साड़ी", "Rosé", "T2", "T3", "T4", "T1b", "T15", "T16", "T17", "T18", "Real"} <= titles
    choose(importing, CASES / "id_float.csv")
    results(importing).get_by_role("button", name="Import 1 valid row").click()
    expect(results(importing)).to_contain_text("1 of 1 rows were stored: 0 new, 1 changed")
    choose(importing, CASES / "values.csv")
    expect(results(importing)).to_contain_text("0 of 22 rows are valid")
    expect(results(importing)).to_contain_text("This is not the key of a stored image")


def test_it_goes_on_after_a_reload_and_after_failures_of_the_network(importing, gallery):
    # A page of its own: its console tells of the failures.
    page = importing.context.new_page()
    page.goto(f"{gallery.address}{PATH}")
    key = designs(gallery)[0]["r2_object_key"]
    rows = [["title", "category", "r2_object_key"], *([f"T{number}", "Saree", key] for number in range(120))]
    # A file of several parts, whose first step of storing fails, and the page is left then.
    page.evaluate("document.getElementById('import').dataset.part = '2000'")
    choose(page, table(rows))
    page.route("**/import/step/", lambda route: route.fulfill(status=503, body="away"), times=1)
    results(page).get_by_role("button", name="Import 120 valid rows").click()
    expect(results(page)).to_contain_text("120 of 120 rows were stored: 120 new")

    choose(page, table([*rows[:1], *([f"U{number}", "Saree", key] for number in range(60))]))
    button = results(page).get_by_role("button", name="Import 60 valid rows")
    expect(button).to_be_visible()
    page.reload()
    expect(button).to_be_visible()
    # A step is stored whose answer never comes: the page asks for the same step again.
    page.route("**/import/step/", lambda route: (route.fetch(), route.abort()), times=1)
    button.click()
    expect(results(page)).to_contain_text("60 of 60 rows were stored: 60 new")
    found = gallery.client(**gallery.admin).get("/api/designs").json()["total"]
    assert found == 24 + 120 + 60


def test_it_is_paused_and_continued_by_the_keyboard_alone(importing, gallery):
    key = designs(gallery)[0]["r2_object_key"]
    rows = [["title", "category", "r2_object_key"], *([f"T{number}", "Saree", key] for number in range(30))]
    importing.get_by_label("Table", exact=True).set_input_files(table(rows))
    importing.get_by_label("Pictures, if").focus()
    importing.keyboard.press("Tab")
    expect(importing.get_by_role("button", name="Check the file")).to_be_focused()
    importing.keyboard.press("Enter")
    expect(results(importing)).to_be_focused()
    importing.keyboard.press("Tab")
    expect(importing.get_by_role("button", name="Import 30 valid rows")).to_be_focused()
    held = []
    importing.route("**/import/step/", lambda route: held.append(route), times=1)
    importing.keyboard.press("Enter")
    pause = importing.get_by_role("button", name="Pause")
    pause.focus()
    importing.keyboard.press("Enter")
    expect(importing.get_by_role("button", name="Continue")).to_be_focused()
    held[0].continue_()
    importing.get_by_role("button", name="Continue").press("Enter")
    expect(results(importing)).to_contain_text("30 of 30 rows were stored")


def test_templates_and_exports_come_back(importing, gallery):
    with importing.expect_download() as download:
        importing.get_by_role("link", name="Excel workbook").click()
    names = [
        cell.value for cell in load_workbook(io.BytesIO(download.value.path().read_bytes()))["Designs"][1]
    ]
    assert names[:3] == ["Title", "Category", "Image"]
    for link in ("Export as CSV", "Export for Excel"):
        importing.goto(f"{gallery.address}/admin/designs/design/")
        with importing.expect_download() as download:
            importing.get_by_role("link", name=link).click()
        path = download.value.path()
        importing.goto(f"{gallery.address}{PATH}")
        choose(importing, {"name": "export", "mimeType": "", "buffer": path.read_bytes()})
        expect(results(importing)).to_contain_text("24 of 24 rows are valid: 0 new, 0 changed, 24 unchanged")
