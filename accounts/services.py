"""Services of users: registering, review, changes and deletion by staff."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Q
from django.utils import timezone

from accounts import selectors, sessions, throttling
from accounts.decisions import ANY, Basis, reopening_values, review_values, undo_values
from accounts.models import EDITORS, SignIn, SignInKind, User
from accounts.removal import user_removal
from core import app_settings, audit, hooks, replica
from core.audit import SECRET_FIELDS
from core.errors import Conflict, Forbidden, NotFound, invalid_field
from d1backend import (
    SerializationFailure,
    ask_with_commit,
    retry_on_conflict,
    update_or_conflict,
    update_uncounted,
)
from d1backend.replica import on_primary

REVIEW_STAMP = ("reviewed_at", "reviewed_by")  # the audit entry has its own time and actor
GROUNDS = ("is_admin", "is_approved", "reviewed_at")  # the fields that decisions about a user depend on
DETAILS = frozenset(selectors.Details._fields)
UNREAD = SECRET_FIELDS | DETAILS  # what a copy does not hold is written without being read
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


def user_register(
    username: str, password: str, *, address: str, full_name: str = "", contact: str = ""
) -> User:
    """Create a user who waits for approval.

    Raises Forbidden (`registration_closed`), TooMany, or Conflict (`username_taken`).
    """
    if not app_settings.get("registration_open"):
        raise Forbidden("Registration is closed at the moment.", code="registration_closed")
    throttling.count_registration(address)
    details = {"full_name": full_name, "contact": contact}
    user = User(username=username, password=make_password(password), **details)
    with unique_username():
        user.save(force_insert=True)
    return user


def user_create(
    actor: User | None,
    username: str,
    password: str,
    *,
    is_admin: bool,
    is_editor: bool,
    full_name: str = "",
    contact: str = "",
) -> User:
    """Create a user for staff, approved at once. Raises Conflict (`username_taken`)."""
    user = User(
        username=username,
        password=make_password(password),
        full_name=full_name,
        contact=contact,
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


def user_approve(actor: User | None, user_id: int, *, basis: Basis = ANY) -> User:
    """Approve the user. Idempotent. Raises NotFound, and DecidedMeanwhile as the basis demands."""

    def new_values(user: User) -> Changes:
        return review_values(actor, user, approved=True, basis=basis)

    return change_fields(actor, "user.approve", user_id, new_values)


def user_reject(actor: User | None, user_id: int, reason: str = "", *, basis: Basis = ANY) -> User:
    """Reject the user and end their sessions. A second call keeps the reason unless it gives another one.

    Raises NotFound, or Conflict (`last_admin`, `own_account`), and DecidedMeanwhile as the basis demands.
    """

    def new_values(user: User) -> Changes:
        return review_values(actor, user, approved=False, reason=reason, basis=basis)

    return change_fields(actor, "user.reject", user_id, new_values)


def user_reopen(actor: User, user_id: int, *, basis: Basis = ANY) -> User:
    """Undo the actor's own decision: the user waits for a new one, and their sessions end.

    Raises NotFound, DecidedMeanwhile if it is not theirs or not that of the basis, or Conflict as `user_reject` does.
    """
    return change_fields(actor, "user.reopen", user_id, lambda user: undo_values(actor, user, basis))


def user_update(
    actor: User | None,
    user_id: int,
    *,
    username: str | None = None,
    is_admin: bool | None = None,
    is_approved: bool | None = None,
    password: str | None = None,
    full_name: str | None = None,
    contact: str | None = None,
    is_editor: bool | None = None,
    keep_session: int | None = None,
    seen: Changes | None = None,
) -> User:
    """Change the given fields. Setting is_approved to False undoes a decision, as user_reopen does.

    An empty full name or contact removes it. `seen` are the values that the caller replaces, if it depends on them.

    A new password ends the user's sessions, the loss of a role those of the console, except the sign-in with the id
    `keep_session`: the one in which they change their own account.
    Raises NotFound, or Conflict (`username_taken`, `last_admin`, `own_account`), and ConditionFailed or
    SerializationFailure if the user has other values than those that were seen.
    """
    given = {"username": username, "is_admin": is_admin, "full_name": full_name, "contact": contact}
    given["password"] = make_password(password) if password is not None else None
    given = {field: value for field, value in given.items() if value is not None}

    def new_values(user: User) -> Changes:
        if is_approved is None:
            return given
        return given | (review_values(actor, user, approved=True) if is_approved else reopening_values(user))

    return change_fields(actor, "user.update", user_id, new_values, is_editor, keep_session, seen)


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


def change_fields(
    actor: User | None,
    action: str,
    user_id: int,
    new_values: Callable[[User], Changes],
    is_editor: bool | None = None,
    keep_session: int | None = None,
    seen: Changes | None = None,
) -> User:
    """Store the values that `new_values` returns for the user, as apply_change does."""

    def change(user: User) -> bool:
        return save_changes(actor, action, user, new_values(user), is_editor, keep_session, seen)

    return apply_change(user_id, change)


def apply_change(user_id: int, change: Callable[[User], bool]) -> User:
    """Read the user, apply `change`, which returns whether anything changed, and return the user.

    Reads the user from the replica first. It may be old, so only a change that the database confirms at the commit
    counts; otherwise the user is read from the database. Raises NotFound and Conflict.
    """
    user = selectors.copied_user(user_id)
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
    seen: Changes | None = None,
) -> bool:
    """Store the new values with their audit entry, and end the sessions that they rule out.

    A user who lacks details is given them. The audit entry never holds any.
    Returns whether anything changed. Raises Conflict, and SerializationFailure if the stored user is not the one
    that was read, or not as it was `seen`.
    """
    rejected = new.get("is_approved") is False
    new = {field: value for field, value in new.items() if field in UNREAD or getattr(user, field) != value}
    old = {field: getattr(user, field) for field in (*GROUNDS, *new) if field not in UNREAD}
    unlisted = DETAILS.union(REVIEW_STAMP)
    audited = {field: (old.get(field), value) for field, value in new.items() if field not in unlisted}
    before = user.state
    seen = dict(seen or {})
    conditions: list[Exists | Q] = []
    if "is_editor" in seen:
        conditions.append(selectors.IS_EDITOR if seen.pop("is_editor") else ~selectors.IS_EDITOR)
    with unique_username():
        if actor is not None and new.get("reviewed_by") is not None:
            require_reviewer(actor)
        if rejected or new.get("is_admin") is False:
            conditions += keep_an_admin(actor, user)
        for field, value in new.items():
            setattr(user, field, value)
        if new or conditions:
            user.updated_at = timezone.now()
            values = {**new, **User.derived(new), "updated_at": user.updated_at}
            update_or_conflict(User.objects.filter(*conditions, pk=user.pk, **matching(old | seen)), **values)
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
        changed = bool(audited) or not DETAILS.isdisjoint(new)
        if changed:
            audit.record(actor, action, user, audited)
            find_details(user)
    return changed


def require_reviewer(actor: User) -> None:
    """Raise SerializationFailure if the actor has been deleted since they were read.

    No foreign key tells, because a decision outlives its reviewer. On D1 the write itself carries their sign-in.
    """
    if not hasattr(connection, "round_trips") and not User.objects.filter(pk=actor.pk).exists():
        raise SerializationFailure("The reviewer has been deleted. Run it again.")


def find_details(user: User) -> None:
    """Give a user who lacks details those that they have after this transaction. On D1 its commit brings them."""
    if not selectors.lacks_details(user):
        return
    ask = ask_with_commit(partial(selectors.details, [user.pk]))

    def put_on() -> None:
        for found in ask().values():
            found.put_on(user)

    transaction.on_commit(put_on)


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


def profile_update(user: User, **given: str) -> None:
    """Store the given ones of the user's own `avatar_object_key`, `full_name` and `contact`; an empty one is removed.

    Raises Invalid if the user did not upload that avatar, and SerializationFailure if the image or the user has just
    been deleted.
    """
    same = User.objects.filter(pk=user.pk)
    if key := given.get("avatar_object_key"):
        image = hooks.own_avatar.call(user, key)
        if not replica.or_exactly(image.exists):
            raise invalid_field("avatar_object_key", "This is not an avatar that you uploaded.")
        same = same.filter(Exists(image))
    with transaction.atomic():
        update_or_conflict(same, **given, **User.derived(given), updated_at=timezone.now())
        find_details(user)
    for field, value in given.items():
        setattr(user, field, value)
