"""The admin's queue of approvals: who is waiting, decisions about one or several users, undo."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import State, User
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory

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
