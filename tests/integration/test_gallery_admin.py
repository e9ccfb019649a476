"""The admin's page of settings, and that each change leaves a line in the audit trail."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from core import app_settings
from core.models import AuditEntry
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

SETTINGS = reverse("admin:core_appsetting_changelist")


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
    app_settings.settings_update(None, {"public_catalogue": True})
    assert staff.get(reverse("admin:core_appsetting_change", args=[1])).url == SETTINGS
    assert staff.get(reverse("admin:core_appsetting_add")).status_code == 403
