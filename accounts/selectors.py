"""Reads of users and sign-ins."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, models, router
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from accounts.details import TELEPHONE, digits_of, searchable
from accounts.models import EDITORS, SignIn, SignInKind, State, User
from accounts.usernames import username_forms, username_key
from core import replica, sql
from core.errors import NotFound

SignIns = QuerySet[SignIn]

LARGEST_ID = 2**63 - 1
UNDO_AGE = timedelta(days=30)
MOST_AT_ONCE = 50  # users of one decision
NO_SUCH_USER = "There is no such user."
KEY_LENGTH = User._meta.get_field("username_key").max_length or 0


# Whether a user is an editor, in a query of users.
IS_EDITOR = Q(Exists(User.groups.through.objects.filter(user_id=OuterRef("pk"), group__name=EDITORS)))


def user_by_name(username: str) -> User | None:
    """Return the user of that name, regardless of case and joiners."""
    return users_by_name(username).first()


def users_by_name(username: str) -> QuerySet[User]:
    """Return the user of that name, or none, as `user_by_name` does."""
    # A longer one than the column holds is nobody's.
    return User.objects.filter(username_key=username_key(username.strip())[: KEY_LENGTH + 1])


def is_taken(username: str, user: User) -> bool:
    """Return whether another user than this one has the name, or one that may be confused with it."""
    same = Q(*username_forms(username.strip()).items(), _connector=Q.OR)
    return User.objects.filter(same).exclude(pk=user.pk).exists()


def user(user_id: int) -> User:
    """Return the user and their reviewer, from the replica without details (load_details). Raises NotFound.

    Looks on D1 for a user that the replica does not have.
    """
    if not is_stored(user_id):
        raise NotFound(NO_SUCH_USER)
    found = replica.or_exactly(lambda: users_with_reviewer().filter(pk=user_id).first())
    if found is None:
        raise NotFound(NO_SUCH_USER)
    return found


def users_without_passwords() -> QuerySet[User]:
    """All users without their password hashes, from the replica if there is one; then without details, too."""
    return without_passwords(replica.alias_for(User._meta.db_table))


def without_passwords(alias: str) -> QuerySet[User]:
    fields = User.uncopied_fields if alias == replica.REPLICA else ["password"]
    return User.objects.using(alias).defer(*fields)


def users_with_reviewer(alias: str | None = None) -> QuerySet[User]:
    """Users as staff see them, each with their reviewer: those of `users_without_passwords`, or of this database."""
    found = without_passwords(alias) if alias else users_without_passwords()
    uncopied = [f"reviewed_by__{field}" for field in User.uncopied_fields]
    return found.select_related("reviewed_by").defer(*uncopied)


class Details(NamedTuple):
    """What only the user and admins see of a user, and no copy holds."""

    full_name: str
    contact: str

    def put_on(self, user: User) -> None:
        user.full_name, user.contact = self


# In RETURNING of a statement that writes a sign-in.
DETAILS_OF_SIGN_IN = ", ".join(
    f"(SELECT {name} FROM users WHERE users.id = sign_ins.user_id)"  # noqa: S608 – made of constants
    for name in Details._fields
)


def details(user_ids: Iterable[int]) -> dict[int, Details]:
    """Return the details of the users, by their ids."""
    found = User.objects.filter(pk__in=user_ids).values_list("pk", *Details._fields)
    return {key: Details(*texts) for key, *texts in found}


def lacks_details(user: User) -> bool:
    return not user.get_deferred_fields().isdisjoint(Details._fields)


def load_details(users: Iterable[User]) -> None:
    """Put their details on the users that lack them, in one query, which the database itself answers."""
    lacking = [user for user in users if lacks_details(user)]
    if not lacking:
        return
    found = details([user.pk for user in lacking])
    for user in lacking:
        found.get(user.pk, Details("", "")).put_on(user)


def users_in_replica() -> QuerySet[User] | None:
    """Like `users_with_reviewer`, but only from the replica; None if there is none to read."""
    users = users_with_reviewer()
    return users if users.db == replica.REPLICA else None


def copied_user(user_id: int) -> User | None:
    """Return the user as the replica has them; None if it has none, or there is none to read."""
    users = users_in_replica()
    return None if users is None else users.filter(pk=user_id).first()


def is_stored(number: int) -> bool:
    """Whether the number fits the column of an id."""
    return 0 < number <= LARGEST_ID


def live_sign_ins(user_id: int, kind: SignInKind, now: datetime | None = None) -> SignIns:
    """The user's sign-ins of a kind that have neither ended nor expired; none unless the user is approved."""
    return live_only(SignIn.objects.filter(user_id=user_id, kind=kind, user__is_approved=True), now)


def live_only(sign_ins: SignIns, now: datetime | None = None) -> SignIns:
    """Those sign-ins that have neither ended nor expired."""
    return sign_ins.filter(ended_at=None, expires_at__gt=now or timezone.now())


# live_sign_ins(user_id, API).select_related("user"), which takes ten times as long to compile as to run. The time is
# compared by the caller, so that the query is the same each time it is built.
SIGN_IN = """
    SELECT s.expires_at || '' AS expires_at,
        u.id, u.username, u.is_admin, u.is_approved, u.avatar_object_key, u.created_at || '+00:00'
    FROM sign_ins AS s JOIN users AS u ON u.id = s.user_id
    WHERE s.id = %s AND s.user_id = %s AND s.kind = 'api' AND s.ended_at IS NULL AND u.is_approved
"""
# A row if the user's sign-in is open at the given time, and they are an admin or not, as the last parameter says.
SAME_SIGN_IN = f"SELECT 1 FROM ({SIGN_IN}) AS who WHERE who.expires_at > %s AND who.is_admin = %s"  # noqa: S608


def sign_in(user_id: int, sign_in_id: int) -> SignIn | None:
    """Return the user's open sign-in of the API and the user, in one query. Their other columns are deferred."""
    alias = router.db_for_read(SignIn)
    found = sql.kept_rows(SIGN_IN, [sign_in_id, user_id], alias)
    if not found or found[0][0] <= sql.stored_time(timezone.now()):
        return None
    key, username, is_admin, is_approved, avatar, created_at = found[0][1:]
    sign_in = sql.instance_of(SignIn, alias, id=sign_in_id)
    sign_in.user = sql.instance_of(
        User,
        alias,
        id=key,
        username=username,
        is_admin=bool(is_admin),
        is_approved=bool(is_approved),
        avatar_object_key=avatar,
        created_at=datetime.fromisoformat(created_at),
    )
    return sign_in


def is_known_ended(user_id: int, sign_in_id: int, issued: float) -> bool:
    """Whether the replica shows that the sign-in has ended, which a token of it names that was issued then.

    False where the replica cannot say so: there is none, or it may be older than the token.
    """
    if replica.alias_for(SignIn._meta.db_table) != replica.REPLICA or replica.may_lack(issued):
        return False
    open_ones = SignIn.objects.using(replica.REPLICA).filter(pk=sign_in_id, user_id=user_id, ended_at=None)
    return not open_ones.exists()


class Sort(models.TextChoices):
    NEWEST = "newest"
    OLDEST = "oldest"
    USERNAME = "username"
    LAST_LOGIN = "last_login"


ORDER_OF: dict[str, list[str | OrderBy]] = {
    Sort.NEWEST: ["-created_at", "-id"],
    Sort.OLDEST: ["created_at", "id"],
    Sort.USERNAME: ["username_key", "id"],
    Sort.LAST_LOGIN: [F("last_login").desc(nulls_last=True), "-id"],
}
STATES = {
    State.APPROVED: Q(is_approved=True),
    State.PENDING: Q(is_approved=False, reviewed_at=None),
    State.REJECTED: Q(is_approved=False, reviewed_at__isnull=False),
}


def users(
    *,
    search: str = "",
    state: str = "",
    is_approved: bool | None = None,
    is_admin: bool | None = None,
    sort: str = Sort.NEWEST,
) -> QuerySet[User]:
    """Users for staff, each with their reviewer; `search` as in `containing`.

    The database itself answers a search; without one, users from the replica lack their details (load_details).
    """
    found = containing(users_with_reviewer(DEFAULT_DB_ALIAS), search) if search else users_with_reviewer()
    if state:
        found = in_state(found, State(state))
    if is_approved is not None:
        found = found.filter(is_approved=is_approved)
    if is_admin is not None:
        found = found.filter(is_admin=is_admin)
    return found.order_by(*ORDER_OF[sort])


def in_state(found: QuerySet[User], state: State) -> QuerySet[User]:
    return found.filter(STATES[state])


def containing(found: QuerySet[User], part: str) -> QuerySet[User]:
    """Those whose username, full name or contact contains the part, regardless of case, accents and joiners.

    Of telephone numbers the digits alone are compared.
    """
    text, digits = searchable(part), digits_of(part) if TELEPHONE.fullmatch(part) else ""
    if not text:
        return found
    somewhere = has("username_searchable", text) | has("full_name_searchable", text)
    somewhere |= has("contact_searchable", text)
    if digits:
        somewhere |= has("contact_searchable", digits) & ~has("contact_searchable", "@")
    return found.filter(somewhere)


def has(field: str, text: str) -> Q:
    # Not LIKE: its patterns have wildcards, and at most 50 bytes on D1.
    return Q(GreaterThan(StrIndex(field, Value(text)), 0))


def pending_users() -> QuerySet[User]:
    """Users who wait for a decision, the longest waiting first."""
    return users(state=State.PENDING, sort=Sort.OLDEST)


def sign_ins_of(user: User, kind: SignInKind) -> SignIns:
    """The user's live sign-ins of a kind, newest first."""
    return live_sign_ins(user.pk, kind, this_second()).order_by("-id")


def this_second() -> datetime:
    """The time in whole seconds, so that a query that is built twice within gather() is the same query."""
    return timezone.now().replace(microsecond=0)


def recent_rejection_reasons(limit: int = 10) -> list[str]:
    """Return the reasons of rejections, the latest first, without repeats."""
    rejected = in_state(users_without_passwords(), State.REJECTED).exclude(rejection_reason="")
    latest = rejected.values("rejection_reason").annotate(latest=Max("reviewed_at")).order_by("-latest")
    return list(latest.values_list("rejection_reason", flat=True)[:limit])


def own_decisions(reviewer: User, limit: int = 20) -> list[list[User]]:
    """Return whom the reviewer decided about in the last decisions that stand, newest first; those of one together.

    Only those younger than UNDO_AGE. What others have decided since is no more theirs, and who was created by staff
    was not decided about.
    """
    since = this_second() - UNDO_AGE
    own = users_without_passwords().filter(reviewed_by=reviewer.pk, is_approved__in=[True, False])
    decided = own.filter(reviewed_at__gt=since).filter(reviewed_at__gt=F("created_at"))
    newest = decided.order_by("-reviewed_at", "username_key")[: limit * MOST_AT_ONCE]
    return [list(users) for _, users in groupby(newest, lambda user: user.reviewed_at)][:limit]
