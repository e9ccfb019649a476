"""A media type says the same in capitals, and a picture is a file."""

import pytest

from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory
from tests.pictures import picture

pytestmark = pytest.mark.django_db

BOUNDARY = "SixYards"
PATH = "/api/upload/image"


def form(*parts):
    """The body of a multipart form, of (headers, data) pairs."""
    lines = [f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + data + b"\r\n" for headers, data in parts]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def upload(body, media_type="multipart/form-data"):
    client = ApiClient.admin()
    return client.http.generic(
        "POST", PATH, body, content_type=f"{media_type}; boundary={BOUNDARY}", headers=client.headers
    )


@pytest.mark.parametrize("media_type", ["Multipart/Form-Data", "MULTIPART/FORM-DATA", "multipart/Form-data"])
def test_a_form_is_one_in_capitals(folder, media_type):
    part = 'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: Image/JPEG'
    assert upload(form((part, picture())), media_type).status_code == 201


@pytest.mark.parametrize("media_type", ["Application/JSON", "APPLICATION/JSON; Charset=UTF-8"])
def test_json_is_json_in_capitals(media_type):
    user = UserFactory()
    body = f'{{"username": "{user.username}", "password": "{PASSWORD}"}}'
    response = ApiClient().http.generic("POST", "/api/auth/login", body, content_type=media_type)
    assert response.status_code == 200


@pytest.mark.parametrize("pattern", ["*/*", "application/*", "*/json", "multipart/*", "*"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/auth/me"), ("POST", PATH)])
def test_a_pattern_of_media_types_is_none(pattern, method, path):
    client = ApiClient.admin()
    response = client.http.generic(method, path, b"{}", content_type=pattern, headers=client.headers)
    refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("name", ['name="file"', 'name="file"; filename=""'])
@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_part_without_a_filename_is_no_file(folder, name, size):
    part = f"Content-Disposition: form-data; {name}\r\nContent-Type: image/jpeg"
    assert list(refused(upload(form((part, b"x" * size))), 400, "invalid")) == ["file"]
    assert folder.listed() == []
