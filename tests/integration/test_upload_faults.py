"""A store that refuses, hangs, or is gone at any step: nothing half done that tidy does not find."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from devtools.store_proxy import fault_at
from tests.api.client import ApiClient, refused
from tests.api.test_presigned_uploads import complete, presigned, send
from tests.api.test_uploads import upload, uploaded
from tests.pictures import exif, picture, saved, textile
from uploads import cleaning, services
from uploads.models import Image, PendingUpload
from uploads.pipeline.renditions import WIDTHS
from uploads.storage.base import configured_store
from uploads.storage.r2 import R2Storage

pytestmark = pytest.mark.django_db(transaction=True)

DATA = saved(textile(900, 1300), exif=exif(6))
# An upload stores the renditions, then the image, which is 1,300 pixels wide once it is rotated.
RENDITIONS = sum(width <= 1300 for width in WIDTHS)
OBJECTS = RENDITIONS + 1
# What goes wrong with a PUT, after how many good ones.
WHEREVER = [(fault, after) for fault in ("refuse", "cut", "lose") for after in range(OBJECTS)]
SECRETS = ("127.0.0.1", "images.example", "gallery-", "designs/")


@pytest.fixture
def impatient(monkeypatch):
    """One try, and no pause."""
    once = {"mode": "standard", "total_max_attempts": 1}
    monkeypatch.setattr(R2Storage, "CONFIG", R2Storage.CONFIG.merge(Config(retries=once)))
    monkeypatch.setattr(R2Storage, "WRITE_PAUSE", 0)


def swept(hours=0):
    """Clean up as if everything of that age were old; what was found."""
    return cleaning.clean(timedelta(hours=hours))


def unavailable(response):
    refused(response, 503, "unavailable")
    assert not any(secret in response.content.decode() for secret in SECRETS)


@pytest.mark.parametrize(("fault", "after"), WHEREVER)
def test_an_upload_that_the_store_fails_leaves_no_row_and_nothing_the_cleaner_misses(
    impatient, bucket, fault, after
):
    bucket.proxy.fault = fault_at(fault, "PUT", after=after)
    unavailable(upload(ApiClient.admin(), DATA))
    assert Image.objects.count() == 0
    bucket.proxy.reset()
    swept()
    assert bucket.listed() == []


def test_what_was_written_before_the_failure_is_removed_at_once(impatient, bucket):
    bucket.proxy.fault = fault_at("refuse", "PUT", after=RENDITIONS)
    unavailable(upload(ApiClient.admin(), DATA))
    assert bucket.listed() == []


def test_what_cannot_be_removed_at_once_is_the_cleaners(impatient, bucket):
    def fault(method, path):
        return "refuse" if method == "DELETE" or (method == "PUT" and "_w" not in path) else ""

    bucket.proxy.fault = fault
    unavailable(upload(ApiClient.admin(), DATA))
    assert len(bucket.listed()) == RENDITIONS
    bucket.proxy.reset()
    assert len(swept().orphans) == RENDITIONS
    assert bucket.listed() == []


def test_a_store_that_hangs_is_given_up(impatient, bucket, monkeypatch):
    monkeypatch.setattr(R2Storage, "CONFIG", R2Storage.CONFIG.merge(Config(read_timeout=0.5)))
    bucket.proxy.fault = fault_at("hang", "PUT")
    unavailable(upload(ApiClient.admin(), picture()))


def test_a_store_that_is_gone_is_unavailable(impatient, bucket, settings):
    gone = {
        **bucket.settings,
        "OPTIONS": {**bucket.settings["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"},
    }
    settings.STORAGES = {**settings.STORAGES, "default": gone}
    admin = ApiClient.admin()
    unavailable(upload(admin, picture()))
    unavailable(complete(admin, presigned(admin, picture())))


def test_wrong_credentials_are_unavailable_and_not_told(impatient, bucket, settings):
    options = {**bucket.settings["OPTIONS"], "secret_key": "wrong"}
    settings.STORAGES = {**settings.STORAGES, "default": {**bucket.settings, "OPTIONS": options}}
    unavailable(upload(ApiClient.admin(), picture()))


def test_a_key_written_twice_within_a_second_is_tried_again(impatient, bucket):
    throttled = []

    def fault(method, path):
        if method == "PUT" and path not in throttled:
            throttled.append(path)
            return "throttle"
        return ""

    bucket.proxy.fault = fault
    uploaded(ApiClient.admin(), DATA)
    assert len(throttled) == OBJECTS


def test_a_full_disk_is_unavailable_and_leaves_nothing(folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device", str(folder.folder))

    monkeypatch.setattr("uploads.storage.folder.os.replace", full)
    unavailable(upload(ApiClient.admin(), DATA))
    assert folder.listed() == []
    assert Image.objects.count() == 0


def test_a_row_that_the_database_refuses_leaves_no_objects(image_store, monkeypatch):
    def refuse(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(Image, "save", refuse)
    assert upload(ApiClient.admin(), DATA).status_code == 500
    assert image_store.listed() == []


def test_a_row_whose_fate_is_unknown_keeps_its_objects_until_the_cleaner_knows(image_store, monkeypatch):
    def lost(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(Image, "save", lost)
    refused(upload(ApiClient.admin(), DATA), 503, "unavailable")
    assert len(image_store.listed()) == OBJECTS
    swept()
    assert image_store.listed() == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(("fault", "after"), WHEREVER)
def test_a_completion_that_the_store_fails_can_be_repeated(impatient, bucket, method, fault, after):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    assert send(bucket, admin, promise, DATA) == 200
    if method == "GET" and after:
        return
    bucket.proxy.fault = fault_at(fault, method, after=after)
    unavailable(complete(admin, promise))
    assert Image.objects.count() == 0
    bucket.proxy.reset()
    assert complete(admin, promise).status_code == 200
    assert len(bucket.listed()) == OBJECTS
    swept()
    assert len(bucket.listed()) == OBJECTS


@pytest.mark.parametrize(("fault", "after"), WHEREVER)
def test_a_completion_that_is_given_up_is_swept(impatient, bucket, fault, after):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    send(bucket, admin, promise, DATA)
    bucket.proxy.fault = fault_at(fault, "PUT", after=after)
    unavailable(complete(admin, promise))
    bucket.proxy.reset()
    swept()
    assert bucket.listed() != []  # the address has not expired: the client may come again
    PendingUpload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    swept()
    assert bucket.listed() == []
    refused(complete(admin, promise), 404, "not_found")


def test_what_came_in_and_cannot_be_removed_once_it_is_an_image_is_the_cleaners(impatient, bucket):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    send(bucket, admin, promise, DATA)
    bucket.proxy.fault = fault_at("refuse", "DELETE")
    assert complete(admin, promise).status_code == 200
    bucket.proxy.reset()
    assert len(bucket.listed()) == OBJECTS + 1
    assert len(swept().orphans) == 1
    assert len(bucket.listed()) == OBJECTS
    assert complete(admin, promise).status_code == 200


def test_a_completion_that_finds_another_s_work_done_answers_the_same(image_store, monkeypatch):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    send(image_store, admin, promise, DATA)
    real = services.uploaded_picture

    def late(pending):
        monkeypatch.undo()
        assert complete(admin, promise).status_code == 200
        return real(pending)

    monkeypatch.setattr(services, "uploaded_picture", late)
    assert complete(admin, promise).status_code == 200
    assert Image.objects.count() == 1


def test_a_completion_whose_row_is_lost_can_be_repeated(image_store, monkeypatch):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    send(image_store, admin, promise, DATA)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "save", lambda *args, **kwargs: (_ for _ in ()).throw(OperationalError()))
        refused(complete(admin, promise), 503, "unavailable")
    assert complete(admin, promise).status_code == 200
    assert len(image_store.listed()) == OBJECTS


def test_bad_content_that_cannot_be_removed_is_removed_by_the_next_call(impatient, bucket):
    admin = ApiClient.admin()
    promise = presigned(admin, b"no picture")
    send(bucket, admin, promise, b"no picture")
    bucket.proxy.fault = fault_at("refuse", "DELETE")
    unavailable(complete(admin, promise))
    bucket.proxy.reset()
    refused(complete(admin, promise), 400, "invalid_image")
    assert bucket.listed() == []


@pytest.mark.parametrize("fault", ["refuse", "cut", "lose"])
@pytest.mark.parametrize("after", [0, 1, RENDITIONS])
def test_a_deletion_that_the_store_fails_is_a_deletion_and_the_cleaner_does_the_rest(
    impatient, bucket, fault, after
):
    admin = ApiClient.admin()
    key = uploaded(admin, DATA)["object_key"]
    bucket.proxy.fault = fault_at(fault, "DELETE", after=after)
    assert admin.delete(f"/api/upload/image/{key}").status_code == 200
    assert Image.objects.count() == 0
    bucket.proxy.reset()
    swept()
    assert bucket.listed() == []


def test_a_deletion_that_the_database_fails_keeps_the_objects(image_store, monkeypatch):
    admin = ApiClient.admin()
    key = uploaded(admin, DATA)["object_key"]
    with monkeypatch.context() as patched:
        patched.setattr("uploads.services.delete_or_conflict", Mock(side_effect=OperationalError()))
        refused(admin.delete(f"/api/upload/image/{key}"), 503, "unavailable")
    assert len(image_store.listed()) == OBJECTS
    assert configured_store().exists(key)


def test_two_completions_at_once_make_one_image(image_store, monkeypatch):
    admin = ApiClient.admin()
    promise = presigned(admin, DATA)
    send(image_store, admin, promise, DATA)
    # The other call has its whole way while this one is about to store its row.
    monkeypatch.setattr("uploads.services.store_objects", overtaking(admin, promise))
    answer = complete(admin, promise)
    assert answer.status_code == 200
    assert answer.json()["object_key"] == promise["object_key"]
    assert Image.objects.count() == 1
    assert len(image_store.listed()) == OBJECTS


def overtaking(admin, promise):
    real, overtaken = services.store_objects, []

    def put_all(*args, **kwargs):
        real(*args, **kwargs)
        if not overtaken:
            overtaken.append(True)
            assert complete(admin, promise).status_code == 200

    return put_all


def test_the_cleaner_that_meets_the_failing_store_says_so(impatient, bucket, capsys):
    bucket.proxy.fault = fault_at("refuse", "GET")
    with pytest.raises(CommandError, match="--only uploads"):
        call_command("tidy", only="uploads")
    assert "temporarily unavailable" in capsys.readouterr().err
