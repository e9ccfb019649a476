"""The admin's pages of the audit trail: read, searched, filtered, exported, and never edited."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import EDITORS
from console.core import audit_format
from core import app_settings, audit, spreadsheets
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

TRAIL = reverse("admin:core_auditentry_changelist")
EXPORT = f"{TRAIL}export/"


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


@pytest.fixture
def staff(boss):
    return signed_in(boss)


@pytest.fixture
def editor():
    user = UserFactory(username="Esha")
    user.groups.add(Group.objects.get(name=EDITORS))
    return signed_in(user)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def entry_on(day, label):
    """A line of that day, as AuditEntry's own clock would have written it."""
    entry = AuditEntry(action="user.update", object_type="user", object_id="1", object_label=label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: datetime(2026, 3, day, 18, 29, tzinfo=UTC))
        entry.save()
    return entry


def exported(client, **filters):
    response = client.get(EXPORT, filters)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestTheList:
    def test_says_what_changed_from_what_to_what(self, staff, boss):
        audit.record(boss, "user.update", boss, {"username": ("Asha", "<b>Mira</b>")})
        page = staff.get(TRAIL).content.decode()
        assert "<del>Asha</del>" in page
        assert "<ins>&lt;b&gt;Mira&lt;/b&gt;</ins>" in page

    @pytest.mark.parametrize(
        "words", ["meera", "Meera cotton", "SILK", "कांजीवरम", "design.update", "%", "'", "कांजीवरम " * 5]
    )
    def test_is_searched_by_names_actions_and_values(self, staff, boss, words):
        changes = {"description": ("cotton %", "Silk, कांजीवरम '")}
        audit.record(UserFactory(username="Meera"), "design.update", DesignFactory(title="Ikat"), changes)
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        page = staff.get(TRAIL, {"q": words}).content.decode()
        assert "Ikat" in page
        assert "Nila" not in page

    def test_is_filtered_by_actor_action_and_object(self, staff, boss):
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        audit.record(UserFactory(username="Uma"), "design.create", DesignFactory(title="Ikat"))
        for wanted in ({"actor_username": "Uma"}, {"action": "design.create"}, {"object_type": "design"}):
            page = staff.get(TRAIL, wanted).content.decode()
            assert "Ikat" in page
            assert "Nila" not in page

    def test_tells_what_the_system_did_from_what_people_did(self, staff, boss):
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        audit.record(None, "user.create", UserFactory(username="Uma"))
        page = staff.get(TRAIL, {"actor_username": ""}).content.decode()
        assert ("Nila" in page, "Uma" in page, "the system" in page) == (False, True, True)

    def test_is_filtered_by_days_both_included(self, staff):
        for day in (1, 2, 3, 4):
            entry_on(day, f"day-{day}")
        page = staff.get(TRAIL, {"created_at_from": "2026-03-02", "created_at_to": "2026-03-03"})
        found = [label in page.content.decode() for label in ("day-1", "day-2", "day-3", "day-4")]
        assert found == [False, True, True, False]

    @pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "9999-12-31"])
    def test_survives_any_day(self, staff, day):
        entry_on(1, "day-1")
        assert staff.get(TRAIL, {"created_at_to": day}).status_code == 200

    def test_leads_to_the_object_while_it_is_there(self, staff, boss):
        design = DesignFactory(title="Ikat")
        audit.record(boss, "design.update", design)
        page = reverse("admin:designs_design_change", args=[design.pk])
        assert page in staff.get(TRAIL).content.decode()
        audit.record(boss, "design.delete", design)
        assert staff.get(TRAIL, {"action": "design.delete"}).content.decode().count(page) == 0


class TestALine:
    def test_is_never_edited_by_anybody(self, staff, boss):
        audit.record(boss, "user.update", boss, {"username": ("Uma", "Asha")})
        entry = AuditEntry.objects.get()
        one = reverse("admin:core_auditentry_change", args=[entry.pk])
        assert staff.get(one).status_code == 200
        assert staff.post(one, {"action": "nothing"}).status_code == 403
        assert staff.post(one.replace("change", "delete"), {"post": "yes"}).status_code == 403
        assert AuditEntry.objects.get(pk=entry.pk).action == "user.update"

    def test_is_never_edited_by_code_either(self, boss):
        audit.record(boss, "user.update", boss)
        entry = AuditEntry.objects.get()
        with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
            AuditEntry.objects.filter(pk=entry.pk).update(action="nothing")
        assert AuditEntry.objects.get(pk=entry.pk).action == "user.update"


class TestAnObjectsHistory:
    def test_has_its_own_lines_from_the_admin_and_the_api_alike(self, boss):
        design, app = DesignFactory(title="Ikat"), ApiClient.admin()
        assert app.put(f"/api/designs/{design.pk}", {"title": "Patola"}).status_code == 200
        staff = signed_in(boss)
        staff.post(
            reverse("admin:designs_design_changelist"),
            {"action": "archive", "_selected_action": [design.pk]},
        )
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        page = staff.get(reverse("admin:designs_design_history", args=[design.pk])).content.decode()
        for part in ("<del>Ikat</del>", "<ins>Patola</ins>", "<ins>archived</ins>", app.user.username):
            assert part in page
        assert "Nila" not in page

    def test_is_linked_from_every_page_of_an_object(self, staff, boss):
        for kind, target in {"designs_design": DesignFactory(), "accounts_user": boss}.items():
            history = reverse(f"admin:{kind}_history", args=[target.pk])
            assert history in staff.get(history.replace("history", "change")).content.decode()

    def test_of_the_settings_is_linked_from_their_page(self, staff, boss):
        app_settings.settings_update(boss, {"support_contact": "help@example.org"})
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        page = staff.get(reverse("admin:core_appsetting_changelist")).content.decode()
        history = f"{TRAIL}?object_type=appsetting"
        assert f'href="{history}"' in page
        trail = staff.get(history).content.decode()
        assert ("help@example.org" in trail, "Nila" in trail) == (True, False)

    def test_is_open_to_an_editor_for_what_is_his_to_edit_and_no_more(self, editor, boss):
        for kind, target in {"designs_design": DesignFactory(), "uploads_image": ImageFactory()}.items():
            assert editor.get(reverse(f"admin:{kind}_history", args=[target.pk])).status_code == 200
        assert editor.get(reverse("admin:accounts_user_history", args=[boss.pk])).status_code == 403

    def test_of_nothing_leads_away(self, staff):
        missing = reverse("admin:designs_design_history", args=[999])
        assert staff.get(missing).url == reverse("admin:index")

    def test_comes_in_pages(self, staff, boss):
        design = DesignFactory()
        for number in range(15):
            audit.record(boss, f"design.change_{number}", design)
        history = reverse("admin:designs_design_history", args=[design.pk])
        first, second = (staff.get(history, {"page": page}).content.decode() for page in (1, 2))
        assert ("design.change_14" in first, "design.change_4<" in first) == (True, False)
        assert ("design.change_14" in second, "design.change_4<" in second) == (False, True)


class TestTheExport:
    def test_has_a_row_for_each_field_that_changed_the_latest_line_first(self, staff, boss):
        user = UserFactory(username="Nila")
        audit.record(None, "user.create", user)
        audit.record(boss, "user.update", user, {"is_admin": (False, True), "username": ("=1+1", "Nila")})
        rows = exported(staff)
        assert [(row["actor"], row["action"], row["field"], row["old"], row["new"]) for row in rows] == [
            ("Asha", "user.update", "is_admin", "no", "yes"),
            ("Asha", "user.update", "username", "'=1+1", "Nila"),
            ("", "user.create", "", "", ""),
        ]
        assert rows[0]["object"] == "Nila"

    def test_is_narrowed_as_the_list_is(self, staff, boss):
        audit.record(boss, "user.create", UserFactory(username="Nila"))
        audit.record(boss, "design.create", DesignFactory(title="Ikat"))
        assert [row["object"] for row in exported(staff, action="design.create")] == ["Ikat"]
        assert [row["object"] for row in exported(staff, q="nila")] == ["Nila"]

    def test_reads_in_chunks_and_ends_at_its_bound_saying_so(self, staff, boss, monkeypatch):
        monkeypatch.setattr(spreadsheets, "CHUNK", 2)
        monkeypatch.setattr(audit_format, "MAX_ENTRIES", 5)
        for number in range(7):
            audit.record(boss, f"user.change_{number}", boss)
        rows = exported(staff)
        assert [row["action"] for row in rows[:5]] == [f"user.change_{number}" for number in (6, 5, 4, 3, 2)]
        assert [row["id"] for row in rows[5:]] == [audit_format.TRUNCATED]

    def test_is_not_for_editors(self, editor):
        assert editor.get(EXPORT).status_code == 403
        assert editor.get(TRAIL).status_code == 403


def test_nothing_that_staff_does_writes_djangos_own_log(staff, boss):
    design, image, user = DesignFactory(), ImageFactory(), UserFactory()
    designs = reverse("admin:designs_design_changelist")
    staff.post(designs, {"action": "publish", "_selected_action": [design.pk]})
    chosen = {"action": "delete_selected", "_selected_action": [design.pk], "post": "yes"}
    assert staff.post(designs, chosen).status_code == 302
    staff.post(reverse("admin:uploads_image_delete", args=[image.pk]), {"post": "yes"})
    staff.post(reverse("admin:accounts_user_approve", args=[user.pk]))
    staff.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"})
    assert AuditEntry.objects.count() == 3
    assert not LogEntry.objects.exists()
