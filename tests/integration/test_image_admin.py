"""The admin's pages of images."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from core.models import AuditEntry
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import saved, textile
from tests.uploads_corpus import HTML
from uploads import services
from uploads.models import Image

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:uploads_image_changelist")
ADD = reverse("admin:uploads_image_add")


@pytest.fixture
def staff(client, folder):
    client.force_login(UserFactory(admin=True))
    return client


def change(image):
    return reverse("admin:uploads_image_change", args=[image.pk])


def delete(image):
    return reverse("admin:uploads_image_delete", args=[image.pk])


def send(staff, data, name="photo.jpg"):
    form = {"file": SimpleUploadedFile(name, data, "image/jpeg"), "category": "designs"}
    return staff.post(ADD, form, follow=True)


def test_the_list_shows_thumbnails_and_filters_by_use(staff):
    shown, unused = ImageFactory(), ImageFactory()
    Design.objects.create(title="Ikat", category="Saree", image=shown)
    page = staff.get(LIST).content.decode()
    for image in (shown, unused):
        assert f'src="/media/{image.renditions[0]["key"]}"' in page
    names = [image.object_key.rpartition("/")[2] for image in (shown, unused)]
    for use, found in (("no", [False, True]), ("yes", [True, False])):
        listed = staff.get(LIST, {"in_use": use}).content.decode()
        assert [name in listed for name in names] == found


def test_an_upload_goes_through_the_service(staff, folder):
    assert send(staff, saved(textile())).status_code == 200
    image = Image.objects.get()
    assert (image.width, image.height, image.category) == (900, 1200, "designs")
    assert image.object_key in folder.listed()
    assert staff.get(change(image)).status_code == 200


def test_a_bad_file_is_refused_on_the_form(staff, folder):
    page = send(staff, HTML).content.decode()
    assert "Only JPEG, PNG, WebP, HEIC and AVIF images are accepted." in page
    assert Image.objects.count() == 0
    assert folder.listed() == []


def test_a_near_duplicate_is_warned_of_with_the_twin_shown_and_taken(staff):
    send(staff, saved(textile()))
    twin = Image.objects.get()
    page = send(staff, saved(textile().resize((600, 800)), quality=60)).content.decode()
    assert "It looks like 1 existing image" in page
    assert f'src="/media/{twin.renditions[0]["key"]}"' in page
    newer = Image.objects.exclude(pk=twin.pk).get()
    assert change(twin) in staff.get(change(newer)).content.decode()
    assert "It looks like" not in send(staff, saved(textile(seed=50))).content.decode()


def test_deleting_removes_the_objects_and_is_audited_once(staff, folder):
    send(staff, saved(textile()))
    image = Image.objects.get()
    staff.post(delete(image), {"post": "yes"})
    assert Image.objects.count() == 0
    assert folder.listed() == []
    assert AuditEntry.objects.filter(action="image.delete").count() == 1


def test_an_image_in_use_is_not_deleted(staff):
    image = ImageFactory()
    Design.objects.create(title="Ikat", category="Saree", image=image)
    assert staff.post(delete(image), {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [image.pk], "post": "yes"}
    staff.post(LIST, bulk)
    assert Image.objects.count() == 1


def test_a_worn_avatar_stops_a_bulk_deletion_of_many(staff):
    worn, free = ImageFactory(category="avatars"), ImageFactory(category="avatars")
    UserFactory(avatar_object_key=worn.object_key)
    bulk = {"action": "delete_selected", "_selected_action": [worn.pk, free.pk], "post": "yes"}
    staff.post(LIST, bulk)
    assert Image.objects.count() == 2


def test_unused_images_are_deleted_in_bulk(staff, folder):
    for seed in range(2):
        services.image_store(None, saved(textile(seed=seed)), "designs")
    keys = list(Image.objects.values_list("pk", flat=True))
    staff.post(LIST, {"action": "delete_selected", "_selected_action": keys, "post": "yes"})
    assert Image.objects.count() == 0
    assert folder.listed() == []


def test_only_staff_see_images(client, folder):
    client.force_login(UserFactory())
    assert client.get(LIST).status_code == 302


def test_the_pages_may_show_images_of_a_store_on_this_machine(staff, settings):
    assert "img-src 'self' data:" in staff.get(LIST)["Content-Security-Policy"]
    options = {"public_url": "http://127.0.0.1:9000/gallery", "bucket_name": "gallery"}
    store = {"BACKEND": "uploads.storage.r2.R2Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": store}
    assert "img-src 'self' http://127.0.0.1:9000 data:" in staff.get(LIST)["Content-Security-Policy"]
