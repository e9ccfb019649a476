"""Adding, changing and deleting designs: admins alone, checked, audited."""

import pytest

from core.models import AuditEntry
from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"


def new(**fields):
    return {"title": "Patola", "category": "Saree", "r2_object_key": ImageFactory().object_key} | fields


def test_the_smallest_design_is_stored_published():
    sent = new()
    admin = ApiClient.admin()

    response = admin.post(LIST, sent)

    body = response.json()
    assert response.status_code == 201, body
    assert {name: body[name] for name in sent} == sent
    assert (body["status"], body["featured"], body["description"], body["style"]) == (
        "published",
        False,
        "",
        "",
    )
    assert (body["view_count"], body["like_count"], body["is_favorite"]) == (0, 0, False)
    assert body["image"]["width"] == 900
    assert admin.get(f"{LIST}/{body['id']}").json() == body


def test_every_field_is_stored_as_sent_and_trimmed():
    sent = new(
        title="  कांजीवरम 🪷 ",
        description="தமிழ்\nline",
        style="Temple border",
        colour="Mustard",
        fabric="Silk",
        occasion="Wedding",
        season="Winter",
        designer_name="M. Rao",
        collection_name="Vaira",
        featured=True,
        status="draft",
    )
    body = ApiClient.admin().post(LIST, sent).json()
    assert {name: body[name] for name in sent} == sent | {"title": "कांजीवरम 🪷"}


def test_null_is_as_good_as_nothing_for_what_is_optional():
    body = ApiClient.admin().post(LIST, new(description=None, style=None, featured=None, status=None)).json()
    assert (body["description"], body["style"], body["featured"], body["status"]) == (
        "",
        "",
        False,
        "published",
    )


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 201),
        ("title", None),
        ("title", 5),
        ("title", "a\0b"),
        ("title", ["x"]),
        ("category", ""),
        ("category", "x" * 51),
        ("category", None),
        ("style", "x" * 101),
        ("style", {}),
        ("description", "x" * 10_001),
        ("featured", "yes"),
        ("featured", 1),
        ("status", "hidden"),
        ("status", ["draft"]),
        ("r2_object_key", "designs/2026/01/nothing.jpg"),
        ("r2_object_key", None),
        ("r2_object_key", 7),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_stored(field, bad):
    design, admin = DesignFactory(), ApiClient.admin()
    assert set(refused(admin.post(LIST, new(**{field: bad})), 400, "invalid")) == {field}
    assert set(refused(admin.put(f"{LIST}/{design.pk}", {field: bad}), 400, "invalid")) == {field}
    assert Design.objects.values_list("title", flat=True).get() == design.title
    assert not AuditEntry.objects.exists()


def test_an_image_of_another_category_is_not_taken():
    avatar = ImageFactory(category="avatars")
    response = ApiClient.admin().post(LIST, new(r2_object_key=avatar.object_key))
    assert set(refused(response, 400, "invalid")) == {"r2_object_key"}


@pytest.mark.parametrize("body", ["[]", '"x"', "{", "null", "5"])
def test_a_body_that_is_no_object_is_refused(body):
    design, admin = DesignFactory(), ApiClient.admin()
    assert admin.post(LIST, body).status_code == 400
    assert admin.put(f"{LIST}/{design.pk}", body).status_code == 400


def test_what_is_missing_is_named():
    errors = refused(ApiClient.admin().post(LIST, {}), 400, "invalid")
    assert set(errors) == {"title", "category", "r2_object_key"}


def test_only_the_fields_sent_are_changed_and_the_trail_tells():
    design = DesignFactory(title="Old", style="Plain", colour="Red")
    image, admin = ImageFactory(), ApiClient.admin()

    sent = {"title": "New", "colour": None, "r2_object_key": image.object_key, "style": "Plain", "id": 7}
    response = admin.put(f"{LIST}/{design.pk}", sent)

    body = response.json()
    assert response.status_code == 200, body
    assert (body["title"], body["colour"], body["style"], body["category"]) == ("New", "", "Plain", "Saree")
    assert body["image_url"].endswith(image.object_key)
    assert body["updated_at"] > body["created_at"]
    assert admin.get(f"{LIST}/{design.pk}").json() == body
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.actor_username) == (
        "design.update", str(design.pk), admin.user.username,
    )  # fmt: skip
    assert entry.changes == {
        "title": ["Old", "New"],
        "colour": ["Red", ""],
        "image_keys": [[design.image_id], [image.object_key]],
    }


def test_a_change_of_nothing_is_not_in_the_trail():
    design = DesignFactory(title="Same")
    assert ApiClient.admin().put(f"{LIST}/{design.pk}", {"title": "Same"}).status_code == 200
    assert ApiClient.admin().put(f"{LIST}/{design.pk}", {}).status_code == 200
    assert not AuditEntry.objects.exists()


def test_adding_is_in_the_trail():
    admin = ApiClient.admin()
    body = admin.post(LIST, new()).json()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("design.create", str(body["id"]))
    assert entry.changes["title"] == [None, "Patola"]


@pytest.mark.parametrize(("caller", "status", "code"), [
    (ApiClient, 401, "not_authenticated"), (ApiClient.approved, 403, "forbidden"),
])  # fmt: skip
def test_only_admins_change_designs(caller, status, code):
    design, client = DesignFactory(), caller()
    refused(client.post(LIST, new()), status, code)
    refused(client.put(f"{LIST}/{design.pk}", {"title": "x"}), status, code)
    refused(client.delete(f"{LIST}/{design.pk}"), status, code)
    assert Design.objects.get().title == design.title


def test_other_methods_are_refused():
    admin = ApiClient.admin()
    for method in ("PUT", "PATCH", "DELETE"):
        refused(admin.send(method, LIST), 405, "method_not_allowed")
    refused(admin.send("PATCH", f"{LIST}/1"), 405, "method_not_allowed")
