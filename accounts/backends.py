"""Authentication in the admin."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission

from accounts.models import EDITORS, User
from d1backend.gather import gather


class StaffBackend(ModelBackend):
    """Django's own, which also reads what every page of the admin needs of a user, in one round trip to D1."""

    def get_user(self, user_id: int) -> User | None:
        names = ("content_type__app_label", "codename")
        found, is_editor, own, of_groups = gather(
            User.objects.filter(pk=user_id),
            Group.objects.filter(user=user_id, name=EDITORS).exists,
            lambda: list(Permission.objects.filter(user=user_id).order_by().values_list(*names)),
            lambda: list(Permission.objects.filter(group__user=user_id).order_by().values_list(*names)),
        )
        user: User | None = next(iter(found), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.known_as_editor = is_editor
        # Where ModelBackend caches them.
        user._user_perm_cache = {f"{app}.{name}" for app, name in own}  # type: ignore[attr-defined]
        user._group_perm_cache = {f"{app}.{name}" for app, name in of_groups}  # type: ignore[attr-defined]
        return user
