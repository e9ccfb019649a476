"""A folder DATA that is full or cannot be written is a 503 in the envelope, and reads go on."""

import builtins
import errno
import io
import os
import tempfile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.pictures import picture

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[errno.ENOSPC, errno.EROFS, errno.EACCES], ids=["full", "read-only", "forbidden"])
def disk(request, monkeypatch, tmp_path):
    """disk() makes every attempt to create a file or a folder from then on fail, as such a disk does."""

    def fail(path):
        raise OSError(request.param, os.strerror(request.param), str(path))

    def writes(mode):
        return set(mode) & set("wax+")

    def break_it():
        real_open, real_os_open = io.open, os.open

        def open_file(file, mode="r", *args, **options):
            return fail(file) if writes(mode) else real_open(file, mode, *args, **options)

        def open_descriptor(path, flags, *args, **options):
            return fail(path) if flags & os.O_CREAT else real_os_open(path, flags, *args, **options)

        monkeypatch.setattr(os, "open", open_descriptor)
        monkeypatch.setattr(os, "mkdir", lambda path, *args, **options: fail(path))
        monkeypatch.setattr(io, "open", open_file)
        monkeypatch.setattr(builtins, "open", open_file)

    return break_it


def unavailable(response):
    refused(response, 503, "unavailable")
    assert settings.DATA.name not in response.content.decode()
    assert tempfile.gettempdir() not in response.content.decode()


def test_an_upload_is_refused_and_leaves_nothing(disk, folder):
    admin = ApiClient.admin()
    file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    disk()
    unavailable(admin.upload("/api/upload/image", file=file, category="designs"))
    assert folder.listed() == []


def test_so_is_one_that_is_put_on_the_disk_first(disk, folder, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    admin = ApiClient.admin()
    disk()
    unavailable(admin.upload("/api/upload/image", file=SimpleUploadedFile("a.jpg", picture(), "image/jpeg")))


def test_so_is_a_put_to_a_presigned_address(disk, folder):
    admin, data = ApiClient.admin(), picture()
    promise = admin.get("/api/upload/presigned-url", content_type="image/jpeg", size=len(data)).json()
    disk()
    assert folder.send(admin.http, promise["upload_url"], data, promise["headers"]) == 503


def test_failed_sign_ins_still_count(disk, settings):
    settings.SIGN_IN_FAILURES = (2, 600)
    user = UserFactory()
    disk()
    wrong = {"username": user.username, "password": "wrong"}
    answers = [ApiClient().post("/api/auth/login", wrong) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_health_names_the_part(disk, client):
    assert client.get("/health").json()["checks"]["data"]["status"] == "healthy"
    disk()
    response = client.get("/health")
    assert (response.status_code, response.json()["status"]) == (503, "unhealthy")
    assert response.json()["checks"]["data"]["status"] == "unhealthy"
    assert response.json()["checks"]["data"]["error"]
    assert str(settings.DATA) not in response.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="D1 is no file of this host")
def test_a_database_that_cannot_be_written_is_still_read():
    user, design = ApiClient.approved(), DesignFactory()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = on")  # SQLite's error is that of a read-only file
        try:
            unavailable(user.post(f"/api/designs/{design.pk}/favorite"))
            assert user.get("/api/designs").status_code == 200
        finally:
            connection.connection.execute("PRAGMA query_only = off")
