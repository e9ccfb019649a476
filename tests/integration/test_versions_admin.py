"""The versions of a design on its page, and the way back; the pictures' form; a design of an image."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from designs import services
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, DesignImageFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import saved, textile
from tests.uploads_corpus import HTML
from uploads.models import Image

pytestmark = pytest.mark.django_db(transaction=True)

PICTURES = reverse("admin:designs_design_pictures")
ADD = reverse("admin:designs_design_add")


@pytest.fixture
def boss():
    return UserFactory(username="curator", admin=True)


@pytest.fixture
def staff(boss, folder):
    client = Client()
    client.force_login(boss)
    return client


def edited(actor, design, **fields):
    services.design_update(actor, Design.objects.get(pk=design.pk), fields)


def timeline(staff, design, **more):
    return staff.get(reverse("admin:designs_design_timeline", args=[design.pk]), more)


def go_back(staff, design, **fields):
    return staff.post(reverse("admin:designs_design_restore", args=[design.pk]), fields)


def said(staff, response):
    return staff.get(response.url).content.decode()


def test_each_version_says_what_changed_by_whom_and_leads_back(staff, boss):
    design = DesignFactory(title="Ikat")
    edited(boss, design, title="Patola", colour="Red")
    edited(None, design, title="Bandhani")
    page = timeline(staff, design).content.decode()
    assert page.index("Version 3") < page.index("Version 2") < page.index("Version 1")
    assert "curator changed it" in page
    assert "The system changed it" in page
    assert "<del>Ikat</del>" in page
    assert "<ins>Patola</ins>" in page
    assert [f'value="{version}"' in page for version in (1, 2, 3)] == [True, True, False]


def test_changes_of_pictures_are_told_in_words(staff, boss):
    design, second, third = DesignFactory(), ImageFactory(), ImageFactory()
    keys = [second.object_key, {"object_key": design.image_id, "alt": "The border"}, third.object_key]
    edited(boss, design, image_keys=keys)
    edited(boss, design, image_keys=keys[1:])
    edited(boss, design, image_keys=[keys[1]["object_key"], keys[2]])
    edited(boss, design, image_keys=[keys[2], keys[1]["object_key"]])
    page = timeline(staff, design).content.decode()
    assert design.image_id not in page
    for words in (
        "<ins>3 pictures, 2 added, other alternative texts</ins>",
        "<ins>2 pictures, 1 taken out</ins>",
        "<ins>2 pictures, other alternative texts</ins>",
        "<ins>2 pictures, another order</ins>",
    ):
        assert words in page


def test_the_page_of_a_design_loads_them_later(staff, boss):
    design = DesignFactory()
    edited(boss, design, title="Patola")
    page = staff.get(reverse("admin:designs_design_change", args=[design.pk])).content.decode()
    assert reverse("admin:designs_design_timeline", args=[design.pk]) in page
    assert "Go back to this" not in page


def test_older_versions_come_on_request(staff, boss):
    design = DesignFactory()
    for number in range(12):
        edited(boss, design, title=f"Title {number}")
    first = timeline(staff, design).content.decode()
    assert "?after=10" in first
    second = timeline(staff, design, after=10).content.decode()
    assert "Version 4<" not in second
    assert "Version 3<" in second
    assert "Version 1<" in second
    assert "?after" not in second


@pytest.mark.parametrize("odd", ["abc", "-1", "9" * 30, "", "100000", "٣"])
def test_an_odd_place_is_no_error(staff, odd):
    assert timeline(staff, DesignFactory(), after=odd).status_code == 200


def test_going_back_restores_every_field_and_is_a_version_itself(staff, boss):
    design = DesignFactory(title="Ikat", colour="Red")
    edited(boss, design, title="Patola", colour="Blue")
    answer = go_back(staff, design, version=1, seen=2)
    assert answer.url == reverse("admin:designs_design_change", args=[design.pk])
    assert "as it was in version 1" in said(staff, answer)
    now = Design.objects.get()
    assert (now.title, now.colour, now.version) == ("Ikat", "Red", 3)
    last = AuditEntry.objects.latest("id")
    assert (last.action, last.actor_username) == ("design.restore", "curator")
    go_back(staff, design, version=2, seen=3)
    assert Design.objects.get().title == "Patola"


def test_going_back_from_a_page_that_somebody_overtook_changes_nothing(staff, boss):
    design = DesignFactory(title="Ikat")
    edited(boss, design, title="Patola")
    edited(boss, design, title="Bandhani")
    assert "somebody changed the design meanwhile" in said(staff, go_back(staff, design, version=1, seen=2))
    assert Design.objects.get().title == "Bandhani"


def test_a_version_that_never_was_is_said(staff):
    design = DesignFactory()
    assert "never had this version" in said(staff, go_back(staff, design, version=9))


def test_a_version_whose_pictures_are_gone_is_said(staff, boss):
    design = DesignFactory()
    old, new = design.image, ImageFactory()
    edited(boss, design, r2_object_key=new.object_key)
    Image.objects.filter(pk=old.pk).delete()
    assert "None of the pictures" in said(staff, go_back(staff, design, version=1, seen=2))


def test_a_design_is_taken_out_of_the_trash_on_its_page(staff, boss):
    design = DesignFactory(status="draft")
    services.design_delete(boss, Design.objects.get())
    assert "out of the trash" in said(staff, go_back(staff, design))
    assert Design.objects.get().status == "draft"


def test_only_a_post_goes_back(staff):
    design = DesignFactory()
    assert staff.get(reverse("admin:designs_design_restore", args=[design.pk])).status_code == 405


def test_the_versions_of_no_design_are_not_found(staff):
    assert timeline(staff, DesignFactory.build(pk=999)).status_code == 404


class TestThePictures:
    def send(self, staff, data, name="cloth.jpg"):
        return staff.post(PICTURES, {"file": SimpleUploadedFile(name, data, "image/jpeg")})

    def test_one_is_stored_at_once_and_answered_with_its_key(self, staff):
        answer = self.send(staff, saved(textile()))
        image = Image.objects.get()
        assert answer.status_code == 201
        assert answer.json()["object_key"] == image.object_key
        assert answer.json()["picture"].endswith(".webp")
        assert answer.json()["near_duplicates"] == []

    def test_one_that_looks_like_another_is_said(self, staff):
        self.send(staff, saved(textile()))
        DesignFactory(title="Twin", image=Image.objects.get())
        answer = self.send(staff, saved(textile().resize((600, 800)), quality=60))
        assert [twin["title"] for twin in answer.json()["near_duplicates"]] == ["Twin"]

    def test_what_is_none_is_refused_in_words(self, staff):
        assert "Only JPEG" in self.send(staff, HTML).json()["message"]
        assert "No file" in staff.post(PICTURES).json()["message"]
        assert not Image.objects.exists()

    def test_those_that_nothing_shows_are_offered(self, staff):
        used, free = DesignFactory().image, ImageFactory()
        page = staff.get(PICTURES).content.decode()
        assert free.object_key in page
        assert used.object_key not in page

    def test_are_listed_in_the_form_with_their_texts_and_no_key_in_sight(self, staff):
        further = DesignImageFactory(alt="The border")
        page = staff.get(reverse("admin:designs_design_change", args=[further.design_id])).content.decode()
        assert page.count('class="gallery-picture"') == 3  # with that of the template for new ones
        assert ">The border</textarea>" in page
        assert 'type="text" name="image"' not in page

    def test_a_form_that_is_refused_keeps_them(self, staff):
        image = ImageFactory()
        sent = {
            "title": "",
            "category": "Saree",
            "status": "draft",
            "image_keys": f"{image.object_key} Folded",
        }
        page = staff.post(ADD, sent).content.decode()
        assert f'data-key="{image.object_key}"' in page
        assert ">Folded</textarea>" in page

    def test_a_design_without_any_is_refused(self, staff):
        design = DesignFactory()
        address = reverse("admin:designs_design_change", args=[design.pk])
        sent = {"title": "New", "category": "Saree", "status": "draft", "image_keys": ""}
        assert "A design needs a picture." in staff.post(address, sent).content.decode()
        assert Design.objects.get().title != "New"

    def test_an_image_leads_to_a_design_of_it(self, staff):
        image = ImageFactory()
        page = staff.get(reverse("admin:uploads_image_change", args=[image.pk])).content.decode()
        assert "Make a design of this image" in page
        assert 'name="_save"' not in page
        form = staff.get(ADD, {"image_keys": image.object_key}).content.decode()
        assert f'data-key="{image.object_key}"' in form
        avatar = ImageFactory(category="avatars")
        page = staff.get(reverse("admin:uploads_image_change", args=[avatar.pk])).content.decode()
        assert "Make a design" not in page
