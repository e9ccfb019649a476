"""The admin's queue of approvals: who is waiting, decisions about one or several users, undo."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import State, User
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:accounts_user_approvals")


def waiting(name, hours):
    user = UserFactory(username=name, pending=True)
    User.objects.filter(pk=user.pk).update(created_at=timezone.now() - datetime.timedelta(hours=hours))
    return user


@pytest.fixture
def boss():
    return UserFactory(username="asha", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def decide(staff, decision, *users, **more):
    return staff.post(QUEUE, {"decision": decision, "user": [user.pk for user in users], **more})


def state_of(user):
    return User.objects.get(pk=user.pk).state


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", "object_label", "actor_username"))


def test_those_who_wait_are_shown_longest_first_with_the_count(staff):
    for name, hours in (("meera", 2), ("farah", 30), ("noor", 5)):
        waiting(name, hours)
    UserFactory(username="settled")
    response = staff.get(QUEUE)
    assert [user.username for user, _ in response.context["rows"]] == ["farah", "noor", "meera"]
    assert response.context["count"] == 3
    assert "settled" not in response.content.decode()


def test_approving_leads_to_the_next_and_leaves_an_audit_line(staff):
    first, second = waiting("farah", 3), waiting("noor", 2)
    response = decide(staff, "approve", first, next=second.pk)
    assert response.url == f"{QUEUE}?decision=approve&user={first.pk}#user-{second.pk}"
    assert state_of(first) == State.APPROVED
    assert actions() == [("user.approve", "farah", "asha")]
    assert "<strong>Approved:</strong> farah" in staff.get(response.url).content.decode()


def test_rejecting_keeps_the_reason_offers_it_again_and_ends_what_is_live(staff, boss):
    api = ApiClient.approved()
    User.objects.filter(pk=api.user.pk).update(is_approved=False, reviewed_at=None)
    waiting("noor", 1)
    decide(staff, "reject", api.user, reason="  Not a buyer. ")
    assert User.objects.get(pk=api.user.pk).rejection_reason == "Not a buyer."
    assert api.get("/api/auth/me").status_code == 401
    assert 'data-remembered="Not a buyer."' in staff.get(QUEUE).content.decode()


def test_several_are_decided_on_at_once_or_none(staff, boss):
    users = [waiting("farah", 3), waiting("noor", 2)]
    decide(staff, "reject", *users, boss, reason="Spam.")
    assert {state_of(user) for user in users} == {State.PENDING}
    assert actions() == []
    decide(staff, "reject", *users, reason="Spam.")
    assert {state_of(user) for user in users} == {State.REJECTED}
    assert len(actions()) == 2


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_can_be_taken_back(staff, decision):
    user = waiting("farah", 3)
    decide(staff, decision, user, reason="Spam.")
    decide(staff, "undo", user)
    found = User.objects.get(pk=user.pk)
    assert (found.state, found.rejection_reason, found.reviewed_by) == (State.PENDING, "", None)
    assert [action for action, *_ in actions()] == [f"user.{decision}", "user.reopen"]


def test_what_is_no_decision_changes_nothing(staff):
    user = waiting("farah", 3)
    for sent in ({"decision": "approve"}, {"decision": "delete", "user": user.pk}, {"user": "9" * 30}):
        assert staff.post(QUEUE, sent).url == QUEUE
    assert decide(staff, "approve", User(pk=10**12)).url == QUEUE
    assert state_of(user) == State.PENDING


def test_an_editor_has_no_queue(staff):
    user = waiting("farah", 3)
    client = Client()
    client.force_login(UserFactory(editor=True))
    assert client.get(QUEUE).status_code == 403
    assert decide(client, "approve", user).status_code == 403
    assert "Approvals" not in client.get(reverse("admin:index")).content.decode()
    assert state_of(user) == State.PENDING


class TestAStaleQueue:
    @pytest.fixture
    def meera(self):
        return UserFactory(username="meera", admin=True)

    def ask(self, staff, decision, *users, **more):
        """As the page's script does."""
        sent = {"decision": decision, "user": [user.pk for user in users], **more}
        return staff.post(QUEUE, sent, headers={"Accept": "application/json"})

    def test_asks_before_it_rejects_whom_a_colleague_approved(self, staff, meera):
        user = waiting("farah", 3)
        services.user_approve(meera, user.pk)
        response = decide(staff, "reject", user, reason="Spam.")
        assert "meera approved farah on" in response.content.decode()
        assert state_of(user) == State.APPROVED
        decide(staff, "reject", user, reason="Spam.", seen=f"{user.pk}:approved")
        assert User.objects.get(pk=user.pk).rejection_reason == "Spam."

    def test_asks_the_script_too(self, staff, meera):
        user = waiting("farah", 3)
        services.user_approve(meera, user.pk)
        answer = self.ask(staff, "reject", user, reason="Spam.")
        told = answer.json()
        assert (answer.status_code, told["user"], told["state"]) == (409, user.pk, "approved")
        assert told["can_insist"] is True
        assert told["message"].startswith("meera approved farah on ")
        assert told["message"].endswith(" IST.")
        assert self.ask(staff, "reject", user, seen=f"{user.pk}:approved").status_code == 200
        assert state_of(user) == State.REJECTED

    def test_asks_before_it_gives_another_reason(self, staff, meera):
        user = waiting("farah", 3)
        services.user_reject(meera, user.pk, "Not a buyer.")
        assert "The reason: Not a buyer." in self.ask(staff, "reject", user, reason="Spam.").json()["message"]
        assert User.objects.get(pk=user.pk).rejection_reason == "Not a buyer."

    def test_says_who_approved_before_and_leaves_that_decision_to_them(self, staff, meera):
        user = waiting("farah", 3)
        services.user_approve(meera, user.pk)
        told = self.ask(staff, "approve", user).json()
        assert (told["decided_at"], told["label"]) == ("", "Approved")
        assert told["note"].startswith("meera approved farah on ")
        assert self.ask(staff, "undo", user).status_code == 409
        assert state_of(user) == State.APPROVED

    def test_of_several_asks_about_the_one_and_decides_about_none(self, staff, meera):
        first, second = waiting("farah", 3), waiting("noor", 2)
        services.user_approve(meera, second.pk)
        answer = self.ask(staff, "reject", first, second)
        assert (answer.status_code, answer.json()["user"]) == (409, second.pk)
        assert (state_of(first), state_of(second)) == (State.PENDING, State.APPROVED)


class TestUndo:
    def decisions(self, staff):
        """[(label, names, time)] of the page."""
        return [
            (each.label, [user.username for user in each.users], each.decided_at)
            for each in staff.get(QUEUE).context["decisions"]
        ]

    def test_leads_back_to_the_person(self, staff):
        first = waiting("farah", 3)
        waiting("noor", 2)
        decide(staff, "approve", first)
        response = decide(staff, "undo", first, decided_at=self.decisions(staff)[0][2].isoformat())
        assert response.url.endswith(f"#user-{first.pk}")
        assert staff.get(response.url).context["current"] == first.pk

    def test_shows_the_person_however_far_behind_they_are(self, staff, monkeypatch):
        monkeypatch.setattr("console.accounts.approvals.QUEUE_LENGTH", 2)
        *_, last = [waiting(name, hours) for name, hours in (("a.a", 9), ("b.b", 8), ("c.c", 7))]
        page = staff.get(decide(staff, "approve", last).url)
        assert [user.username for user, _ in page.context["rows"]] == ["a.a", "b.b"]
        page = staff.get(decide(staff, "undo", last).url)
        assert [user.username for user, _ in page.context["rows"]] == ["a.a", "b.b", "c.c"]
        assert page.context["current"] == last.pk

    def test_is_offered_for_the_last_twenty_decisions_after_a_reload_too(self, staff):
        users = [waiting(f"user{number:02}", 100 - number) for number in range(23)]
        for user in users[:20]:
            decide(staff, "approve", user)
        decide(staff, "reject", *users[20:], reason="Spam.")
        found = self.decisions(staff)
        assert len(found) == 20
        assert found[0][:2] == ("Rejected", ["user20", "user21", "user22"])
        assert found[1][:2] == ("Approved", ["user19"])
        assert found[-1][:2] == ("Approved", ["user01"])
        for _, names, decided_at in found:
            ids = [user for user in users if user.username in names]
            decide(staff, "undo", *ids, decided_at=decided_at.isoformat())
        assert {state_of(user) for user in users[1:]} == {State.PENDING}
        assert state_of(users[0]) == State.APPROVED

    def test_is_of_ones_own_decisions_alone(self, staff):
        user, meera = waiting("farah", 3), UserFactory(username="meera", admin=True)
        services.user_approve(meera, user.pk)
        assert self.decisions(staff) == []
        decide(staff, "undo", user)
        assert state_of(user) == State.APPROVED

    def test_does_not_take_back_what_a_colleague_decided_since(self, staff):
        user, meera = waiting("farah", 3), UserFactory(username="meera", admin=True)
        decide(staff, "approve", user)
        ((_, _, decided_at),) = self.decisions(staff)
        services.user_reject(meera, user.pk, "Left the firm.")
        response = decide(staff, "undo", user, decided_at=decided_at.isoformat())
        assert "meera rejected farah" in staff.get(response.url).content.decode()
        assert state_of(user) == State.REJECTED
        assert self.decisions(staff) == []

    def test_is_of_the_decision_that_the_page_showed(self, staff):
        user = waiting("farah", 3)
        decide(staff, "approve", user)
        ((_, _, decided_at),) = self.decisions(staff)
        decide(staff, "undo", user)
        decide(staff, "reject", user)
        decide(staff, "undo", user, decided_at=decided_at.isoformat())
        assert state_of(user) == State.REJECTED

    def test_is_not_offered_for_whom_staff_created_or_whom_they_decided_about_long_ago(self, staff, boss):
        services.user_create(boss, "made.here", "six yards of silk", is_admin=False, is_editor=False)
        user = waiting("farah", 3)
        decide(staff, "approve", user)
        long_ago = timezone.now() - datetime.timedelta(days=31)
        User.objects.filter(pk=user.pk).update(reviewed_at=long_ago, created_at=long_ago)
        assert self.decisions(staff) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_is_asked():
    clients = []
    for name in ("asha", "meera"):
        clients.append(Client(raise_request_exception=False))
        clients[-1].force_login(UserFactory(username=name, admin=True))
    for number in range(4):
        user = waiting(f"farah{number}", 3)
        sent = {"user": user.pk, "reason": "Spam."}
        answers = at_once(
            *(
                lambda client=client, decision=decision: client.post(
                    QUEUE,
                    {**sent, "decision": decision},  # noqa: B023
                    headers={"Accept": "application/json"},
                )
                for client, decision in zip(clients, ("approve", "reject"), strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        lines = AuditEntry.objects.filter(object_id=str(user.pk))
        assert lines.count() == 1
