"""The admin's pages of designs: found, changed in bulk, uploaded to, and audited."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from designs.models import FACET_FIELDS, Design
from gallery_project.models import AuditEntry
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")
ADD = reverse("admin:designs_design_add")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", admin=True))
    return client


def jpeg(name="cloth.jpg"):
    file = io.BytesIO()
    Picture.new("RGB", (640, 480), "maroon").save(file, "JPEG")
    return SimpleUploadedFile(name, file.getvalue(), "image/jpeg")


def form(**fields):
    blank = dict.fromkeys(["description", "image", *FACET_FIELDS], "")
    return blank | {"title": "Kanjivaram", "category": "Saree", "status": "published"} | fields


def act(client, action, *designs):
    return client.post(LIST, {"action": action, "_selected_action": [design.pk for design in designs]})


def trail():
    return [
        (entry.action, entry.actor_username, entry.changes) for entry in AuditEntry.objects.order_by("id")
    ]


def test_the_list_shows_thumbnails_and_finds_by_full_text(staff):
    design = DesignFactory(title="Café saree", description="with peacocks")
    DesignFactory(title="Other")
    page = staff.get(LIST, {"q": "cafe peac"}).content.decode()
    assert "Café saree" in page
    assert "Other" not in page
    assert design.image.renditions[0]["key"] in page
    for odd in ('"', "a\0b", "%", "NEAR("):
        assert staff.get(LIST, {"q": odd}).status_code == 200


@pytest.mark.parametrize("name", FACET_FIELDS)
def test_the_list_filters_by_every_attribute(staff, name):
    DesignFactory(title="wanted one", **{name: "Alpha"})
    DesignFactory(title="other one", **{name: "Beta"})
    page = staff.get(LIST, {name: "Alpha"}).content.decode()
    assert "wanted one" in page
    assert "other one" not in page


def test_a_list_costs_no_query_for_each_row(staff, django_assert_max_num_queries):
    DesignFactory.create_batch(20)
    with django_assert_max_num_queries(20):
        staff.get(LIST)


@pytest.mark.parametrize(
    ("action", "field", "old", "new"),
    [
        ("publish", "status", "draft", "published"),
        ("archive", "status", "published", "archived"),
        ("feature", "featured", False, True),
        ("unfeature", "featured", True, False),
    ],
)
def test_bulk_actions_change_and_are_audited(staff, action, field, old, new):
    first, already, _other = (
        DesignFactory(**{field: old}),
        DesignFactory(**{field: new}),
        DesignFactory(**{field: old}),
    )
    assert act(staff, action, first, already).status_code == 302
    assert [getattr(design, field) for design in Design.objects.order_by("id")] == [new, new, old]
    assert trail() == [("design.update", "curator", {field: [old, new]})]


def test_status_and_featured_are_edited_in_the_list(staff):
    design = DesignFactory()
    sent = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": design.pk,
        "form-0-status": "archived", "form-0-featured": "on", "_save": "Save",
    }  # fmt: skip
    assert staff.post(LIST, sent).status_code == 302
    design.refresh_from_db()
    assert (design.status, design.featured) == ("archived", True)
    assert trail() == [
        ("design.update", "curator", {"featured": [False, True], "status": ["published", "archived"]})
    ]


def test_a_design_is_added_with_its_picture(staff):
    assert staff.post(ADD, form(picture=jpeg())).status_code == 302
    design = Design.objects.get()
    assert (design.title, design.image.width, design.image.category) == ("Kanjivaram", 640, "designs")
    action, actor, changes = trail()[-1]
    assert (action, actor, changes["title"]) == ("design.create", "curator", [None, "Kanjivaram"])


def test_a_design_is_added_with_an_image_that_is_stored_already(staff):
    image = ImageFactory()
    assert staff.post(ADD, form(image=image.object_key)).status_code == 302
    assert Design.objects.get().image == image


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"picture": SimpleUploadedFile("cloth.jpg", b"<svg/>")},
        {"image": "designs/none.jpg"},
        {"title": "", "picture": jpeg()},
        {"status": "hidden", "picture": jpeg()},
    ],
)
def test_what_is_wrong_is_said_on_the_form_and_stores_nothing(staff, bad):
    response = staff.post(ADD, form(**bad))
    assert response.status_code == 200
    assert response.context["errors"]
    assert (Design.objects.count(), Image.objects.count()) == (0, 0)


def test_a_change_stores_and_audits_what_changed(staff):
    design = DesignFactory(title="Old", colour="Red")
    url = reverse("admin:designs_design_change", args=[design.pk])
    page = staff.get(url).content.decode()
    assert design.image.renditions[-1]["key"] in page or design.image.renditions[1]["key"] in page

    sent = form(title="New", colour="", image=design.image_id, picture=jpeg())
    assert staff.post(url, sent).status_code == 302

    changed = Design.objects.get()
    assert (changed.title, changed.colour, changed.category) == ("New", "", "Saree")
    assert changed.image_id != design.image_id
    assert trail()[-1][2] == {
        "title": ["Old", "New"], "colour": ["Red", ""], "r2_object_key": [design.image_id, changed.image_id],
    }  # fmt: skip


def test_designs_are_deleted_one_by_one_and_together(staff):
    alone, first, second = FavouriteFactory().design, DesignFactory(), DesignFactory()
    staff.post(reverse("admin:designs_design_delete", args=[alone.pk]), {"post": "yes"})
    staff.post(LIST, {
        "action": "delete_selected", "_selected_action": [first.pk, second.pk], "post": "yes",
    })  # fmt: skip
    assert not Design.objects.exists()
    assert [action for action, *_ in trail()] == ["design.delete"] * 3
