"""The admin's pages of designs: found, changed in bulk, uploaded to, and audited."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from accounts.models import EDITORS
from core.models import AuditEntry
from designs.fields import FACET_FIELDS
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, DesignImageFactory, FavouriteFactory
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
    blank = dict.fromkeys(["description", *FACET_FIELDS], "")
    return blank | {"title": "Kanjivaram", "category": "Saree", "status": "published"} | fields


def act(client, action, *designs):
    return client.post(LIST, {"action": action, "_selected_action": [design.pk for design in designs]})


def message_page(client, response):
    return client.get(response.url).content.decode()


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


def test_a_list_costs_no_query_for_each_row(staff, django_assert_max_num_queries):
    DesignFactory.create_batch(20)
    # The session, its user with his rights (four, one trip), how many designs, those of the page, who waits.
    with django_assert_max_num_queries(8):
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


def test_a_bulk_action_is_bounded_and_then_changes_nothing(staff, monkeypatch):
    monkeypatch.setattr("console.designs.admin.MAX_SELECTED", 2)
    designs = DesignFactory.create_batch(3)
    page = message_page(staff, act(staff, "archive", *designs))
    assert "at most 2 designs" in page
    assert Design.objects.filter(status="archived").count() == 0
    act(staff, "archive", *designs[:2])
    assert Design.objects.filter(status="archived").count() == 2


class TestAFieldInPlace:
    def put(self, client, design, **fields):
        return client.post(reverse("admin:designs_design_set", args=[design.pk]), fields)

    @pytest.mark.parametrize(
        ("field", "sent", "old", "new"),
        [
            ("status", "archived", "published", "archived"),
            ("featured", "true", False, True),
            ("title", " Patola ", "Ikat", "Patola"),
        ],
    )
    def test_is_stored_through_the_service(self, staff, field, sent, old, new):
        design = DesignFactory(title="Ikat")
        answer = self.put(staff, design, **{field: sent})
        assert (answer.status_code, answer.json()[field]) == (200, new)
        design.refresh_from_db()
        assert getattr(design, field) == new
        assert trail() == [("design.update", "curator", {field: [old, new]})]

    def test_leaves_alone_what_another_changed_meanwhile(self, staff):
        design = DesignFactory()
        assert staff.get(LIST).status_code == 200
        Design.objects.filter(pk=design.pk).update(featured=True)
        self.put(staff, design, status="draft")
        design.refresh_from_db()
        assert (design.status, design.featured) == ("draft", True)

    def test_keeps_the_full_text_index(self, staff):
        design = DesignFactory(title="Ikat")
        self.put(staff, design, title="Patola")
        assert "Patola" in staff.get(LIST, {"q": "patola"}).content.decode()

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"status": "hidden"}, "is not a valid choice"),
            ({"featured": "perhaps"}, "true or false"),
            ({"title": ""}, "may not be blank"),
        ],
    )
    def test_is_refused_in_words(self, staff, sent, words):
        design = DesignFactory()
        answer = self.put(staff, design, **sent)
        assert answer.status_code == 400
        assert words in answer.json()["message"]
        assert trail() == []

    def test_of_a_design_that_is_gone_is_refused_in_words(self, staff):
        design = DesignFactory.build(pk=999)
        answer = self.put(staff, design, status="draft")
        assert (answer.status_code, "deleted" in answer.json()["message"]) == (404, True)

    def test_is_nothing_else_than_these_three(self, staff):
        design = DesignFactory()
        before = Design.objects.values().get()
        assert self.put(staff, design, view_count="7", category="Other").status_code == 400
        assert Design.objects.values().get() == before

    def test_is_changed_by_a_post_of_staff_alone(self, staff):
        design, address = DesignFactory(), reverse("admin:designs_design_set", args=[1])
        assert staff.get(address).status_code == 405
        stranger, strict = Client(), Client(enforce_csrf_checks=True)
        stranger.force_login(UserFactory())
        strict.force_login(UserFactory(admin=True))
        assert self.put(stranger, design, status="draft").status_code == 302
        assert self.put(strict, design, status="draft").status_code == 403
        design.refresh_from_db()
        assert design.status == "published"

    def test_is_not_changed_by_an_editor_who_may_only_look(self):
        editor, design = UserFactory(), DesignFactory()
        editors = Group.objects.get(name=EDITORS)
        editor.groups.add(editors)
        editors.permissions.remove(Permission.objects.get(codename="change_design"))
        client = Client()
        client.force_login(editor)
        assert client.get(LIST).status_code == 200
        assert self.put(client, design, status="draft").status_code == 403
        design.refresh_from_db()
        assert design.status == "published"


def test_a_design_is_added_with_its_picture(staff):
    assert staff.post(ADD, form(picture=jpeg())).status_code == 302
    design = Design.objects.get()
    assert (design.title, design.image.width, design.image.category) == ("Kanjivaram", 640, "designs")
    action, actor, changes = trail()[-1]
    assert (action, actor, changes["title"]) == ("design.create", "curator", [None, "Kanjivaram"])


def test_a_design_is_added_with_an_image_that_is_stored_already(staff):
    image = ImageFactory()
    assert staff.post(ADD, form(image_keys=image.object_key)).status_code == 302
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

    sent = form(title="New", colour="", image_keys=design.image_id, picture=jpeg())
    assert staff.post(url, sent).status_code == 302

    changed = Design.objects.get()
    assert (changed.title, changed.colour, changed.category) == ("New", "", "Saree")
    assert changed.image_id != design.image_id
    assert trail()[-1][2] == {
        "title": ["Old", "New"], "colour": ["Red", ""], "image_keys": [[design.image_id], [changed.image_id]],
    }  # fmt: skip


class TestThePictures:
    @staticmethod
    def change(staff, design, **fields):
        url = reverse("admin:designs_design_change", args=[design.pk])
        return staff.post(url, form(**{"image_keys": design.image_id} | fields))

    def test_are_listed_one_a_line_and_changed_there(self, staff):
        further = DesignImageFactory(alt="The border")
        design, added = further.design, ImageFactory()
        url = reverse("admin:designs_design_change", args=[design.pk])
        listed = f"{design.image_id}\n{further.image_id} The border"
        assert staff.get(url).context["adminform"].form.initial["image_keys"] == listed

        sent = f"{further.image_id} The border\r\n{added.object_key} Folded\r\n"
        assert self.change(staff, design, image_keys=sent).status_code == 302

        assert trail()[-1][2]["image_keys"] == [
            [design.image_id, {"object_key": further.image_id, "alt": "The border"}],
            [
                {"object_key": further.image_id, "alt": "The border"},
                {"object_key": added.object_key, "alt": "Folded"},
            ],
        ]
        assert Design.objects.get().image_keys == trail()[-1][2]["image_keys"][1]

    def test_stay_when_the_page_is_saved_as_it_is_or_with_another_cover(self, staff):
        further = DesignImageFactory(alt="The border")
        design = further.design
        listed = f"{design.image_id}\r\n{further.image_id} The border"
        assert self.change(staff, design, image_keys=listed, title=design.title).status_code == 302
        assert trail() == []
        assert self.change(staff, design, image_keys=listed, picture=jpeg()).status_code == 302
        changed = Design.objects.get()
        assert changed.image_id != design.image_id
        assert [picture.image_id for picture in changed.further] == [further.image_id]

    @pytest.mark.parametrize("bad", ["{key}\n{key}", "designs/nothing.jpg", "{key} " + "x" * 301])
    def test_that_are_wrong_are_named_and_stay(self, staff, bad):
        design = DesignFactory()
        response = self.change(staff, design, image_keys=bad.format(key=ImageFactory().object_key))
        page = response.content.decode() if response.status_code == 200 else message_page(staff, response)
        assert "once" in page or "not the key" in page or "300" in page
        assert Design.objects.get().image_keys == [design.image_id]

    def test_make_a_new_design(self, staff):
        first, second = (image.object_key for image in ImageFactory.create_batch(2))
        assert staff.post(ADD, form(image_keys=f"{first}\n{second}")).status_code == 302
        assert Design.objects.get().image_keys == [first, second]

    def test_are_not_changed_twice_at_once(self, staff):
        design, image = DesignFactory(), ImageFactory()
        response = self.change(staff, design, image_keys=image.object_key, picture=jpeg())
        assert "either the cover" in response.content.decode()


def test_designs_are_deleted_one_by_one_and_together(staff):
    alone, first, second = FavouriteFactory().design, DesignFactory(), DesignFactory()
    staff.post(reverse("admin:designs_design_delete", args=[alone.pk]), {"post": "yes"})
    staff.post(LIST, {
        "action": "delete_selected", "_selected_action": [first.pk, second.pk], "post": "yes",
    })  # fmt: skip
    assert set(Design.objects.values_list("status", flat=True)) == {"deleted"}
    assert [action for action, *_ in trail()] == ["design.delete"] * 3


def test_staff_give_featured_designs_their_place_and_take_it_away(staff):
    design = DesignFactory(title="Kanjivaram", featured=True)
    change = reverse("admin:designs_design_change", args=[design.pk])
    for place, stored in (("3", 3), ("", None)):
        sent = form(image_keys=design.image_id, featured="on", featured_place=place)
        assert staff.post(change, sent).status_code == 302
        assert Design.objects.get().featured_place == stored
    assert [changes for _, _, changes in trail()] == [
        {"featured_place": [None, 3]},
        {"featured_place": [3, None]},
    ]
    assert (
        "featured_place"
        in staff.post(change, form(image_keys=design.image_id, featured_place="-1")).content.decode()
    )
    assert len(trail()) == 2


def test_the_trash_is_a_filter_of_the_list_and_can_be_restored(staff):
    kept, trashed, other = (DesignFactory(title=f"gown {name}", status="draft") for name in "abc")
    for design in (trashed, other):
        staff.post(reverse("admin:designs_design_delete", args=[design.pk]), {"post": "yes"})
    staff.get(LIST)  # reads the messages, which name them
    assert [name for name in "abc" if f"gown {name}" in staff.get(LIST).content.decode()] == ["a"]
    page = staff.get(LIST, {"status": "deleted"}).content.decode()
    assert [name for name in "abc" if f"gown {name}" in page] == ["b", "c"]

    chosen = {"action": "restore", "_selected_action": [trashed.pk, kept.pk]}
    assert staff.post(f"{LIST}?status=deleted", chosen).status_code == 302

    assert dict(Design.objects.values_list("title", "status")) == {
        "gown a": "draft", "gown b": "draft", "gown c": "deleted",
    }  # fmt: skip
    assert trail()[-1] == ("design.restore", "curator", {"status": ["deleted", "draft"]})
    assert len(trail()) == 3


def test_what_is_in_the_trash_is_neither_changed_nor_deleted_again(staff):
    design = DesignFactory(title="Old")
    delete = reverse("admin:designs_design_delete", args=[design.pk])
    staff.post(delete, {"post": "yes"})
    before = Design.objects.values().get()
    change = reverse("admin:designs_design_change", args=[design.pk])
    assert staff.get(change).status_code == 200
    assert staff.post(change, form(title="New", image_keys=design.image_id)).status_code == 302
    assert staff.post(delete, {"post": "yes"}).status_code == 302
    assert act(staff, "publish", design).status_code == 302
    in_place = staff.post(reverse("admin:designs_design_set", args=[design.pk]), {"title": "New"})
    assert in_place.status_code == 404
    assert Design.objects.values().get() == before
    assert len(trail()) == 1
