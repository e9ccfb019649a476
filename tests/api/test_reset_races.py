"""Reset codes where calls meet: of guesses at one time no more than five count, and a code is used once."""

import pytest

from accounts.models import ResetCode, User
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.api.test_reset import NEW, WRONG, login, reset
from tests.factories.accounts import PASSWORD, UserFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def user():
    return UserFactory(username="Meera")


def new_code(admin, user):
    return admin.post(f"/api/admin/users/{user.pk}/reset-code").json()["code"]


def statuses(*answers):
    return sorted(answer.status_code for answer in answers)


def test_of_two_resets_by_one_code_one_sets_its_password(admin, user):
    for number in range(ROUNDS):
        code = new_code(admin, user)
        passwords = [f"first silk {number}", f"second silk {number}"]
        answers = at_once(*[lambda new=new: reset(code, new_password=new) for new in passwords])  # noqa: B023
        assert statuses(*answers) == [200, 401]
        stored = User.objects.get(pk=user.pk)
        for answer, password in zip(answers, passwords, strict=True):
            assert stored.check_password(password) is (answer.status_code == 200)
    assert AuditEntry.objects.filter(action="user.reset_password").count() == ROUNDS


def test_a_code_that_is_replaced_while_it_is_used_works_or_not_and_its_successor_does(admin, user):
    for number in range(ROUNDS):
        code, password = new_code(admin, user), f"silk of round {number}"
        used, made = at_once(lambda: reset(code, new_password=password), lambda: new_code(admin, user))  # noqa: B023
        assert used.status_code in (200, 401)
        assert User.objects.get(pk=user.pk).check_password(password) is (used.status_code == 200)
        assert reset(made).status_code == 200


def test_of_six_wrong_tries_at_once_five_count_and_the_code_is_void(admin, user):
    code = new_code(admin, user)
    answers = at_once(*[lambda n=n: reset(WRONG, address=f"203.0.113.{n}") for n in range(6)])
    assert statuses(*answers) == [401] * 6
    assert ResetCode.objects.get().wrong_tries == 5
    assert reset(code).status_code == 401
    assert login(password=PASSWORD).status_code == 200


def test_a_code_and_a_new_password_of_staff_at_once_leave_the_last_one(admin, user):
    path = f"/api/admin/users/{user.pk}"
    for _ in range(ROUNDS):
        code = new_code(admin, user)
        used, _set = at_once(lambda: reset(code), lambda: admin.put(path, {"password": "eleven yards"}))  # noqa: B023
        assert (used.status_code, _set.status_code) in [(200, 200), (401, 200)]
        # Staff came last, or first, and then the code was dead.
        assert User.objects.get(pk=user.pk).check_password("eleven yards")
        assert not User.objects.get(pk=user.pk).check_password(NEW)
        assert not ResetCode.objects.exists()


def test_a_code_for_a_user_who_is_deleted_meanwhile_is_none(admin, user):
    made, deleted = at_once(
        lambda: admin.post(f"/api/admin/users/{user.pk}/reset-code"),
        lambda: ApiClient(admin.user).delete(f"/api/admin/users/{user.pk}"),
    )
    assert (made.status_code, deleted.status_code) in [(200, 200), (404, 200)]
    assert not ResetCode.objects.exists()
