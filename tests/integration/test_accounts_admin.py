"""The admin's pages of users: what staff see, decide and change, and who is staff."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import EDITORS, SignIn, User
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_user_changelist")
LOGIN = reverse("admin:login")


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def decide(client, user, verb, **form):
    return client.post(reverse(f"admin:accounts_user_{verb}", args=[user.pk]), form)


def state_of(user):
    return User.objects.get(pk=user.pk).state


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def management_of(page):
    """What the page's inlines send along."""
    return {
        field.html_name: field.value()
        for formset in page.context["inline_admin_formsets"]
        for field in formset.formset.management_form
    }


class TestTheList:
    def test_shows_who_waits_with_both_decisions(self, staff):
        user = UserFactory(username="Meera", pending=True)
        page = staff.get(LIST, {"state": "pending"}).content.decode()
        assert "Meera" in page
        assert reverse("admin:accounts_user_approve", args=[user.pk]) in page
        assert reverse("admin:accounts_user_reject", args=[user.pk]) in page

    @pytest.mark.parametrize("state", ["pending", "approved", "rejected"])
    def test_is_filtered_by_state(self, staff, state):
        names = {"pending": "waiting", "approved": "let_in", "rejected": "declined"}
        for trait, name in names.items():
            UserFactory(username=name, **({} if trait == "approved" else {trait: True}))
        page = staff.get(LIST, {"state": state}).content.decode()
        assert [name in page for name in names.values()] == [key == state for key in names]

    def test_is_searched_in_any_case_and_script(self, staff):
        for name in ("ÉTOILE", "देवी", "Meera"):
            UserFactory(username=name)
        page = staff.get(LIST, {"q": "étoi"}).content.decode()
        assert "ÉTOILE" in page
        assert "Meera" not in page

    def test_costs_the_same_few_queries_however_long_it_is(self, staff, boss, django_assert_max_num_queries):
        UserFactory.create_batch(20, reviewed_by=boss, pending=True)
        with django_assert_max_num_queries(12):
            staff.get(LIST)

    def test_shows_no_password_hash(self, staff, boss):
        for page in (LIST, page_of(boss)):
            assert boss.password not in staff.get(page).content.decode()


class TestADecision:
    def test_to_approve_is_one_post(self, staff, boss):
        user = UserFactory(pending=True)
        response = decide(staff, user, "approve")
        assert response.url == LIST
        assert state_of(user) == "approved"
        assert (AuditEntry.objects.get().action, AuditEntry.objects.get().actor_id) == (
            "user.approve",
            boss.pk,
        )

    def test_is_never_taken_by_a_get(self, staff):
        user = UserFactory(pending=True)
        for verb in ("approve", "reject"):
            staff.get(reverse(f"admin:accounts_user_{verb}", args=[user.pk]))
        assert state_of(user) == "pending"

    def test_is_never_taken_by_a_post_from_elsewhere(self, boss):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(boss)
        user = UserFactory(pending=True)
        assert decide(strict, user, "approve").status_code == 403
        assert state_of(user) == "pending"

    def test_to_reject_asks_for_a_reason_and_offers_those_of_before(self, staff):
        UserFactory(rejected=True, rejection_reason="Spam")
        page = staff.get(reverse("admin:accounts_user_reject", args=[UserFactory().pk])).content.decode()
        assert '<option value="Spam">' in page

    def test_to_reject_ends_the_live_sign_ins(self, staff):
        phone = ApiClient.approved()
        decide(staff, phone.user, "reject", reason="Left the firm")
        assert User.objects.get(pk=phone.user.pk).rejection_reason == "Left the firm"
        refused(phone.get("/api/auth/me"), 401, "token_revoked")

    def test_leads_back_to_where_it_was_taken_and_nowhere_else(self, staff):
        user = UserFactory(pending=True)
        path = reverse("admin:accounts_user_approve", args=[user.pk])
        queue = f"http://testserver{LIST}?state=pending"
        assert staff.post(path, headers={"Referer": queue}).url == queue
        assert staff.post(path, headers={"Referer": "https://evil.example/admin/accounts/user/"}).url == LIST
        assert staff.post(path, {"back": "//evil.example/"}).url == LIST

    def test_against_oneself_is_refused_in_words(self, staff, boss):
        UserFactory(admin=True)
        response = staff.post(
            reverse("admin:accounts_user_reject", args=[boss.pk]), {"reason": ""}, follow=True
        )
        assert messages_of(response) == ["You cannot do this to your own account."]
        assert state_of(boss) == "approved"

    @pytest.mark.parametrize("number", [999999, 10**30])
    def test_about_nobody_is_not_found(self, staff, number):
        path = reverse("admin:accounts_user_reject", args=[number])
        assert staff.get(path).status_code == 404
        assert messages_of(staff.post(path.replace("reject", "approve"), follow=True)) == [
            "There is no such user."
        ]

    def test_can_be_taken_for_many_at_once(self, staff):
        users = UserFactory.create_batch(3, pending=True)
        form = {"action": "approve_selected", "_selected_action": [user.pk for user in users]}
        staff.post(LIST, form)
        assert {state_of(user) for user in users} == {"approved"}
        form["action"] = "reject_selected"
        assert 'name="reason"' in staff.post(LIST, form).content.decode()
        assert {state_of(user) for user in users} == {"approved"}
        staff.post(LIST, {**form, "reason": "Spam"})
        assert set(
            User.objects.filter(pk__in=[user.pk for user in users]).values_list("rejection_reason")
        ) == {("Spam",)}
        assert AuditEntry.objects.count() == 6

    def test_for_many_holds_for_all_or_none(self, staff, boss):
        user = UserFactory()
        form = {"action": "reject_selected", "_selected_action": [user.pk, boss.pk], "reason": ""}
        assert "last approved admin" in messages_of(staff.post(LIST, form, follow=True))[0]
        assert state_of(user) == state_of(boss) == "approved"


class TestTheForm:
    def save(self, client, user, **form):
        form = {
            **management_of(client.get(page_of(user))),
            "username": user.username,
            "new_password": "",
            **form,
        }
        return client.post(page_of(user), form, follow=True)

    def test_changes_name_role_and_password_through_the_service(self, staff):
        phone = ApiClient.approved()
        self.save(staff, phone.user, username="Mira", is_admin="on", new_password="nine yards of silk")
        user = User.objects.get(pk=phone.user.pk)
        assert (user.username, user.username_key, user.is_admin) == ("Mira", "mira", True)
        assert user.check_password("nine yards of silk")
        refused(phone.get("/api/auth/me"), 401, "token_revoked")
        entry = AuditEntry.objects.get()
        assert entry.action == "user.update"
        assert "nine yards" not in str(entry.changes)

    def test_is_saved_though_a_sign_in_that_it_showed_is_over(self, staff):
        phone = ApiClient.approved()
        page = staff.get(page_of(phone.user))
        phone.post("/api/auth/logout")
        form = management_of(page) | {"username": "Mira", "new_password": ""}
        assert staff.post(page_of(phone.user), form).status_code == 302
        assert User.objects.get(pk=phone.user.pk).username == "Mira"

    def test_saved_as_it_was_changes_nothing(self, staff):
        user = UserFactory()
        before = User.objects.values().get(pk=user.pk)
        self.save(staff, user)
        assert User.objects.values().get(pk=user.pk) == before
        assert not AuditEntry.objects.exists()

    def test_names_what_is_wrong(self, staff):
        UserFactory(username="Meera")
        user = UserFactory()
        for form in ({"username": "MEERA"}, {"username": "a b"}, {"new_password": "password"}):
            assert self.save(staff, user, **form).context["errors"]
        assert User.objects.get(pk=user.pk).username == user.username

    def test_tells_what_the_service_refuses(self, staff, boss):
        assert messages_of(self.save(staff, boss)) == ["This is the last approved admin."]
        assert User.objects.get(pk=boss.pk).is_admin

    def test_makes_an_approved_user(self, staff, boss):
        form = {"username": "Nila", "new_password": PASSWORD, "is_editor": "on"}
        staff.post(reverse("admin:accounts_user_add"), form)
        user = User.objects.get(username="Nila")
        assert (user.state, user.is_admin, user.is_editor, user.is_staff) == ("approved", False, True, True)
        assert user.check_password(PASSWORD)
        assert AuditEntry.objects.get().action == "user.create"

    def test_makes_and_unmakes_an_editor(self, staff):
        user = UserFactory()
        self.save(staff, user, is_editor="on")
        assert user.is_editor
        self.save(staff, user)
        assert not user.is_editor
        changes = [entry.changes for entry in AuditEntry.objects.order_by("id")]
        assert changes == [{"is_editor": [False, True]}, {"is_editor": [True, False]}]

    def test_deletes_a_user_and_never_the_last_admin(self, staff, boss):
        user = UserFactory()
        for target in (user, boss):
            staff.post(reverse("admin:accounts_user_delete", args=[target.pk]), {"post": "yes"})
        assert list(User.objects.all()) == [boss]
        assert AuditEntry.objects.get().action == "user.delete"

    def test_says_what_was_decided_and_why(self, staff):
        page = staff.get(page_of(UserFactory(rejected=True))).content.decode()
        assert "Unknown to us" in page
        assert "State.REJECTED" not in page

    def test_lists_the_live_sign_ins_and_ends_one(self, staff):
        phone = ApiClient.approved()
        SignInFactory(user=phone.user, user_agent="Long gone", expires_at="2026-01-01T00:00:00Z")
        page = staff.get(page_of(phone.user)).content.decode()
        end = reverse("admin:accounts_user_end_sign_in", args=[phone.tokens.sign_in.pk])
        assert end in page
        assert "Long gone" not in page
        assert SignIn.objects.filter(user=phone.user, ended_at=None).count() == 2
        staff.get(end)
        assert phone.get("/api/auth/me").status_code == 200
        staff.post(end)
        refused(phone.get("/api/auth/me"), 401, "token_revoked")
        assert AuditEntry.objects.get().action == "user.end_sign_in"


class TestAccess:
    def sign_in(self, user, password=PASSWORD):
        client = Client()
        response = client.post(LOGIN, {"username": user.username, "password": password})
        return client, response

    def test_an_admin_signs_in_and_a_user_does_not(self, boss):
        client, response = self.sign_in(boss)
        assert response.status_code == 302
        assert client.get(LIST).status_code == 200
        client, response = self.sign_in(UserFactory())
        assert response.status_code == 200
        assert client.get(LIST).status_code == 302

    @pytest.mark.parametrize("trait", ["pending", "rejected"])
    def test_an_admin_who_is_not_approved_stays_outside(self, trait):
        client, response = self.sign_in(UserFactory(admin=True, **{trait: True}))
        assert response.status_code == 200
        assert client.get(LIST).status_code == 302

    @pytest.mark.parametrize("change", [{"is_approved": False}, {"is_admin": False}])
    def test_a_session_ends_with_its_ground(self, staff, boss, change):
        assert staff.get(LIST).status_code == 200
        User.objects.filter(pk=boss.pk).update(**change)
        assert staff.get(LIST).status_code == 302

    def test_an_editor_works_on_the_catalogue_and_sees_no_users(self):
        editor = UserFactory(pending=True)
        editor.groups.add(Group.objects.get(name=EDITORS))
        client = Client()
        User.objects.filter(pk=editor.pk).update(is_approved=True)
        client.force_login(editor)
        assert client.get(reverse("admin:index")).status_code == 200
        user = UserFactory(pending=True)
        for path in (LIST, page_of(user), reverse("admin:core_auditentry_changelist")):
            assert client.get(path).status_code == 403
        for verb in ("approve", "reject"):
            assert decide(client, user, verb).status_code == 403
        assert client.post(reverse("admin:accounts_user_end_sign_in", args=[1])).status_code == 403
        assert state_of(user) == "pending"
        permissions = User.objects.get(pk=editor.pk).get_all_permissions()
        assert "designs.change_design" in permissions
        assert {permission.split(".")[0] for permission in permissions} == {"designs", "uploads"}

    def test_too_many_tries_lock_here_and_in_the_app_alike(self, boss, settings):
        settings.SIGN_IN_FAILURES = (2, 60)
        for _ in range(2):
            self.sign_in(boss, "wrong password")
        client, response = self.sign_in(boss)
        assert "Too many attempts" in response.content.decode()
        assert client.get(LIST).status_code == 302
        body = {"username": boss.username, "password": PASSWORD}
        refused(ApiClient().post("/api/auth/login", body), 429, "too_many_attempts")
