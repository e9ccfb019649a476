"""Lists that were opened before a colleague changed their rows: actions and changes in place ask first."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as people
from accounts.models import User
from core.models import AuditEntry
from designs import services
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.pages import fields_of

pytestmark = pytest.mark.django_db(transaction=True)

DESIGNS = reverse("admin:designs_design_changelist")
PEOPLE = reverse("admin:accounts_user_changelist")


@pytest.fixture
def meera():
    return UserFactory(username="meera", admin=True)


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="asha", admin=True))
    return client


def shown_by(response):
    """What the rows of a list carry."""
    shown = fields_of(response).get("_shown", [])
    return [shown] if isinstance(shown, str) else shown


def act(staff, path, shown, action, *rows, **more):
    sent = {"action": action, "_selected_action": [row.pk for row in rows], "_shown": shown, **more}
    return staff.post(path, sent)


def answered(staff, path, response, **button):
    """Press a button of the page that asks."""
    sent = fields_of(response)
    return staff.post(path, {**sent, "_shown": shown_by(response), **button})


class TestAnActionOnDesigns:
    def test_does_not_publish_what_a_colleague_archived(self, staff, meera):
        mine, theirs = DesignFactory(status="draft"), DesignFactory(title="Patola", status="draft")
        shown = shown_by(staff.get(DESIGNS))
        services.design_update(meera, Design.objects.get(pk=theirs.pk), {"status": "archived"})
        response = act(staff, DESIGNS, shown, "publish", mine, theirs)
        page = response.content.decode()
        assert "Patola" in page
        assert "status: Archived (meera" in page
        assert set(Design.objects.values_list("status", flat=True)) == {"draft", "archived"}

        assert answered(staff, DESIGNS, response, _leave_out=str(theirs.pk)).status_code == 302
        assert [Design.objects.get(pk=row.pk).status for row in (mine, theirs)] == ["published", "archived"]

    def test_is_done_all_the_same_if_its_reader_says_so(self, staff, meera):
        design = DesignFactory(status="draft")
        shown = shown_by(staff.get(DESIGNS))
        services.design_update(meera, Design.objects.get(), {"status": "archived"})
        response = act(staff, DESIGNS, shown, "publish", design)
        assert answered(staff, DESIGNS, response).status_code == 302
        assert Design.objects.get().status == "published"

    def test_asks_anew_if_it_changes_again(self, staff, meera):
        design = DesignFactory(status="draft")
        shown = shown_by(staff.get(DESIGNS))
        services.design_update(meera, Design.objects.get(), {"status": "archived"})
        response = act(staff, DESIGNS, shown, "publish", design)
        services.design_update(meera, Design.objects.get(), {"status": "draft"})
        assert "status: Draft (meera" in answered(staff, DESIGNS, response).content.decode()
        assert Design.objects.get().status == "draft"

    @pytest.mark.parametrize("fields", [{"title": "Patola"}, {"featured": True}, {"status": "published"}])
    def test_does_not_ask_about_what_it_does_not_undo(self, staff, meera, fields):
        design = DesignFactory(status="draft")
        shown = shown_by(staff.get(DESIGNS))
        services.design_update(meera, Design.objects.get(), fields)
        assert act(staff, DESIGNS, shown, "publish", design).status_code == 302
        assert Design.objects.get().status == "published"

    @pytest.mark.parametrize("odd", ["", "1", "[1]", '[1, "x"]', '{"a": 1}', "[[], {}]", "[1, null]"])
    def test_takes_a_row_that_carries_nonsense_as_one_that_carries_nothing(self, staff, odd):
        design = DesignFactory(status="draft")
        assert act(staff, DESIGNS, [odd], "publish", design).status_code == 302
        assert Design.objects.get().status == "published"


class TestAFieldInPlace:
    def put(self, staff, design, **fields):
        return staff.post(reverse("admin:designs_design_set", args=[design.pk]), fields)

    def test_is_not_stored_over_what_a_colleague_made_of_it(self, staff, meera):
        design = DesignFactory(status="draft")
        services.design_update(meera, Design.objects.get(), {"status": "archived"})
        answer = self.put(staff, design, status="published", **{"was-status": "draft"})
        assert answer.status_code == 409
        told = answer.json()
        assert told["message"].startswith("meera changed this on ")
        assert "The status is now: Archived." in told["message"]
        assert told["now"]["status"] == Design.objects.get().status == "archived"

        again = self.put(staff, design, status="published", **{"was-status": "archived"})
        assert (again.status_code, Design.objects.get().status) == (200, "published")

    def test_is_stored_beside_what_a_colleague_made_of_another(self, staff, meera):
        design = DesignFactory(status="draft")
        services.design_update(meera, Design.objects.get(), {"featured": True, "title": "Patola"})
        assert self.put(staff, design, status="archived", **{"was-status": "draft"}).status_code == 200
        found = Design.objects.get()
        assert (found.status, found.featured, found.title) == ("archived", True, "Patola")

    def test_that_a_colleague_made_the_same_is_no_question(self, staff, meera):
        design = DesignFactory()
        services.design_update(meera, Design.objects.get(), {"featured": True})
        assert self.put(staff, design, featured="true", **{"was-featured": "false"}).status_code == 200


class TestADecision:
    def path(self, user, verb, seen):
        return reverse(f"admin:accounts_user_{verb}", args=[user.pk]) + f"?seen={seen}"

    def test_of_a_stale_list_says_what_a_colleague_decided_and_asks(self, staff, meera):
        user = UserFactory(username="noor", pending=True)
        path = self.path(user, "approve", "pending")
        assert path.replace("&", "&amp;") in staff.get(PEOPLE).content.decode()
        people.user_reject(meera, user.pk, "Spam")
        response = staff.post(path)
        page = response.content.decode()
        assert "meera rejected noor on" in page
        assert "The reason: Spam" in page
        user.refresh_from_db()
        assert user.state == "rejected"
        assert staff.post(path, fields_of(response)).status_code == 302
        user.refresh_from_db()
        assert user.state == "approved"

    def test_to_reject_asks_too_whether_the_page_was_open_or_opens_late(self, staff, meera):
        user = UserFactory(username="noor", pending=True)
        path = self.path(user, "reject", "pending")
        early = fields_of(staff.get(path))
        people.user_approve(meera, user.pk)
        late = fields_of(staff.get(path))
        for sent in (early, late):
            response = staff.post(path, {**sent, "reason": "Spam"})
            assert "meera approved noor on" in response.content.decode()
        user.refresh_from_db()
        assert user.state == "approved"
        assert staff.post(path, fields_of(response)).status_code == 302
        user.refresh_from_db()
        assert (user.state, user.rejection_reason) == ("rejected", "Spam")

    def test_for_many_asks_too(self, staff, meera):
        mine, theirs = UserFactory(pending=True), UserFactory(username="noor", pending=True)
        shown = shown_by(staff.get(PEOPLE))
        people.user_approve(meera, theirs.pk)
        response = act(staff, PEOPLE, shown, "reject_selected", mine, theirs, reason="Spam")
        assert "noor" in response.content.decode()
        assert set(User.objects.filter(pk__in=[mine.pk, theirs.pk]).values_list("is_approved")) == {
            (True,),
            (False,),
        }
        assert AuditEntry.objects.count() == 1
        answer = staff.post(
            PEOPLE,
            {
                **fields_of(response),
                "_shown": shown_by(response),
                "_selected_action": [mine.pk, theirs.pk],
                "_leave_out": str(theirs.pk),
            },
        )
        assert answer.status_code == 302
        assert [User.objects.get(pk=row.pk).state for row in (mine, theirs)] == ["rejected", "approved"]


class TestTheListOfPeople:
    def test_says_who_is_admin_or_editor_and_of_the_others_nothing(self, staff):
        UserFactory(username="esha", editor=True)
        UserFactory(username="noor")
        page = staff.get(PEOPLE).content.decode()
        assert page.count("Editor\n") + page.count(">Editor<") >= 1
        assert "False" not in page.split("result_list")[1]

    @pytest.mark.parametrize(
        ("role", "names"),
        [
            ("staff", {"asha", "esha"}),
            ("admin", {"asha"}),
            ("editor", {"esha"}),
            ("none", {"noor"}),
        ],
    )
    def test_is_filtered_by_role(self, staff, role, names):
        UserFactory(username="esha", editor=True)
        UserFactory(username="noor")
        response = staff.get(PEOPLE, {"role": role})
        assert {user.username for user in response.context["cl"].result_list} == names
