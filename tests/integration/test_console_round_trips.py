"""What the console's sessions cost on D1, and what a host does whose copy does not know of another host's change."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import EDITORS, SignIn
from core import replica
from core.sql import stored_time
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.integration.test_console_sessions import (
    COOKIE,
    INDEX,
    LOGIN,
    OWN,
    cookie_for,
    end_path,
    is_in,
    row_of,
    sign_in,
)
from tests.pages import fields_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
]

USERS = reverse("admin:accounts_user_changelist")


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


@pytest.fixture
def cost():
    """Call once the copy of this host is fresh: (response, round trips)."""

    def ask(call):
        ApiClient.approved().get("/api/auth/me")
        before = connection.round_trips
        response = call()
        return response, connection.round_trips - before

    return ask


def elsewhere(sql, *params):
    """Change the database behind this host's back."""
    session = connection.connection.session
    session.api.batch(session.database, [(sql, [str(param) for param in params])])


def begun_elsewhere(user, ago):
    """A client whose session another host stored, `ago` seconds ago by its cookie."""
    now = timezone.now()
    elsewhere(
        "INSERT INTO sign_ins (id, user_id, kind, refresh_id, user_agent, network, created_at, last_used_at, "
        "expires_at) VALUES (777000, CAST(? AS INTEGER), 'console', '', '', '', ?, ?, ?)",
        user.pk, stored_time(now), stored_time(now), stored_time(now + timedelta(hours=1)),
    )  # fmt: skip
    client = Client()
    client.cookies[COOKIE] = cookie_for(user, 777000, time.time() - ago)
    return client


class TestAStranger:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_with_any_cookie_asks_nothing_of_d1(self, boss, cost, method):
        ended, expired = sign_in(boss), sign_in(boss)
        expired.cookies[COOKIE] = cookie_for(boss, row_of(expired).pk, time.time() - 12 * 60 * 60)
        ended.cookies[COOKIE] = cookie_for(boss, row_of(ended).pk, time.time() - 11)
        SignIn.objects.filter(pk=row_of(ended).pk).update(ended_at=timezone.now())
        good = sign_in(boss).cookies[COOKIE].value
        cookies = ["", "x" * 32, good[:-1] + ("A" if good[-1] == "B" else "B"), ApiClient(boss).token]
        strangers = [ended, expired]
        for cookie in cookies:
            strangers.append(Client())
            strangers[-1].cookies[COOKIE] = cookie
        for stranger in strangers:
            for path in (INDEX, OWN, USERS):
                answer, trips = cost(lambda: getattr(stranger, method)(path))  # noqa: B023
                assert (answer.status_code, trips) == (302, 0), stranger.cookies[COOKIE].value

    def test_sees_the_page_to_sign_in_for_nothing(self, cost):
        answer, trips = cost(lambda: Client().get(LOGIN))
        assert (answer.status_code, trips) == (200, 0)


class TestStaff:
    def test_read_a_page_for_nothing(self, boss, cost):
        client = sign_in(boss)
        answer, trips = cost(lambda: client.get(OWN))
        assert (answer.status_code, trips) == (200, 0)

    def test_who_are_editors_read_a_page_for_nothing(self, cost):
        client = sign_in(UserFactory(editor=True))
        answer, trips = cost(lambda: client.get(OWN))
        assert (answer.status_code, trips) == (200, 0)
        answer, trips = cost(lambda: client.get(USERS))
        assert (answer.status_code, trips) == (403, 0)

    def test_read_the_queue_with_what_no_copy_holds(self, boss, cost):
        client = sign_in(boss)
        UserFactory(pending=True, full_name="Meera Devi")
        answer, trips = cost(lambda: client.get(reverse("admin:accounts_user_approvals")))
        assert (answer.status_code, trips) == (200, 1)
        assert "Meera Devi" in answer.content.decode()

    def test_read_a_design_and_the_trash_for_nothing_and_versions_for_one(self, boss, cost):
        client, design = sign_in(boss), DesignFactory()
        for name, arguments, expected in (
            ("change", [design.pk], 0),
            ("show_trash", [], 0),
            ("pictures", [], 0),
            ("delete", [design.pk], 0),
            ("timeline", [design.pk], 1),
        ):
            path = reverse(f"admin:designs_design_{name}", args=arguments)
            answer, trips = cost(lambda: client.get(path))  # noqa: B023
            assert (answer.status_code, trips) == (200, expected), name

    def test_make_a_reset_code_with_two_reads_and_one_write(self, boss, cost):
        client, path = sign_in(boss), reverse("admin:accounts_user_reset_code", args=[UserFactory().pk])
        answer, trips = cost(lambda: client.post(path))
        assert (answer.status_code, trips) == (200, 3)

    def test_sign_in_with_one_read_and_one_write(self, boss, cost):
        client = Client()
        _client, trips = cost(lambda: sign_in(boss, client))
        assert trips == 2
        assert is_in(client)

    def test_confirm_who_they_are_once_for_a_change(self, boss, cost):
        here, there = sign_in(boss), sign_in(boss)
        answer, trips = cost(lambda: here.post(end_path(row_of(there))))
        assert (answer.status_code, trips) == (302, 2)
        assert not is_in(there)


class TestAnOldCopy:
    def test_lets_nobody_change_anything_whose_session_has_ended(self, boss, cost):
        client, other = sign_in(boss), sign_in(boss)
        cost(lambda: None)
        elsewhere("UPDATE sign_ins SET ended_at = ? WHERE id = CAST(? AS INTEGER)",
                  stored_time(timezone.now()), row_of(client).pk)  # fmt: skip
        answer = client.post(end_path(row_of(other)))
        assert (answer.status_code, answer.url.split("?")[0]) == (302, LOGIN)
        assert is_in(other)

    @pytest.mark.parametrize("column", ["is_admin", "is_approved"])
    def test_lets_nobody_change_anything_who_is_no_staff_any_more(self, boss, cost, column):
        user = UserFactory(admin=True)
        client, other = sign_in(user), sign_in(user)
        cost(lambda: None)
        elsewhere(f"UPDATE users SET {column} = 0 WHERE id = CAST(? AS INTEGER)", user.pk)
        client.post(end_path(row_of(other)))
        assert row_of(other).ended_at is None

    def test_knows_a_session_that_has_just_begun(self, boss, cost):
        cost(lambda: None)
        client = begun_elsewhere(boss, ago=0)
        before = connection.round_trips
        assert is_in(client)
        assert connection.round_trips - before == 1

    def test_decides_ten_seconds_later(self, boss, cost):
        cost(lambda: None)
        client = begun_elsewhere(boss, ago=11)
        before = connection.round_trips
        assert not is_in(client)
        assert connection.round_trips == before

    def test_knows_the_rights_of_an_editor(self, cost):
        editor = UserFactory(editor=True)
        client = sign_in(editor)
        assert replica.alias_for("users_groups", "auth_permission") == replica.REPLICA
        assert client.get(reverse("admin:designs_design_changelist")).status_code == 200
        assert EDITORS in [group.name for group in editor.groups.all()]


class TestAChange:
    """One write, and reads: who sends it, and what is stored, which Django's forms ask for piece by piece."""

    def saved(self, client, row, **changed):
        path = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        sent = {**fields_of(client.get(path), f"{row._meta.model_name}_form"), **changed}
        return lambda: client.post(path, sent)

    def test_of_a_design(self, boss, cost):
        client, design = sign_in(boss), DesignFactory()
        answer, trips = cost(self.saved(client, design, title="Patola"))
        assert (answer.status_code, trips) == (302, 5)

    def test_of_a_person(self, boss, cost):
        client, person = sign_in(boss), UserFactory()
        answer, trips = cost(self.saved(client, person, full_name="Noor Jahan"))
        assert (answer.status_code, trips) == (302, 7)

    def test_of_a_setting(self, boss, cost):
        client = sign_in(boss)
        path = reverse("admin:core_appsetting_changelist")
        sent = {**fields_of(client.get(path)), "support_contact": "call us"}
        answer, trips = cost(lambda: client.post(path, sent))
        assert answer.status_code == 302
        assert trips <= 3  # one less where the catalogue of the schema is known

    def test_in_a_list(self, boss, cost):
        client, design = sign_in(boss), DesignFactory()
        path = reverse("admin:designs_design_set", args=[design.pk])
        answer, trips = cost(lambda: client.post(path, {"status": "draft", "was-status": "published"}))
        assert (answer.status_code, trips) == (200, 2)

    @pytest.mark.parametrize("decision", ["approve", "reject", "undo"])
    def test_in_the_queue(self, boss, cost, decision):
        client, user = sign_in(boss), UserFactory(pending=True)
        queue = reverse("admin:accounts_user_approvals")
        if decision == "undo":
            client.post(queue, {"decision": "approve", "user": user.pk})
        sent = {"decision": decision, "user": user.pk}
        answer, trips = cost(lambda: client.post(queue, sent, headers={"Accept": "application/json"}))
        assert (answer.status_code, trips) == (200, 2)
