"""start_demo: what `make run` serves, and the sign-in that it prints."""

import io
import json
import re
import stat

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from demo.management.commands.start_demo import new_credentials
from designs.models import Design
from tests.api.client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def start(settings, tmp_path):
    """Start the demo in a folder of its own and return what it prints."""
    settings.DATA = tmp_path

    def start():
        out = io.StringIO()
        call_command("start_demo", port=8123, designs=1, stdout=out)
        return out.getvalue()

    return start


def printed_sign_in(output):
    """The username and password on the line "Sign in as … with …"."""
    (line,) = (line for line in output.splitlines() if "Sign in as" in line)
    _, _, _, username, _, password, *_ = line.split()
    return {"username": username, "password": password}


def signs_in(credentials):
    return ApiClient().post("/api/auth/login", credentials).status_code == 200


def test_the_first_start_draws_the_gallery_and_prints_a_sign_in_that_works(start, tmp_path):
    output = start()
    assert "http://127.0.0.1:8123/admin/" in output
    assert Design.objects.count() == 1
    file = tmp_path / "demo-admin.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == printed_sign_in(output)
    assert signs_in(printed_sign_in(output))
    assert User.objects.get(username="demo-admin").is_admin


def test_its_password_is_of_words_and_no_command_takes_it_for_an_option():
    passwords = {new_credentials()["password"] for _ in range(200)}
    assert len(passwords) == 200
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+){5}", password) for password in passwords)


def test_a_later_start_prints_the_same_and_changes_nothing(start):
    first = start()
    Design.objects.all().delete()
    users = list(User.objects.order_by("pk").values())
    assert start() == first
    assert not Design.objects.exists()
    assert list(User.objects.order_by("pk").values()) == users


def test_a_sign_in_that_was_deleted_is_replaced_by_another_that_works(start, tmp_path):
    first = printed_sign_in(start())
    (tmp_path / "demo-admin.json").unlink()
    second = printed_sign_in(start())
    assert second["password"] != first["password"]
    assert signs_in(second)
    assert not signs_in(first)


def test_a_first_start_that_was_interrupted_is_continued(start, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("demo.seeding.missing", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            start()
    assert signs_in(printed_sign_in(start()))
    assert Design.objects.count() == 1


def test_production_gets_no_demo(start, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="create_admin"):
        start()
    assert not User.objects.exists()
