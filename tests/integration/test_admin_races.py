"""Two changes of staff that meet in the console: one wins, the other is told in words what it then finds."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.models import AuditEntry
from designs.models import FACET_FIELDS, Design
from designs.sheets.headers import headers_of
from designs.sheets.rows import Import, Row, digest_of
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.integration import import_page
from tests.pictures import picture
from tests.races import Meanwhile, at_once
from uploads.models import Image

pytestmark = pytest.mark.django_db(transaction=True)

GET_OBJECT = "django.contrib.admin.options.ModelAdmin.get_object"


def staff():
    client = Client(raise_request_exception=False)
    client.user = UserFactory(admin=True)
    client.force_login(client.user)
    return client


@pytest.fixture
def curator():
    return staff()


@pytest.fixture
def other():
    return staff()


@pytest.fixture
def meanwhile(monkeypatch):
    return lambda place, call, **when: Meanwhile(monkeypatch, place, call, **when)


def page(name, row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def delete(client, row):
    return client.post(page("delete", row), {"post": "yes"})


def messages_of(client, response):
    """What the page says that a refusal leads to."""
    assert response.status_code == 302, response.content
    return client.get(response.url, follow=True).content.decode()


def kept(model):
    """The ids of what has not been deleted. A design that is goes to the trash."""
    rows = model.objects.exclude(status="deleted") if model is Design else model.objects.all()
    return set(rows.values_list("pk", flat=True))


def design_form(**fields):
    blank = dict.fromkeys(["description", *FACET_FIELDS], "")
    return blank | {"title": "Kanjivaram", "category": "Saree", "status": "published"} | fields


@pytest.mark.parametrize("make", [DesignFactory, ImageFactory, UserFactory])
def test_what_two_delete_at_once_is_deleted_once(make):
    clients = [staff(), staff()]
    for _ in range(4):
        row = make()
        answers = at_once(*(lambda client=client: delete(client, row) for client in clients))  # noqa: B023
        assert [answer.status_code for answer in answers] == [302, 302]
        assert row.pk not in kept(type(row))
        lines = AuditEntry.objects.filter(action=f"{row._meta.model_name}.delete", object_id=str(row.pk))
        assert lines.count() == 1
        for client in clients:
            client.get("/admin/")  # reads the messages away


def test_a_design_changed_with_an_image_that_is_deleted_meanwhile(curator, other, meanwhile):
    design, image = DesignFactory(title="Old"), ImageFactory()
    deletion = meanwhile("designs.services.without_pictures", lambda: delete(other, image))
    response = curator.post(page("change", design), design_form(image_keys=image.object_key))
    if deletion.answer().status_code == 302 and not Image.objects.filter(pk=image.pk).exists():
        assert response.status_code in (200, 302)
        design.refresh_from_db()
        assert design.title == "Old"
    else:  # SQLite holds its file for the whole of a page: the deletion came second
        assert Design.objects.get().image == image


@pytest.mark.parametrize("place", [GET_OBJECT, "designs.services.without_pictures"])
def test_a_design_changed_that_is_deleted_meanwhile(curator, other, meanwhile, place):
    design = DesignFactory()
    deletion = meanwhile(place, lambda: delete(other, design))
    response = curator.post(page("change", design), design_form(title="New", image_keys=design.image_id))
    assert response.status_code == 302
    assert deletion.answer().status_code == 302
    assert not kept(Design)


def test_a_design_changed_in_place_that_is_deleted_meanwhile(curator, other, meanwhile):
    design = DesignFactory()
    deletion = meanwhile("designs.services.without_pictures", lambda: delete(other, design))
    response = curator.post(page("set", design), {"title": "New"})
    assert (response.status_code, deletion.answer().status_code) == (404, 302)
    assert "deleted" in response.json()["message"]


def test_a_draft_of_a_picture_that_is_deleted_meanwhile(curator, other, meanwhile, folder):
    file = SimpleUploadedFile("cloth.jpg", picture(), "image/jpeg")
    deletion = meanwhile("designs.services.without_pictures", lambda: delete(other, Image.objects.get()))
    response = curator.post(reverse("admin:designs_design_upload_file"), {"file": file, "category": "Saree"})
    assert (response.status_code, deletion.answer().status_code) == (400, 302)
    assert not Design.objects.exists()
    assert folder.listed() == []


def test_a_row_of_an_import_that_loses_is_run_again_alone(curator, other, meanwhile, settings, tmp_path):
    """The rows before it are stored already."""
    settings.DATA = tmp_path
    image, design = ImageFactory(), DesignFactory(title="Old")
    rows = [("", "New"), (design.pk, "Changed")]
    lines = [f"{key},{title},Saree,{image.object_key}" for key, title in rows]
    import_page.check(curator, "\n".join(["id,title,category,r2_object_key", *lines]).encode())

    deletion = meanwhile("designs.services.without_pictures", lambda: delete(other, design), passes=2)
    import_page.store(curator)
    assert deletion.answer().status_code == 302
    faults = [[name for _, name, _ in row.faults] for row in import_page.state_of(curator).shown]
    assert faults == [[], ["id"]]
    assert dict(Design.objects.values_list("title", "status")) == {"New": "published", "Old": "deleted"}


def test_a_row_of_an_import_whose_id_is_taken_meanwhile_changes_that_design(meanwhile):
    image, design_id = ImageFactory(), 4321
    creation = meanwhile(
        "designs.services.without_pictures", lambda: DesignFactory(pk=design_id, title="Old").pk
    )
    result = imported(
        ["id", "title", "category", "r2_object_key"], [design_id, "New", "Saree", image.object_key]
    )
    assert creation.answer() == design_id
    assert (result.is_new, result.faults) == (False, ())
    assert Design.objects.get(pk=design_id).title == "New"


def test_a_row_without_an_id_that_two_import_at_once_makes_one_design(meanwhile):
    names, cells = ["title", "category", "r2_object_key"], ["New", "Saree", ImageFactory().object_key]
    other_import = meanwhile("designs.services.without_pictures", lambda: imported(names, cells).design_id)
    result = imported(names, cells)
    assert (result.is_new, result.design_id, result.faults) == (False, other_import.answer(), ())
    assert Design.objects.get().pk == result.design_id
    assert AuditEntry.objects.count() == 1


def imported(names, cells):
    """What becomes of a row."""
    headers = headers_of(1, names)
    cells = [str(cell) for cell in cells]
    row = Row(2, cells, digest_of(headers, cells, 0))
    return Import(None, headers, dry_run=False).result_of(row)


def test_users_decided_about_while_one_of_them_is_deleted(curator, other, meanwhile):
    first, second = UserFactory.create_batch(2, pending=True)
    deletion = meanwhile("accounts.services.save_changes", lambda: delete(other, second))
    response = curator.post(
        reverse("admin:accounts_user_approvals"), {"decision": "approve", "user": [first.pk, second.pk]}
    )
    assert (response.status_code, deletion.answer().status_code) == (302, 302)
    first.refresh_from_db()
    assert not User.objects.filter(pk=second.pk).exists() or first.is_approved


def test_an_editor_made_of_a_user_who_is_deleted_meanwhile(curator, other, meanwhile):
    user = UserFactory()
    shown = curator.get(page("change", user)).context["inline_admin_formsets"]
    form = {f.html_name: f.value() for inline in shown for f in inline.formset.management_form}
    form |= {"username": user.username, "is_editor": "on", "new_password": ""}
    deletion = meanwhile("accounts.services.save_changes", lambda: delete(other, user))
    response = curator.post(page("change", user), form)
    assert response.status_code == 302
    assert deletion.answer().status_code == 302
    assert not User.objects.filter(pk=user.pk).exists()


def test_a_password_of_ones_own_set_while_one_is_deleted(curator, other, meanwhile):
    deletion = meanwhile("accounts.validators.validate_password", lambda: delete(other, curator.user))
    fields = {"old_password": PASSWORD, "new_password1": "another silk", "new_password2": "another silk"}
    response = curator.post("/admin/password_change/", fields)
    assert (response.status_code, deletion.answer().status_code) == (302, 302)
    assert response.url.startswith(reverse("admin:login"))


def test_a_sign_in_of_one_who_is_deleted_meanwhile(other, meanwhile):
    user = UserFactory(admin=True)
    deletion = meanwhile("accounts.guesses.Guess.succeed", lambda: delete(other, user))
    client = Client(raise_request_exception=False)
    response = client.post(reverse("admin:login"), {"username": user.username, "password": PASSWORD})
    assert (response.status_code, deletion.answer().status_code) == (200, 302)
    assert client.get("/admin/").status_code == 302
