"""What tidy removes of what uploads left behind, and what it leaves alone."""

import os
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.errors import Conflict
from tests.api.client import ApiClient
from tests.api.test_presigned_uploads import complete, presigned, send
from tests.api.test_uploads import uploaded
from tests.factories.accounts import UserFactory
from tests.pictures import picture, saved, textile
from uploads import cleaning, services
from uploads.keys import new_key, rendition_key
from uploads.models import Image, PendingUpload

pytestmark = pytest.mark.django_db(transaction=True)


def sweep(older_than=0, **options):
    return cleaning.clean(timedelta(hours=older_than), **options)


def test_images_and_promises_are_left_alone(image_store):
    admin = ApiClient.admin()
    uploaded(admin, saved(textile()))
    promise = presigned(admin, picture())
    send(image_store, admin, promise, picture())
    before = image_store.listed()
    assert sweep() == cleaning.Report()
    assert image_store.listed() == before
    assert complete(admin, promise).status_code == 200


def test_an_expired_promise_goes_with_what_was_sent_to_it(image_store):
    admin = ApiClient.admin()
    promise = presigned(admin, picture())
    send(image_store, admin, promise, picture())
    PendingUpload.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    sweep(older_than=3)
    assert PendingUpload.objects.count() == 1
    sweep(older_than=1)
    assert PendingUpload.objects.count() == 0
    assert len(image_store.listed()) == 1  # the object itself is not an hour old
    sweep()
    assert image_store.listed() == []


def test_orphans_go_once_they_are_old_enough(image_store):
    key = new_key("designs", "image/png")
    small = rendition_key(key, 320, b"x")
    image_store.write(key, b"x", "image/png")
    image_store.write(small, b"x", "image/webp")
    sweep(older_than=1)
    assert image_store.listed() == sorted([key, small])
    assert sorted(sweep().orphans) == sorted([key, small])
    assert image_store.listed() == []


def test_a_rendition_that_its_image_does_not_name_goes_alone(image_store):
    key = uploaded(ApiClient.admin())["object_key"]
    before = image_store.listed()
    image_store.write(rendition_key(key, 320, b"older"), b"older", "image/webp")
    sweep()
    assert image_store.listed() == before


def test_a_store_whose_objects_have_mostly_no_row_may_be_that_of_another_database(image_store, monkeypatch):
    uploaded(ApiClient.admin())
    Image.objects.all().delete()
    before = image_store.listed()
    monkeypatch.setattr(cleaning, "MANY", len(before) - 1)
    for dry_run in (True, False):
        with pytest.raises(Conflict, match=rf"^{len(before)} of the {len(before)} objects .* --even-most"):
            sweep(dry_run=dry_run)
    assert image_store.listed() == before
    call_command("tidy", only="uploads", even_most=True)
    assert image_store.listed() == before  # they are not a day old
    assert sweep(even_most=True).orphans == before
    assert image_store.listed() == []


def test_half_of_the_store_may_have_no_row(image_store, monkeypatch):
    monkeypatch.setattr(cleaning, "MANY", 0)
    for _ in range(2):
        uploaded(ApiClient.admin())
    stem = Image.objects.latest("pk").object_key
    Image.objects.filter(object_key=stem).delete()
    assert len(sweep().orphans) == len(image_store.listed())


def test_what_is_not_ours_is_never_touched(image_store):
    image_store.write("backup/gallery.tar", b"x", "application/x-tar")
    image_store.write("designs/readme.txt", b"x", "text/plain")
    sweep()
    assert image_store.listed() == ["backup/gallery.tar", "designs/readme.txt"]


def test_temporary_images_and_avatars_nobody_wears_go_when_old(image_store):
    user, admin = ApiClient.approved(), ApiClient.admin()
    keys = [uploaded(user, category="avatars")["object_key"] for _ in range(2)]
    uploaded(admin, category="temp")
    kept = uploaded(admin)["object_key"]
    user.user.avatar_object_key = keys[0]
    user.user.save()
    sweep(older_than=1)
    assert Image.objects.count() == 4
    assert len(sweep().discarded) == 2
    assert set(Image.objects.values_list("object_key", flat=True)) == {keys[0], kept}
    assert {key for key in image_store.listed() if "_w" not in key} == {keys[0], kept}


def test_a_dry_run_tells_the_same_and_removes_nothing(image_store):
    admin = ApiClient.admin()
    uploaded(admin, category="temp")
    image_store.write(new_key("designs", "image/png"), b"x", "image/png")
    promise = presigned(admin, picture())
    send(image_store, admin, promise, picture())
    PendingUpload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    before = image_store.listed()
    told = sweep(dry_run=True)
    assert image_store.listed() == before
    assert (Image.objects.count(), PendingUpload.objects.count()) == (1, 1)
    assert (told.pending, len(told.discarded), len(told.orphans)) == ([promise["object_key"]], 1, 2)
    done = sweep()
    assert (done.pending, done.discarded, sorted(done.orphans)) == (
        told.pending,
        told.discarded,
        sorted(told.orphans),
    )
    assert image_store.listed() == []


def test_images_whose_objects_are_gone_are_told_and_kept(image_store):
    key = uploaded(ApiClient.admin())["object_key"]
    services.configured_store().delete(key)
    assert sweep().missing == [key]
    assert Image.objects.count() == 1


def test_an_upload_in_progress_is_safe(image_store, monkeypatch):
    """The cleaner comes between the objects and the row."""
    real = services.store_objects

    def put_all(*args, **kwargs):
        real(*args, **kwargs)
        sweep(older_than=1)

    monkeypatch.setattr(services, "store_objects", put_all)
    image = services.image_store(UserFactory(admin=True), saved(textile()), "designs")
    assert image.object_key in image_store.listed()
    assert len(image_store.listed()) == 3


def test_a_completion_that_the_cleaner_overtakes_leaves_no_dead_link(image_store, monkeypatch):
    admin = ApiClient.admin()
    promise = presigned(admin, picture())
    send(image_store, admin, promise, picture())
    PendingUpload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    real = services.store_objects

    def put_all(*args, **kwargs):
        real(*args, **kwargs)
        sweep()

    monkeypatch.setattr(services, "store_objects", put_all)
    assert complete(admin, promise).status_code == 404
    assert Image.objects.count() == 0
    assert image_store.listed() == []


def test_drafts_of_writes_that_were_broken_off_go(folder):
    draft = folder.folder / ".drafts" / "abc_1"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half a picture")
    sweep(older_than=1)
    assert draft.exists()
    long_ago = time.time() - 7200
    os.utime(draft, (long_ago, long_ago))
    sweep(older_than=1)
    assert not draft.exists()
