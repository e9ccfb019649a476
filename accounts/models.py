"""Users, and the sign-ins that their tokens belong to."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Model

from accounts.details import CONTACT_LENGTH, FULL_NAME_LENGTH, searchable, searchable_contact
from accounts.passwords import setting_of
from accounts.usernames import username_forms, username_key
from core.audit import anonymous_name

EDITORS = "Editors"  # the group whose members work on designs and images in the admin


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=username_key(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Save and return a new user, who waits for approval unless `fields` say otherwise."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, is_admin=True, is_approved=True, **fields)


class State(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class User(AbstractBaseUser, PermissionsMixin):
    """A user of the app or of the admin. Pending until staff decide: see `state`."""

    username = models.CharField(max_length=50, unique=True)
    username_key = models.CharField(max_length=255, unique=True, editable=False)
    username_skeleton = models.TextField(unique=True, editable=False)
    username_written_skeleton = models.TextField(unique=True, editable=False)
    username_searchable = models.TextField(editable=False)
    password = models.CharField(max_length=128, db_column="password_hash")
    password_setting = models.CharField(max_length=50, blank=True, default="", editable=False)
    full_name = models.CharField(max_length=FULL_NAME_LENGTH, blank=True)
    full_name_searchable = models.TextField(blank=True, editable=False)
    contact = models.CharField(max_length=CONTACT_LENGTH, blank=True)
    contact_searchable = models.TextField(blank=True, editable=False)
    is_admin = models.BooleanField(default=False)
    is_approved = models.BooleanField(default=False)
    rejection_reason = models.TextField(blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    # Outlives the reviewer's account, as the audit trail does.
    reviewed_by = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    # The name of a reviewer whom staff deleted; empty while the account is there, and after they left by themselves.
    reviewer_name = models.CharField(max_length=50, blank=True, editable=False)
    avatar_object_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    secret_fields = ("password", "password_setting")
    # What only the database itself holds: the columns that the copies leave out (gallery_project.environment).
    uncopied_fields = (
        "password",
        *("full_name", "full_name_searchable", "contact", "contact_searchable", "username_searchable"),
    )
    is_superuser = None  # this model calls it is_admin
    known_as_editor: bool | None = None  # set if it was read along with the user (accounts.backends)

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        db_table = "users"
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["is_approved", "reviewed_at", "created_at"]),
            models.Index(fields=["created_at"]),
            models.Index(fields=["is_admin", "is_approved"]),
            models.Index(fields=["avatar_object_key"]),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        given = {name: value for name, value in vars(self).items() if fields is None or name in fields}
        derived = self.derived(given)
        for name, value in derived.items():
            setattr(self, name, value)
        if fields is not None:
            kwargs["update_fields"] = {*fields, *derived}
        super().save(*args, **kwargs)

    @staticmethod
    def derived(fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields to store beside these, because they follow from them."""
        derived: dict[str, Any] = {}
        if "username" in fields:
            derived |= username_forms(fields["username"])
            derived["username_searchable"] = searchable(fields["username"])
        if "full_name" in fields:
            derived["full_name_searchable"] = searchable(fields["full_name"])
        if "contact" in fields:
            derived["contact_searchable"] = searchable_contact(fields["contact"])
        if "password" in fields:
            derived["password_setting"] = setting_of(fields["password"])
        return derived

    @property
    def state(self) -> State:
        if self.is_approved:
            return State.APPROVED
        return State.PENDING if self.reviewed_at is None else State.REJECTED

    @property
    def reviewer_username(self) -> str | None:
        """The name to show of who reviewed them; None if nobody did. Read them with their reviewer."""
        if self.reviewed_by_id is None:
            return None
        if self.reviewed_by is not None:
            return self.reviewed_by.username
        return self.reviewer_name or anonymous_name(self.reviewed_by_id)

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether they may sign in (Django's name)."""
        return self.is_approved

    @property
    def is_staff(self) -> bool:
        """Whether they may open the admin (Django's name)."""
        return self.is_approved and (self.is_admin or self.is_editor)

    @property
    def is_editor(self) -> bool:
        if self.known_as_editor is not None:
            return self.known_as_editor
        return self.groups.filter(name=EDITORS).exists()

    def get_session_auth_hash(self) -> str:
        """Return a text that never changes (Django's name): a session of the console ends with its row of SignIn.

        Django's hash of the password would cost a request to D1, because the replica does not contain the password.
        """
        return str(self.pk)

    def has_perm(self, perm: str, obj: Model | None = None) -> bool:
        return self.is_approved and (self.is_admin or super().has_perm(perm, obj))

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_approved and (self.is_admin or super().has_module_perms(app_label))


class SignInKind(models.TextChoices):
    API = "api", "API"
    CONSOLE = "console", "console"


class SignIn(models.Model):
    """One session on one device, of the app (the API) or of the console; it is valid until it ends or expires.

    API: the access and refresh tokens name it. `refresh_id` is the id (jti) of the one valid refresh token. An older
    one that is used again was stolen. Console: the cookie names it, and `refresh_id` is empty.
    """

    kind = models.CharField(max_length=7, choices=SignInKind, default=SignInKind.API)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    refresh_id = models.CharField(max_length=36)
    user_agent = models.CharField(max_length=255, blank=True)
    network = models.CharField(max_length=16, blank=True, editable=False)  # core.client_address.mark_of
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    secret_fields = ("refresh_id", "network")

    class Meta:
        db_table = "sign_ins"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_agent or 'unknown device'} #{self.pk}"


class ResetCode(models.Model):
    """A one-time code by which a user who forgot their password sets another one (accounts.resets).

    A trigger deletes it when the password changes.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    code_hash = models.CharField(max_length=64)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()

    secret_fields = ("code_hash",)

    class Meta:
        db_table = "reset_codes"
        default_permissions = ()

    def __str__(self) -> str:
        return f"reset code of user {self.pk}"


class StoredGuesses(models.Model):
    """How far failed guesses have used up a limit on all hosts, once it is half used (accounts.guesses).

    The key is a hash of the limit and of whom it is for. `full_at` is the moment at which the limit is whole again, and
    `step` the time in which one try comes back, both in microseconds.
    """

    full_at = models.BigIntegerField()
    step = models.BigIntegerField()

    class Meta:
        db_table = "guesses"
        default_permissions = ()

    def __str__(self) -> str:
        return f"limit {self.pk:x}"


class KeptAnswer(models.Model):
    """The answer to a call that made something, for a second try with the same key (accounts.idempotency).

    `digest` is the hash of the caller, the call and the key.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        default_permissions = ()

    def __str__(self) -> str:
        return f"answer {self.digest[:8]}"


class DeletedSignup(models.Model):
    """The day (UTC) on which a user registered whose account was deleted since."""

    day = models.DateField(db_index=True)

    class Meta:
        db_table = "deleted_signups"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)
