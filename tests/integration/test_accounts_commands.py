"""manage.py create_admin"""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from core.models import AuditEntry
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "eleven looms at dawn"


def create_admin(*args):
    call_command("create_admin", *args)
    return User.objects.get()


def test_an_approved_admin_is_made_without_a_prompt():
    user = create_admin("--no-input", "--username", "Asha", "--password", PASSWORD)
    assert (user.username, user.is_admin, user.state) == ("Asha", True, "approved")
    assert user.check_password(PASSWORD)
    assert AuditEntry.objects.get().action == "user.create"


def test_the_environment_can_say_who(monkeypatch):
    monkeypatch.setenv("ADMIN_USERNAME", "Asha")
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    assert create_admin("--no-input").check_password(PASSWORD)


def test_one_is_asked_for_what_is_missing(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "Asha")
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    assert create_admin().check_password(PASSWORD)


def test_doing_it_twice_changes_nothing_more(django_assert_num_queries):
    create_admin("--no-input", "--username", "Asha", "--password", PASSWORD)
    before = User.objects.values().get()
    create_admin("--no-input", "--username", "ASHA", "--password", PASSWORD)
    assert User.objects.values().get() == before
    assert AuditEntry.objects.count() == 1


def test_a_name_that_may_be_confused_with_another_is_refused():
    UserFactory(username="Asha")
    with pytest.raises(CommandError, match="taken"):
        create_admin("--no-input", "--username", "Аsha", "--password", PASSWORD)


def test_a_user_that_is_there_becomes_an_admin():
    UserFactory(username="Asha", rejected=True)
    user = create_admin("--no-input", "--username", "asha", "--password", PASSWORD)
    assert user.is_admin
    assert user.state == "approved"
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--username", "Asha"], "--password"),
        (["--password", PASSWORD], "--username"),
        (["--username", "a b", "--password", PASSWORD], "username"),
        (["--username", "Asha", "--password", "password"], "too common"),
    ],
)
def test_what_is_missing_or_bad_is_named(args, told):
    with pytest.raises(CommandError, match=told):
        call_command("create_admin", "--no-input", *args)
    assert not User.objects.exists()
