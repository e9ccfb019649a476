"""The admin's pages of settings and of the audit trail, and that each change leaves a line there."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from gallery_project import app_settings, audit
from gallery_project.models import AuditEntry
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

SETTINGS = reverse("admin:gallery_project_appsetting_changelist")
TRAIL = reverse("admin:gallery_project_auditentry_changelist")


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def test_every_known_setting_is_on_the_page_with_its_description(staff):
    page = staff.get(SETTINGS).content.decode()
    for key, known in app_settings.KNOWN.items():
        assert f'name="{key}"' in page
        assert known.description in page


def test_settings_are_changed_and_each_change_is_audited(staff, boss):
    form = {"public_catalogue": "on", "registration_open": "on", "support_contact": "help@example.org"}
    assert staff.post(SETTINGS, form).status_code == 302
    assert app_settings.get("public_catalogue") is True
    assert app_settings.get("registration_open") is True
    assert app_settings.get("support_contact") == "help@example.org"
    entries = AuditEntry.objects.order_by("object_label")
    assert [entry.object_label for entry in entries] == ["public_catalogue", "support_contact"]
    assert {entry.actor_id for entry in entries} == {boss.pk}
    assert entries[0].changes == {"value": [False, True]}
    assert not LogEntry.objects.exists()


def test_a_setting_has_no_page_of_its_own(staff):
    app_settings.update(None, {"public_catalogue": True})
    assert staff.get(reverse("admin:gallery_project_appsetting_change", args=[1])).url == SETTINGS
    assert staff.get(reverse("admin:gallery_project_appsetting_add")).status_code == 403


def test_the_trail_is_read_searched_and_never_edited(staff, boss):
    entry = audit.record(boss, "user.update", boss, {"username": ("Asha", "<b>Mira</b>")})
    audit.record(None, "user.create", UserFactory(username="Nila"))
    page = staff.get(TRAIL, {"q": "Asha"}).content.decode()
    assert "username: Asha → &lt;b&gt;Mira&lt;/b&gt;" in page
    assert "Nila" not in page
    one = reverse("admin:gallery_project_auditentry_change", args=[entry.pk])
    assert staff.get(one).status_code == 200
    assert staff.post(one, {"action": "nothing"}).status_code == 403
    assert staff.post(one.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).action == "user.update"


def test_an_objects_history_is_its_part_of_the_trail(staff, boss):
    audit.record(boss, "user.update", boss, {"username": ("Uma", "Asha")})
    audit.record(boss, "user.create", UserFactory(username="Nila"))
    response = staff.get(reverse("admin:accounts_user_history", args=[boss.pk]), follow=True)
    page = response.content.decode()
    assert "username: Uma → Asha" in page
    assert "Nila" not in page
