"""PUT /api/admin/settings: what each setting takes."""

import pytest

from core import app_settings
from tests.api.client import ApiClient, refused

pytestmark = pytest.mark.django_db

PATH = "/api/admin/settings"
GOOD = [
    ("min_app_version", ["", "1", "2.4", "2.4.1", "12.0.3.4567"]),
    (
        "privacy_url",
        ["", "https://example.org/privacy", "http://example.org:8080/a?b=c#d", "https://उदाहरण.भारत/"],
    ),
    ("terms_url", ["", "https://example.org"]),
    ("support_contact", ["", "help@example.org", "मदद: +91 98765 43210", "x" * 500]),
]
BAD = [
    ("min_app_version", ["2.x", "v2", "2.4.1-beta", ".", "1.", "1.2.3.4.5", "१.२", 2, 2.4, None]),
    (
        "privacy_url",
        ["example.org", "javascript:alert(1)", "ftp://example.org", "https://", "/x", 1],
    ),
    ("terms_url", ["mailto:a@example.org", "https://a b.in", f"https://example.org/{'x' * 500}", True]),
    ("support_contact", ["x" * 501, "a\0b", "\ud800", 5, None, [], {}]),
    ("registration_open", ["true", 1, None]),
]


def pairs(table):
    return [(key, value) for key, values in table for value in values]


@pytest.mark.parametrize(("key", "value"), pairs(GOOD))
def test_a_good_value_is_stored_and_shown(key, value):
    response = ApiClient.admin().put(PATH, {"settings": {key: value}})
    assert response.status_code == 200, response.content
    assert {one["key"]: one["value"] for one in response.json()["items"]}[key] == value
    assert app_settings.get(key) == value


@pytest.mark.parametrize(("key", "value"), pairs(BAD))
def test_a_bad_value_is_named_and_nothing_is_stored(key, value):
    admin = ApiClient.admin()
    before = admin.get(PATH).json()
    sent = {"settings": {"public_catalogue": True, key: value}}
    assert set(refused(admin.put(PATH, sent), 400, "invalid")) == {f"settings.{key}"}
    assert admin.get(PATH).json() == before


@pytest.mark.parametrize("key", ["min_app_version", "privacy_url", "support_contact"])
def test_texts_are_trimmed(key):
    value = {key: values[1] for key, values in GOOD}[key]
    admin = ApiClient.admin()
    response = admin.put(PATH, {"settings": {key: f" \n{value}\t "}})
    assert {one["key"]: one["value"] for one in response.json()["items"]}[key] == value
    assert admin.get(PATH).json() == response.json()
