"""import_designs and export_designs: what is right is stored, what is wrong is named, all comes back."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Drawing

from core.errors import Unavailable
from core.models import AuditEntry
from core.spreadsheets import as_cell, of_cell
from designs.models import Design, DesignImage
from designs.pictures import Picture
from designs.pictures import as_cell as as_picture_cell
from designs.pictures import of_cell as of_picture_cell
from designs.services import design_delete, design_purge, design_restore
from designs.sheets.table import lines
from tests.factories.designs import DesignFactory, DesignImageFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image
from uploads.storage.base import configured_store


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="'=+-@＝＋－＠\t\r\n x"),
        st.from_regex(r"'{0,3}#(N/A|REF!|##)!?\n?", fullmatch=True),
    )
)
def test_a_cell_is_no_formula_and_gives_its_text_back(text):
    cell = as_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"))
    assert of_cell(cell) == text


@given(st.lists(st.tuples(st.text("abc/_.", min_size=1), st.text(alphabet="a \t\r\n'=")), max_size=8))
def test_pictures_in_a_cell_come_back_in_their_order(pictures):
    listed = [Picture(key, alt.strip()) for key, alt in pictures]
    assert of_picture_cell(as_picture_cell(listed)) == [picture.sent for picture in listed]


@pytest.fixture
def sheet(tmp_path):
    """Write rows to a file and import it; answer what was said (standard output, standard error, error)."""

    def import_rows(*rows, **options):
        path = tmp_path / "designs.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, dict.fromkeys(name for row in rows for name in row), restval="")
            writer.writeheader()
            writer.writerows(rows)
        return import_file(path, **options)

    return import_rows


def import_file(path, **options):
    out, err = io.StringIO(), io.StringIO()
    failure = ""
    try:
        call_command("import_designs", path, stdout=out, stderr=err, **options)
    except CommandError as error:
        failure = str(error)
    return out.getvalue(), err.getvalue(), failure


def everything():
    return list(
        Design.objects.order_by("id").values(
            "id",
            "title",
            "description",
            "image_id",
            "category",
            "style",
            "colour",
            "fabric",
            "occasion",
            "season",
            "designer_name",
            "collection_name",
            "featured",
            "status",
            "created_at",
        )
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_exported_comes_back_the_same(tmp_path, kind):
    DesignFactory(
        title="=HYPERLINK()",
        description='several\r\nlines, "quoted"\n\nதமிழ் 🪷',
        colour="'-x",
        featured=True,
        status="draft",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )
    DesignFactory(title="कांजीवरम", style="@home", designer_name="O'Neill, Ltd", status="archived")
    before, path = everything(), tmp_path / f"designs.{kind}"
    said = io.StringIO()
    call_command("export_designs", path, stdout=said)
    assert said.getvalue() == f"2 designs are in {path}.\n"

    Design.objects.update(title="changed", colour="changed", featured=False, created_at=datetime.now(UTC))
    Design.objects.first().delete()

    assert import_file(path) == ("2 of 2 rows were stored.\n", "", "")
    assert everything() == before
    again = tmp_path / f"again.{kind}"
    call_command("export_designs", again, stdout=io.StringIO())
    assert list(lines(again, "")) == list(lines(path, ""))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_brings_the_pictures_back_in_their_order_with_their_texts(tmp_path, kind):
    design = DesignFactory(image_alt="=Pallu, folded")
    for place, alt in ((1, "Border\nof zari"), (2, ""), (3, "सुनहरी")):
        DesignImageFactory(design=design, place=place, alt=alt)
    before, path = design.image_keys, tmp_path / f"designs.{kind}"
    call_command("export_designs", path, stdout=io.StringIO())

    Design.objects.update(image_alt="")
    DesignImage.objects.filter(place=2).delete()
    assert import_file(path) == ("1 of 1 rows were stored.\n", "", "")
    assert Design.objects.get().image_keys == before
    Design.objects.get().delete()
    assert import_file(path) == ("1 of 1 rows were stored.\n", "", "")
    assert Design.objects.get().image_keys == before


@pytest.mark.django_db
def test_pictures_are_listed_one_a_line_and_what_is_wrong_with_them_is_named(sheet):
    first, second = (image.object_key for image in ImageFactory.create_batch(2))
    row = {"title": "Patola", "category": "Saree"}
    said = sheet(
        row | {"image_keys": f"{second} The border\r\n{first}\n"},
        row | {"image_keys": f"{first}\n{first}"},
        row | {"image_keys": "designs/nothing.jpg"},
        row | {"image_keys": second, "r2_object_key": first},
        row | {"image_keys": second, "image": "teal.png"},
    )
    assert [line.split(": ")[0] for line in said[1].splitlines()] == [
        f"Row {number}, column image_keys" for number in (3, 4, 5, 6)
    ]
    assert Design.objects.get().image_keys == [{"object_key": second, "alt": "The border"}, first]


@pytest.mark.django_db
def test_an_empty_cell_or_none_leaves_the_pictures(sheet):
    design = DesignImageFactory().design
    before = design.image_keys
    for row in ({"title": "New"}, {"title": "Newer", "image_keys": "", "r2_object_key": ""}):
        assert sheet({"id": design.pk} | row)[2] == ""
    assert Design.objects.get().image_keys == before


@pytest.mark.django_db
def test_an_export_without_a_file_is_written_to_standard_output():
    design, out = DesignFactory(), io.StringIO()
    call_command("export_designs", stdout=out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert (row["id"], row["title"], row["r2_object_key"]) == (str(design.pk), design.title, design.image_id)


@pytest.mark.django_db
def test_right_rows_are_stored_and_wrong_ones_are_named_by_row_and_field(sheet):
    good = {
        "title": "Patola",
        "category": "Saree",
        "r2_object_key": ImageFactory().object_key,
        "featured": "yes",
    }
    said = sheet(
        good,
        good | {"title": "", "featured": "perhaps"},
        good | {"r2_object_key": "designs/nothing.jpg"},
        good | {"title": "Second", "status": "draft"},
        good | {"id": "x"},
        good | {"created_at": "yesterday"},
        good | {"image": "picture.jpg"},
    )
    assert list(Design.objects.order_by("id").values_list("title", "featured", "status")) == [
        ("Patola", True, "published"),
        ("Second", True, "draft"),
    ]
    assert said[2] == "2 of 7 rows were stored; 5 had errors."
    assert [line.split(": ")[0] for line in said[1].splitlines()] == [
        "Row 3, column title",
        "Row 3, column featured",
        "Row 4, column r2_object_key",
        "Row 6, column id",
        "Row 7, column created_at",
        "Row 8, column image",
    ]
    assert AuditEntry.objects.filter(action="design.create", actor_id=None).count() == 2


@pytest.mark.django_db
def test_a_row_with_an_id_changes_that_design_in_the_columns_there_are(sheet):
    design = DesignFactory(title="Old", style="Plain", colour="Red")
    assert sheet({"id": design.pk, "title": "New", "style": ""})[2] == ""
    design.refresh_from_db()
    assert (design.title, design.style, design.colour) == ("New", "", "Red")


@pytest.mark.django_db
def test_images_of_the_folder_go_the_way_of_uploads(sheet, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    Drawing.new("RGB", (64, 48), "teal").save(folder / "teal.png")
    (folder / "broken.png").write_bytes((folder / "teal.png").read_bytes()[:50])
    Drawing.new("RGB", (64, 48)).save(tmp_path / "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    row = {"title": "Teal", "category": "Saree"}

    names = [
        "teal.png",
        "broken.png",
        "../secret.png",
        str(tmp_path / "secret.png"),
        "link.png",
        "none.png",
        ".",
        "x" * 300,
    ]
    said = sheet(*(row | {"image": name} for name in names), images=folder)

    assert said[2] == "1 of 8 rows were stored; 7 had errors."
    assert [line.split(": ")[0] for line in said[1].splitlines()] == [
        f"Row {number}, column image" for number in range(3, 10)
    ]
    design = Design.objects.get()
    assert (design.image.width, design.image.content_type) == (64, "image/png")
    assert configured_store().exists(design.image_id)
    assert Image.objects.count() == 1


@pytest.mark.django_db
def test_a_dry_run_finds_the_same_faults_and_stores_nothing(sheet, tmp_path):
    Drawing.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    row = {"title": "Teal", "category": "Saree", "image": "teal.png"}
    key = ImageFactory().object_key
    rows = [row, row | {"title": ""}, row | {"image": "", "r2_object_key": key}, row | {"image": ""}]
    said = sheet(*rows, images=tmp_path, dry_run=True)
    assert said[2] == "2 of 4 rows are right; 2 had errors."
    assert [line.split(": ")[0] for line in said[1].splitlines()] == [
        "Row 3, column title",
        "Row 5, column r2_object_key",
    ]
    assert (Design.objects.count(), Image.objects.count()) == (0, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "This file is empty"),
        (b"\n,,\n", "This file is empty"),
        (b"title\n", "no rows below"),
        (b"title,colour,price\nx,y,z\n", "Row 1, column C: no column is called “price”"),
        (b"title,colour,Titel\nx,y,z\n", "“Titel”. Did you mean Title?"),
        (b"1,2\n3,4\n", "names no column"),
        (b'title\n"open\n', "Row 2: a quotation mark"),
        (b"\x89PNG\r\n\x1a\n", "not a table"),
        (b"title\n\0\0\0\n", "not a table"),
        ("title\nसाड़ी".encode()[:-1] + b"\n", "letters of this file are damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"PK\x03\x04", "damaged"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(tmp_path, content, part):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    assert part in import_file(path)[2]
    assert "cannot be read" in import_file(tmp_path / "missing.csv")[2]


@pytest.mark.django_db
def test_excel_leaves_cells_out_at_the_end_of_a_row_and_one_beyond_the_names_is_an_error(tmp_path):
    key = ImageFactory().object_key
    path = tmp_path / "ragged.csv"
    path.write_text(f"title,category,r2_object_key,style\na,b\na,b,{key},,d\nfine,Saree,{key}\n", "utf-8")
    _, err, failure = import_file(path)
    assert [line.split(": ")[0] for line in err.splitlines()] == ["Row 2, column r2_object_key", "Row 3"]
    assert "Column E has text here" in err
    assert failure == "1 of 3 rows were stored; 2 had errors."
    assert Design.objects.get().title == "fine"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_trash_comes_back_as_it_was_and_can_be_restored(tmp_path, kind):
    since = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    trashed = DesignFactory(status="deleted", trashed_status="archived", deleted_at=since)
    kept = ("pk", "title", "status", "trashed_status", "deleted_at", "image_id", "created_at")
    before = list(Design.objects.values(*kept))
    call_command("export_designs", tmp_path / f"trash.{kind}", trash=True, stdout=io.StringIO())
    assert import_file(tmp_path / f"trash.{kind}") == ("1 of 1 rows were stored.\n", "", "")
    Design.objects.all().delete()
    assert import_file(tmp_path / f"trash.{kind}", dry_run=True)[2] == ""
    assert not Design.objects.exists()
    assert import_file(tmp_path / f"trash.{kind}")[2] == ""
    assert list(Design.objects.values(*kept)) == before
    restored = Design.objects.get(pk=trashed.pk)
    design_restore(None, restored)
    assert restored.status == "archived"


@pytest.mark.django_db
def test_a_row_of_the_trash_without_more_is_a_draft_when_it_is_restored(sheet):
    key = ImageFactory().object_key
    assert sheet({"title": "A", "category": "Saree", "r2_object_key": key, "status": "Deleted"})[2] == ""
    design = Design.objects.get()
    assert (design.status, design.trashed_status, design.deleted_at is None) == ("deleted", "draft", False)
    assert AuditEntry.objects.get().changes["status"] == [None, "deleted"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"status": "deleted", "deleted_at": "soon"}, "deleted_at"),
        ({"status": "deleted", "trashed_status": "deleted"}, "trashed_status"),
        ({"status": "deleted"}, "status"),
    ],
)
def test_an_import_deletes_nothing_and_names_what_is_wrong_in_a_row_of_the_trash(sheet, row, field):
    design = DesignFactory()
    said = sheet({"id": design.pk, **row})
    assert f"Row 2, column {field}: " in said[1]
    design.refresh_from_db()
    assert design.status == "published"


def test_an_export_needs_its_folder_and_a_dry_run_writes_nothing(db, tmp_path):
    DesignFactory.create_batch(2)
    with pytest.raises(CommandError, match="no folder"):
        call_command("export_designs", tmp_path / "none" / "designs.csv")
    out = io.StringIO()
    call_command("export_designs", tmp_path / "designs.csv", dry_run=True, stdout=out)
    assert out.getvalue() == "2 designs would be written.\n"
    assert not list(tmp_path.iterdir())


def test_pictures_need_their_folder(db, tmp_path):
    (tmp_path / "designs.csv").write_text("title\nx\n")
    assert "no folder" in import_file(tmp_path / "designs.csv", images=tmp_path / "none")[2]
    (tmp_path / "pictures.zip").write_bytes(b"PK\x03\x04")
    assert "damaged" in import_file(tmp_path / "designs.csv", images=tmp_path / "pictures.zip")[2]


@pytest.mark.django_db
def test_an_import_stops_where_the_store_is_away_and_says_at_which_row(sheet, monkeypatch):
    def away(*_, **__):
        raise Unavailable

    row = {"title": "Patola", "category": "Saree", "r2_object_key": ImageFactory().object_key}
    monkeypatch.setattr("designs.sheets.rows.services.design_create", away)
    assert sheet(row, row)[2].startswith("Row 2: The service is temporarily unavailable.")


@pytest.mark.django_db
def test_a_file_that_is_imported_again_makes_no_second_designs(sheet):
    key = ImageFactory().object_key
    good = {"title": "Patola", "category": "Saree", "r2_object_key": key}
    twice = [good, good, good | {"title": ""}]
    assert sheet(*twice)[2] == "2 of 3 rows were stored; 1 had errors."
    # The wrong row is corrected, and the whole file sent again with its columns in another order.
    corrected = [dict(reversed((row | {"title": row["title"] or "Ikat"}).items())) for row in twice]
    assert sheet(*corrected)[2] == ""
    assert [design.title for design in Design.objects.order_by("id")] == ["Patola", "Patola", "Ikat"]
    assert AuditEntry.objects.count() == 3

    changed = Design.objects.order_by("id")[0]
    Design.objects.filter(pk=changed.pk).update(title="Renamed since")
    assert sheet(*corrected)[2] == ""
    changed.refresh_from_db()
    assert changed.title == "Renamed since"

    design_delete(None, changed)
    assert "Row 2: This row made design" in sheet(*corrected)[1]
    changed.refresh_from_db()
    design_purge(None, changed)
    assert sheet(*corrected)[2] == ""
    assert Design.objects.filter(title="Patola").count() == 2
