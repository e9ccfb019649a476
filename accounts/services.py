"""Services of users: registering, review, changes and deletion by staff."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Exists
from django.utils import timezone

from accounts import selectors, sessions, throttling
from accounts.models import EDITORS, SignIn, SignInKind, State, User
from accounts.removal import user_removal
from core import app_settings, audit, hooks, replica
from core.audit import SECRET_FIELDS
from core.errors import Conflict, Forbidden, NotFound, invalid_field
from d1backend import (
    SerializationFailure,
    retry_on_conflict,
    update_or_conflict,
    update_uncounted,
)
from d1backend.replica import on_primary

REVIEW_STAMP = ("reviewed_at", "reviewed_by")  # the audit entry has its own time and actor
GROUNDS = ("is_admin", "is_approved", "reviewed_at")  # the fields that decisions about a user depend on
Changes = dict[str, Any]


@contextmanager
def unique_username() -> Iterator[None]:
    """A transaction that raises Conflict (`username_taken`) if a username exists already."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "username" not in str(error):
            raise
        sentence = "This username is taken."
        raise Conflict(sentence, code="username_taken", fields={"username": [sentence]}) from None


def user_register(username: str, password: str, *, address: str) -> User:
    """Create a user who waits for approval.

    Raises Forbidden (`registration_closed`), TooMany, or Conflict (`username_taken`).
    """
    if not app_settings.get("registration_open"):
        raise Forbidden("Registration is closed at the moment.", code="registration_closed")
    throttling.count_registration(address)
    user = User(username=username, password=make_password(password))
    with unique_username():
        user.save(force_insert=True)
    return user


def user_create(actor: User | None, username: str, password: str, *, is_admin: bool, is_editor: bool) -> User:
    """Create a user for staff, approved at once. Raises Conflict (`username_taken`)."""
    user = User(
        username=username,
        password=make_password(password),
        is_admin=is_admin,
        is_approved=True,
        reviewed_at=timezone.now(),
        reviewed_by=actor,
    )
    with unique_username():
        user.save(force_insert=True)
        if is_editor:
            set_editor(user, is_editor)
        given = {"is_admin": (None, is_admin), "is_editor": (None, is_editor)}
        audit.record(actor, "user.create", user, given)
    return user


def user_approve(actor: User | None, user_id: int) -> User:
    """Approve the user. Idempotent. Raises NotFound."""
    return change_fields(
        actor, "user.approve", user_id, lambda user: review_values(actor, user, approved=True)
    )


def user_reject(actor: User | None, user_id: int, reason: str = "") -> User:
    """Reject the user and end their sessions. A second call keeps the reason unless it gives another one.

    Raises NotFound, or Conflict (`last_admin`, `own_account`).
    """
    return change_fields(
        actor, "user.reject", user_id, lambda user: review_values(actor, user, approved=False, reason=reason)
    )


def user_reopen(actor: User | None, user_id: int) -> User:
    """Undo a decision: the user waits for a new one, and their sessions end.

    Raises NotFound, or Conflict as `user_reject` does.
    """
    undecided = {"is_approved": False, "rejection_reason": "", "reviewed_at": None, "reviewed_by": None}
    return change_fields(
        actor, "user.reopen", user_id, lambda user: {} if user.state == State.PENDING else undecided
    )


def user_update(
    actor: User | None,
    user_id: int,
    *,
    username: str | None = None,
    is_admin: bool | None = None,
    is_approved: bool | None = None,
    password: str | None = None,
    is_editor: bool | None = None,
    keep_session: int | None = None,
) -> User:
    """Change the given fields. Setting is_approved to False rejects.

    A new password ends the user's sessions, the loss of a role those of the console, except the sign-in with the id
    `keep_session`: the one in which they change their own account.
    Raises NotFound, or Conflict (`username_taken`, `last_admin`, `own_account`).
    """
    given = {"username": username, "is_admin": is_admin}
    given["password"] = make_password(password) if password is not None else None
    given = {field: value for field, value in given.items() if value is not None}

    def new_values(user: User) -> Changes:
        return given if is_approved is None else given | review_values(actor, user, approved=is_approved)

    return change_fields(actor, "user.update", user_id, new_values, is_editor, keep_session)


def user_delete(actor: User | None, user_id: int) -> None:
    """Delete the user and everything that belongs only to them. Raises NotFound, or Conflict as `user_reject` does."""
    apply_change(user_id, lambda user: delete_user(actor, user))


@transaction.atomic
def session_end_by_staff(actor: User | None, sign_in_id: int) -> None:
    """End a session of any user. Raises NotFound if it has ended."""
    one = SignIn.objects.filter(pk=sign_in_id) if selectors.is_stored(sign_in_id) else SignIn.objects.none()
    sign_in = one.select_related("user").first()
    if sign_in is None or not sessions.sessions_end(one):
        raise NotFound("This session has ended already.")
    audit.record(actor, "user.end_sign_in", sign_in.user, {"user_agent": (sign_in.user_agent, None)})


def review_values(actor: User | None, user: User, *, approved: bool, reason: str = "") -> Changes:
    """Return the new values of a decision about the user; none if it does not change anything."""
    state = State.APPROVED if approved else State.REJECTED
    if user.state == state and (approved or reason in ("", user.rejection_reason)):
        return {}
    return {
        "is_approved": approved,
        "rejection_reason": reason,
        "reviewed_at": timezone.now(),
        "reviewed_by": actor,
    }


def change_fields(
    actor: User | None,
    action: str,
    user_id: int,
    new_values: Callable[[User], Changes],
    is_editor: bool | None = None,
    keep_session: int | None = None,
) -> User:
    """Store the values that `new_values` returns for the user, as apply_change does."""

    def change(user: User) -> bool:
        return save_changes(actor, action, user, new_values(user), is_editor, keep_session)

    return apply_change(user_id, change)


def apply_change(user_id: int, change: Callable[[User], bool]) -> User:
    """Read the user, apply `change`, which returns whether anything changed, and return the user.

    Reads the user from the replica first. It may be old, so only a change that the database confirms at the commit
    counts; otherwise the user is read from the database. Raises NotFound and Conflict.
    """
    copied = selectors.users_in_replica()
    user = None if copied is None else copied.filter(pk=user_id).first()
    if user is not None:
        with suppress(SerializationFailure, Conflict):
            if change(user):
                return user
    return apply_change_to_stored(user_id, change)


@retry_on_conflict
def apply_change_to_stored(user_id: int, change: Callable[[User], bool]) -> User:
    with on_primary():
        user = selectors.user(user_id)
    change(user)
    return user


def delete_user(actor: User | None, user: User) -> bool:
    """Delete the user, with an audit entry. Raises as save_changes does."""
    as_read = matching({field: getattr(user, field) for field in ("username", *GROUNDS)})
    remove = user_removal(user)
    with transaction.atomic():
        conditions = keep_an_admin(actor, user)
        audit.record(actor, "user.delete", user)
        update_uncounted(User.objects.filter(reviewed_by=user.pk), reviewer_name=user.username)
        remove(*conditions, **as_read)
    return True


def save_changes(
    actor: User | None,
    action: str,
    user: User,
    new: Changes,
    is_editor: bool | None = None,
    keep_session: int | None = None,
) -> bool:
    """Store the new values with their audit entry, and end the sessions that they rule out.

    Returns whether anything changed. Raises Conflict, and SerializationFailure if the stored user is not the one
    that was read.
    """
    rejected = new.get("is_approved") is False
    new = {
        field: value
        for field, value in new.items()
        if field in SECRET_FIELDS or getattr(user, field) != value
    }
    old = {field: getattr(user, field) for field in (*GROUNDS, *new) if field not in SECRET_FIELDS}
    audited = {field: (old.get(field), value) for field, value in new.items() if field not in REVIEW_STAMP}
    before = user.state
    conditions: list[Exists] = []
    with unique_username():
        if rejected or new.get("is_admin") is False:
            conditions = keep_an_admin(actor, user)
        for field, value in new.items():
            setattr(user, field, value)
        if new:
            user.updated_at = timezone.now()
            values = {**new, **User.derived(new), "updated_at": user.updated_at}
            update_or_conflict(User.objects.filter(*conditions, pk=user.pk, **matching(old)), **values)
        if user.state != before:
            audited["state"] = (before, user.state)
        if is_editor is not None and is_editor != user.is_editor:
            audited["is_editor"] = (not is_editor, is_editor)
            set_editor(user, is_editor)
        lost = {field for field, (_, value) in audited.items() if value is False}
        if rejected or "password" in new:
            end_sign_ins(user, keep_session)
        elif lost & {"is_admin", "is_editor"}:
            end_sign_ins(user, keep_session, kind=SignInKind.CONSOLE)
        if audited:
            audit.record(actor, action, user, audited)
    return bool(audited)


def end_sign_ins(user: User, keep: int | None, **which: SignInKind) -> None:
    """End the user's sign-ins (of the `kind`, if there is one), except the one with the id `keep`."""
    live = SignIn.objects.filter(user=user.pk, ended_at=None, **which)
    if keep is not None:
        live = live.exclude(pk=keep)
    update_uncounted(live, ended_at=timezone.now())


def matching(values: Changes) -> Changes:
    """Return the filter that matches a row with these values."""
    return {
        (field if value is not None else f"{field}__isnull"): (value if value is not None else True)
        for field, value in values.items()
    }


def set_editor(user: User, is_editor: bool) -> None:
    editors = Group.objects.get(name=EDITORS)
    if is_editor:
        user.groups.add(editors)
    else:
        user.groups.remove(editors)


def keep_an_admin(actor: User | None, user: User) -> list[Exists]:
    """Return the conditions on which the user may cease to be an approved admin. Raises Conflict if they may not.

    The write that follows must contain them: the user may have been read from an old copy, and another call may take
    the last other admin meanwhile.
    """
    conditions = []
    if user.is_admin and user.is_approved:
        others = User.objects.filter(is_admin=True, is_approved=True).exclude(pk=user.pk)
        if not others.using(user._state.db).exists():
            raise Conflict("This is the last approved admin.", code="last_admin")
        conditions.append(Exists(others))
    if actor is not None and actor.pk == user.pk:
        raise Conflict("You cannot do this to your own account.", code="own_account")
    return conditions


def avatar_set(user: User, object_key: str) -> None:
    """Store the key of the user's avatar; an empty key removes the avatar.

    Raises Invalid if the user did not upload that avatar, and SerializationFailure if the image or the user has just
    been deleted.
    """
    same = User.objects.filter(pk=user.pk)
    if object_key:
        image = hooks.own_avatar.call(user, object_key)
        if not replica.or_exactly(image.exists):
            raise invalid_field("avatar_object_key", "This is not an avatar that you uploaded.")
        same = same.filter(Exists(image))
    with transaction.atomic():
        update_or_conflict(same, avatar_object_key=object_key, updated_at=timezone.now())
    user.avatar_object_key = object_key
