"""Tables as people make them with Excel: each is read, or refused in words that say what to do."""

import io
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from designs.models import Design
from designs.sheets import archives, workbook
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[1] / "sheets"
KEY = "designs/2026/11/1795877718_8b0d6e22-bd61-486d-99b0-429a7e5e10be.jpg"
CELLS = ["title", "category", "image"]


@pytest.fixture
def pictures(tmp_path):
    """A folder with pictures as a camera, a Mac and a designer name them."""
    folder = tmp_path / "pictures"
    (folder / "saris").mkdir(parents=True)
    for name in (
        "a.jpg",
        "IMG_1.JPG",
        unicodedata.normalize("NFD", "साड़ी é.jpg"),
        "saris/b.jpg",
        "saris/a.jpg",
    ):
        (folder / name).write_bytes(picture())
    return folder


def run(path, images=None, **options):
    """Import a file; return the sentences about it."""
    err = io.StringIO()
    try:
        call_command("import_designs", path, images=images, stdout=io.StringIO(), stderr=err, **options)
    except CommandError as error:
        return [*err.getvalue().splitlines(), str(error)]
    return err.getvalue().splitlines()


def stored(*names):
    return list(Design.objects.order_by("id").values_list(*names))


@pytest.mark.parametrize(
    ("name", "design"),
    [
        ("semicolon", ("T6", "published", False, "")),
        ("utf16", ("U1 साड़ी", "published", False, "")),
        ("cp1252", ("Rosé", "published", False, "")),
        ("blank_tail_rows", ("T2", "published", False, "x")),
        ("blank_tail_cols", ("T3", "published", False, "x")),
        ("header_case", ("T4", "published", False, "")),
        ("excel_TRUE_status_upper", ("T1b", "published", False, "x")),
        ("nfc_image", ("T15", "published", False, "")),
        ("case_image", ("T16", "published", False, "")),
    ],
)
def test_what_excel_writes_is_read(pictures, name, design):
    assert run(CASES / f"{name}.csv", pictures) == []
    assert stored("title", "status", "featured", "description") == [design]


def test_a_column_named_twice_is_refused_by_name(pictures):
    (said,) = run(CASES / "dup_header.csv", pictures)
    assert "Row 1, columns A and B: “title” and “title” are the same column." in said


def test_an_id_is_read_as_a_spreadsheet_writes_numbers():
    DesignFactory(pk=1, title="Old")
    assert run(CASES / "id_float.csv") == []
    assert stored("pk", "title") == [(1, "T20")]


def test_dates_that_fit_one_reading_are_read(pictures):
    assert run(CASES / "excel_date.csv", pictures) == []
    assert [created_at for (created_at,) in stored("created_at")] == [
        datetime(2026, 11, 28, 14, 30, tzinfo=UTC),
        datetime(2026, 11, 28, tzinfo=UTC),
        datetime(2026, 11, 28, 14, 30, tzinfo=UTC),
        datetime(2026, 11, 28, 9, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(("order", "month"), [("day-first", 4), ("month-first", 3)])
def test_of_a_date_that_fits_two_the_order_is_asked(pictures, tmp_path, order, month):
    path = tmp_path / "dates.csv"
    path.write_text("title;category;image;Created\nA;Saree;a.jpg;03/04/2026\nB;Saree;a.jpg;28/11/2026\n")
    said = run(path, pictures)
    assert said[0].startswith("Row 2, column Created: 03/04/2026 may be 3 April 2026 or 4 March 2026.")
    assert stored("title") == [("B",)]
    assert run(path, pictures, dates=order) == []
    assert Design.objects.get(title="A").created_at.month == month
    assert Design.objects.count() == 2


def test_values_are_read_as_people_and_the_console_write_them():
    ImageFactory(object_key=KEY)
    said = run(CASES / "values.csv")
    assert said == [
        "Row 19, column title: This cell is empty. Every design needs this.",
        "Row 20, column r2_object_key: A new design needs a picture: write the key of a stored one here, or add a "
        "column Image.",
        "20 of 22 rows were stored; 2 had errors.",
    ]
    featured = {title for title, featured in stored("title", "featured") if featured}
    assert featured == {f"Feat {word}" for word in ("TRUE", "WAHR", "yes", "1", "Ja", "x")}
    states = dict(stored("title", "status"))
    assert [states[f"Stat {word}"] for word in ("Published", "DRAFT", "live", " published")] == [
        "published",
        "draft",
        "published",
        "published",
    ]
    days = {
        str(moment.date()) for title, moment in stored("title", "created_at") if title.startswith("Date 1")
    }
    assert days <= {"2026-11-25"}
    assert Design.objects.get(title="Date 45986").created_at == datetime(2025, 11, 25, tzinfo=UTC)
    assert {100, 99999, 105} <= {pk for (pk,) in stored("pk")}


@pytest.mark.parametrize(
    "data",
    [
        "title\tcategory\timage\r\nÉté\tSaree\ta.jpg\r\n".encode("utf-16-le"),
        "\ufefftitle\tcategory\timage\r\nÉté\tSaree\ta.jpg\r\n".encode("utf-16-be"),
        "\ufefftitle;category;image\r\nÉté;Saree;a.jpg\r\n".encode(),
        "sep=|\r\ntitle|category|image\r\nÉté|Saree|a.jpg\r\n".encode(),
        "\r\n;;\r\n ;Title ; CATEGORY;Picture file\r\n;Été;Saree;a.jpg\r\n\r\n".encode("cp1252"),
        'title,category,image,description\r\nÉté,Saree,a.jpg,"5€ – “so”;;;; it\r\nis"\r\n'.encode("cp1252"),
        "title,category,image\rÉté,Saree,a.jpg\r".encode("mac_roman"),
    ],
)
def test_any_usual_encoding_and_separator_is_found(pictures, tmp_path, data):
    path = tmp_path / "designs.txt"
    path.write_bytes(data)
    assert run(path, pictures) == []
    assert stored("title") == [("Été",)]


def test_an_encoding_can_be_said(pictures, tmp_path):
    path = tmp_path / "designs.csv"
    path.write_bytes("title,category,image\r\nŻółć,Saree,a.jpg\r\n".encode("cp1250"))
    assert run(path, pictures, encoding="cp1250") == []
    assert stored("title") == [("Żółć",)]


def test_the_consoles_own_labels_name_columns(tmp_path):
    key = ImageFactory().object_key
    path = tmp_path / "designs.csv"
    path.write_text(
        f"Title,Category,Image,Designer name,Color,All pictures\nA,Saree,{key},Meera,Red,{key} Front\n"
    )
    assert run(path) == []
    assert stored("designer_name", "colour", "image_alt") == [("Meera", "Red", "Front")]


def test_pictures_are_found_in_folders_by_any_spelling_and_nowhere_else(pictures, tmp_path):
    rows = [
        "B.JPG",
        "Saris\\b.jpg",
        "./saris/a.jpg",
        "a.jpg",
        "C:\\pictures\\b.jpg",
        "b.jpeg",
        "../designs.csv",
    ]
    path = tmp_path / "designs.csv"
    path.write_text("\n".join(["title,category,image", *(f"{name},Saree,{name}" for name in rows)]))
    said = run(path, pictures)
    assert [line.split(":")[0] for line in said[:-1]] == [
        f"Row {number}, column image" for number in (6, 7, 8)
    ]
    (pictures / "more").mkdir()
    (pictures / "more" / "B.jpg").write_bytes(picture())
    path.write_text("title,category,image\nx,Saree,B.JPG\ny,Saree,more/b.JPG\nz,Saree,b.jpg\n")
    said = run(path, pictures)
    assert "Several files" in said[0]
    assert "saris/b.jpg" in said[0]
    assert len(said) == 2


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_pictures_are_found_in_a_zip_as_a_mac_makes_it(tmp_path):
    name = unicodedata.normalize("NFD", "साड़ी é.jpg")
    path = zip_of(
        tmp_path / "pictures.zip",
        {f"pictures/{name}": picture(), f"__MACOSX/pictures/._{name}": b"x", "pictures/.DS_Store": b"x"},
    )
    data = path.read_bytes()
    # macOS writes UTF-8 without the flag that says so (bit 11 of the flags).
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            flags = bytearray(data[start + place : start + place + 2])
            flags[1] &= ~0x08
            data = data[: start + place] + bytes(flags) + data[start + place + 2 :]
            start = data.find(mark, start + 4)
    path.write_bytes(data)
    assert run(CASES / "nfc_image.csv", path) == []
    assert Design.objects.get().image.width > 0


def test_a_zip_that_expands_too_far_or_is_broken_is_refused(tmp_path, monkeypatch):
    path = zip_of(tmp_path / "pictures.zip", {"a.jpg": picture()})
    with override_settings(MAX_FILE_SIZE=100):
        assert "Row 2, column image" in run(CASES / "semicolon.csv", path)[0]
    monkeypatch.setattr("designs.sheets.beside.MOST_EXPANDED", 100)
    assert "at most 100 are taken" in run(CASES / "semicolon.csv", path)[0]
    monkeypatch.setattr(archives, "MOST_DIRECTORY", 10)
    assert "too many files" in run(CASES / "semicolon.csv", path)[0]
    broken = bytearray(path.read_bytes())
    broken[60:90] = bytes(30)
    path.write_bytes(broken)
    monkeypatch.undo()
    assert "damaged" in run(CASES / "semicolon.csv", path)[0]


def book_of(path, *rows, **sheets):
    """A workbook with these rows on its first sheet, or on several by name."""
    book = Workbook()
    book.remove(book.active)
    for name, lines in (sheets or {"Designs": rows}).items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def test_a_workbook_is_read_by_the_kinds_of_its_cells(pictures, tmp_path):
    DesignFactory(pk=1, title="Old")
    header = ["Id", "Title", "Category", "Image", "Featured", "Status", "Created", "Style"]
    moment = datetime(2026, 4, 3, 14, 30)
    path = book_of(
        tmp_path / "designs.xlsx",
        header,
        [1.0, 2024, "Saree", None, True, "Archived", moment, 1.5],
        [],
        [None, "New", "Saree", "a.jpg", False, "Published", moment.date(), None],
        [None, "Serial", "Saree", "a.jpg", "nein", " draft", 46115, "=1+1"],
    )
    said = run(path, pictures)
    assert said[0] == (
        "Row 5, column Style: The result of this formula is not in the file. Open it in Excel, save it, and send it "
        "again."
    )
    assert stored("title", "featured", "status", "style", "created_at") == [
        ("2024", True, "archived", "1.5", datetime(2026, 4, 3, 14, 30, tzinfo=UTC)),
        ("New", False, "published", "", datetime(2026, 4, 3, tzinfo=UTC)),
    ]


def test_a_workbooks_first_visible_sheet_with_rows_counts(pictures, tmp_path):
    header = ["title", "category", "image"]
    book = Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Lists")
    hidden.append(["Saree"])
    hidden.sheet_state = "hidden"
    shown = book.create_sheet("Designs")
    for line in (header, ["A", "Saree", "a.jpg"]):
        shown.append(line)
    book.create_sheet("Notes").append(["More"])
    book.save(tmp_path / "designs.csv")  # its name says nothing
    assert run(tmp_path / "designs.csv", pictures) == []
    assert stored("title") == [("A",)]


def test_errors_of_formulas_are_named_at_their_cell(pictures, tmp_path):
    path = tmp_path / "designs.csv"
    path.write_text("title,category,image\n#REF!,Saree,a.jpg\n#N/A,#NAME?,a.jpg\n")
    said = run(path, pictures)
    assert [line.split(":")[0] for line in said[:-1]] == [
        "Row 2, column title",
        "Row 3, column title",
        "Row 3, column category",
    ]


def changed_part(path, name, change):
    """The workbook with one part changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    parts[name] = change(parts[name])
    return zip_of(path, parts)


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        # Entities that expand without end.
        (
            SHEET,
            b"<worksheet",
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet',
            "damaged",
        ),
        # A row far away: all between would be made up.
        (SHEET, b'<row r="2"', b'<row r="999999999"', "more than"),
        (SHEET, b"<sheetData>", b"<sheetData>" + b"<x/>" * 1_100_000, "a row that is too long"),
        ("xl/styles.xml", b"<fonts", b"<!-- -->" * 3_100_000 + b"<fonts", "holds too much"),
        (SHEET, b"</sheetData>", b"", "damaged"),
        ("xl/workbook.xml", b"<sheets>", b"", "damaged"),
    ],
)
def test_a_workbook_made_to_break_its_reader_is_refused(tmp_path, part, old, new, words):
    path = book_of(tmp_path / "designs.xlsx", CELLS, ["A", "Saree", "a.jpg"])
    changed_part(path, part, lambda data: data.replace(old, new, 1))
    (said,) = run(path)
    assert words in said
    assert not Design.objects.exists()


def test_a_workbook_that_expands_too_far_is_refused(tmp_path, monkeypatch):
    path = book_of(tmp_path / "designs.xlsx", CELLS, *(["A", "Saree", "a.jpg"] for _ in range(50)))
    for name, limit, words in (
        ("MOST_EXPANDED", 1000, "at most 1,000 are taken"),
        ("MOST_ROWS", 50, "more than 50 rows"),
        ("MOST_PART", 500, "more than 500 bytes of text"),
    ):
        with monkeypatch.context() as limits:
            limits.setattr(workbook, name, limit)
            assert words in run(path)[0]


@pytest.mark.parametrize("member", ["content.xml", "Index/Document.iwa"])
def test_a_zip_of_another_kind_is_refused(tmp_path, member):
    said = run(zip_of(tmp_path / "designs.xlsx", {member: b"x"}))
    assert "not an Excel workbook" in said[0]


def test_a_workbook_that_other_programs_write_is_read(pictures, tmp_path):
    """Without shared texts, and with a wrong dimension, as some write it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([WriteOnlyCell(sheet, name) for name in CELLS])
    for number in range(3):
        sheet.append([f"T{number}", "Saree", "a.jpg"])
    book.save(tmp_path / "designs.xlsx")
    changed_part(
        tmp_path / "designs.xlsx",
        SHEET,
        lambda data: data.replace(b"<sheetFormatPr", b'<dimension ref="A1:A2"/><sheetFormatPr', 1),
    )
    assert run(tmp_path / "designs.xlsx", pictures) == []
    assert stored("title") == [("T0",), ("T1",), ("T2",)]
