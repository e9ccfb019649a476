"""Authentication in the console."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

from accounts import selectors
from accounts.models import EDITORS, User
from core import replica
from d1backend.gather import gather


class StaffBackend(ModelBackend):
    """Django's own, which also reads what every page of the console needs of a user.

    From the replica; without one in one round trip to D1.
    """

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session that is open, from D1 if the replica does not have them yet."""
        return replica.or_exactly(lambda: user_with_rights(selectors.users_without_passwords(), user_id))


def user_with_rights(users: QuerySet[User], user_id: int) -> User | None:
    """Return the user, if they are among `users` and approved, with their rights."""
    names = ("content_type__app_label", "codename")
    found, is_editor, own, of_groups = gather(
        users.filter(pk=user_id, is_approved=True),
        Group.objects.filter(user=user_id, name=EDITORS).exists,
        lambda: list(Permission.objects.filter(user=user_id).order_by().values_list(*names)),
        lambda: list(Permission.objects.filter(group__user=user_id).order_by().values_list(*names)),
    )
    user: User | None = next(iter(found), None)
    if user is None:
        return None
    user.known_as_editor = is_editor
    # Where ModelBackend caches them.
    user._user_perm_cache = {f"{app}.{name}" for app, name in own}  # type: ignore[attr-defined]
    user._group_perm_cache = {f"{app}.{name}" for app, name in of_groups}  # type: ignore[attr-defined]
    return user
