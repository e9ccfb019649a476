"""The admin's page that makes drafts of many pictures: each file by itself, checked, warned of, never half stored."""

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import EDITORS
from console.designs.bulk_upload import title_from
from core.models import AuditEntry
from designs.fields import FACET_FIELDS
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import saved, textile
from tests.uploads_corpus import HTML
from uploads.models import Image
from uploads.pipeline import decoding

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = reverse("admin:designs_design_upload")
FILE = reverse("admin:designs_design_upload_file")


@pytest.fixture
def staff(client, folder):
    client.force_login(UserFactory(username="curator", admin=True))
    return client


def send(client, data=None, name="red_silk-saree.jpg", **fields):
    data = saved(textile()) if data is None else data
    form = {"category": "Saree", **fields, "file": SimpleUploadedFile(name, data, "image/jpeg")}
    return client.post(FILE, form)


def test_the_page_offers_the_commonest_category(staff):
    assert 'value="Saree"' in staff.get(PAGE).content.decode()
    for category in ("Kurta", "Lehenga", "Lehenga"):
        DesignFactory(category=category)
    assert 'value="Lehenga" list' in staff.get(PAGE).content.decode()


def test_a_file_becomes_a_draft_with_its_name_as_the_title(staff, folder):
    answer = send(staff, collection_name="Monsoon", designer_name="Meera")
    assert answer.status_code == 201
    design = Design.objects.get()
    assert (design.title, design.status, design.featured) == ("Red silk saree", "draft", False)
    assert (design.category, design.collection_name, design.designer_name) == ("Saree", "Monsoon", "Meera")
    assert design.image_id in folder.listed()
    assert answer.json() == {
        "id": design.pk,
        "title": "Red silk saree",
        "url": reverse("admin:designs_design_change", args=[design.pk]),
        "set_url": reverse("admin:designs_design_set", args=[design.pk]),
        "picture": f"/media/{design.image.renditions[0]['key']}",
        "near_duplicates": [],
    }
    assert [(entry.action, entry.actor_username) for entry in AuditEntry.objects.all()] == [
        ("design.create", "curator")
    ]


@pytest.mark.parametrize(
    ("filename", "title"),
    [
        ("red_silk-saree.final.JPG", "Red silk saree final"),
        ("साड़ी_लाल.webp", "साड़ी लाल"),
        ("___.png", "Untitled"),
        ("", "Untitled"),
        ("x" * 300 + ".jpg", "X" + "x" * 199),
        ("a\x00b\x1b.jpg", "A b"),
    ],
)
def test_a_files_name_is_made_a_title(filename, title):
    assert title_from(filename) == title


def test_a_twin_is_shown_with_the_design_that_it_belongs_to(staff):
    twin = send(staff, title="The first").json()
    second = send(staff, saved(textile().resize((600, 800)), quality=60)).json()
    assert second["near_duplicates"] == [
        {"title": "The first", "url": twin["url"], "picture": second["near_duplicates"][0]["picture"]}
    ]
    page = staff.get(second["url"]).content.decode()
    assert "It looks like 1 existing image" in page
    assert twin["url"] in page


def test_a_picture_that_comes_with_a_design_is_warned_of_too(staff):
    twin = send(staff, title="The first").json()
    again = SimpleUploadedFile("b.jpg", saved(textile(), quality=60), "image/jpeg")
    design = {**dict.fromkeys(["description", *FACET_FIELDS], ""), "title": "x", "category": "Saree"}
    form = {**design, "status": "draft", "picture": again}
    page = staff.post(reverse("admin:designs_design_add"), form, follow=True).content.decode()
    assert "The picture looks like an existing one" in page
    assert f'href="{twin["url"]}"' in page


def test_a_twin_without_a_design_leads_to_the_image(staff):
    send(staff)
    image = Image.objects.get()
    Design.objects.all().delete()
    (twin,) = send(staff).json()["near_duplicates"]
    assert twin["url"] == reverse("admin:uploads_image_change", args=[image.pk])


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"data": HTML}, 400, "Only JPEG, PNG, WebP, HEIC and AVIF images are accepted."),
        ({"data": saved(textile())[:2000]}, 400, "cut off"),
        ({"data": b""}, 400, "empty"),
        ({"category": ""}, 400, "blank"),
        ({"category": "x" * 51}, 400, "50"),
        ({"title": "x" * 201}, 400, "200"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_words_and_nothing_is_kept(staff, folder, sent, status, words):
    answer = send(staff, **sent)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert (Design.objects.count(), Image.objects.count(), folder.listed()) == (0, 0, [])


def test_a_file_that_is_too_large_is_refused_in_words(staff, settings):
    settings.MAX_FILE_SIZE = 5_000
    answer = send(staff)
    assert (answer.status_code, "at most" in answer.json()["message"]) == (413, True)


def test_no_file_at_all_is_refused_in_words(staff):
    answer = staff.post(FILE, {"category": "Saree"})
    assert (answer.status_code, answer.json()["message"]) == (400, "No file was sent.")


def test_a_picture_that_waited_too_long_for_memory_is_refused_in_words(staff, settings, monkeypatch):
    monkeypatch.setattr(decoding, "PATIENCE", 0)
    with decoding.decoding(settings.DECODING_MEMORY):
        answer = send(staff)
    assert (answer.status_code, "try again" in answer.json()["message"]) == (503, True)
    assert send(staff).status_code == 201


def test_a_picture_is_not_kept_where_its_draft_cannot_be_stored(staff, folder, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("designs.services.design_create", fail)
    staff.raise_request_exception = False
    assert send(staff).status_code == 500
    assert (Image.objects.count(), folder.listed()) == (0, [])


def test_editors_may_and_users_may_not(folder):
    users = {"editor": UserFactory(), "user": UserFactory()}
    users["editor"].groups.add(Group.objects.get(name=EDITORS))
    answers = {}
    for name, user in users.items():
        client = Client()
        client.force_login(user)
        answers[name] = (client.get(PAGE).status_code, send(client).status_code)
    assert answers == {"editor": (200, 201), "user": (302, 302)}
    assert Design.objects.count() == 1


def test_nothing_is_taken_from_another_site(folder):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(UserFactory(admin=True))
    assert send(strict).status_code == 403
    assert Design.objects.count() == 0


def test_an_image_without_a_thumbhash_is_shown_on_the_card_all_the_same(staff):
    design = DesignFactory(image=ImageFactory(thumbhash=""))
    page = staff.get(reverse("admin:designs_design_change", args=[design.pk])).content.decode()
    assert "While the picture loads" in page
    assert "data:image/png" not in page
