"""What the accounts API accepts and returns. Docstrings of serializers are shown in the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts import selectors, validators
from accounts.details import CONTACT_LENGTH, FULL_NAME_LENGTH
from accounts.models import SignIn, State, User
from accounts.resets import NewCode
from accounts.sessions import Tokens
from core.api.fields import FlagField, QueryFlagField, TextField
from core.api.inputs import Inputs, InputSerializer
from core.api.schema import ErrorSerializer, MessageSerializer
from core.json_types import Json, JsonObject

SEARCH_HELP = (
    "Part of the username, full name or contact, regardless of case, accents and joiners; of a telephone number the "
    "digits count."
)


class UsernameField(TextField):
    def __init__(self, *, required: bool = True) -> None:
        least, most = validators.USERNAME_LENGTH
        super().__init__(
            validators=[validators.validate_username],
            min_length=least,
            max_length=most,
            error_messages=dict.fromkeys(["min_length", "max_length"], validators.USERNAME_SIZE),
            required=required,
            help_text="Letters of any script with the joiners of Indic scripts, digits and _ . -",
        )


class NewPasswordField(TextField):
    def __init__(self, *, required: bool = True) -> None:
        least, most = validators.PASSWORD_LENGTH
        super().__init__(
            validators=[validators.validate_password],
            trim_whitespace=False,
            min_length=least,
            max_length=most,
            error_messages=dict.fromkeys(["min_length", "max_length"], validators.PASSWORD_SIZE),
            required=required,
            help_text="Not one of the common ones.",
        )


class DetailField(TextField):
    """A full name or a contact; null or empty for none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, **options)


class ShownText(serializers.CharField):
    """A text; null where it is empty."""

    def __init__(self) -> None:
        super().__init__(read_only=True, allow_null=True)

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]  # the stubs know no null
        return value or None


# Its context needs the request, which makes relative URLs absolute.
class UserSerializer(serializers.ModelSerializer[User]):
    """UserResponse."""

    avatar_url = serializers.SerializerMethodField()
    full_name = ShownText()
    contact = ShownText()

    class Meta:
        model = User
        fields = [
            *("id", "username", "is_admin", "is_approved", "created_at"),
            *("avatar_url", "full_name", "contact"),
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_avatar_url(self, user: User) -> str | None:
        if not user.avatar_object_key:
            return None
        request: Request = self.context["request"]
        # The store of images. Its own module is in uploads, which accounts may not import.
        return request.build_absolute_uri(default_storage.url(user.avatar_object_key))


class ReviewerSerializer(serializers.Serializer[User]):
    id = serializers.IntegerField()
    username = serializers.CharField()


class AdminUserSerializer(UserSerializer):
    """UserResponse, and what only staff see."""

    state = serializers.ChoiceField(State.choices, read_only=True)
    rejection_reason = serializers.SerializerMethodField()
    reviewed_by = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields = [
            *UserSerializer.Meta.fields,
            "state",
            "rejection_reason",
            "reviewed_at",
            "reviewed_by",
            "last_login",
        ]
        read_only_fields = fields

    @extend_schema_field(ReviewerSerializer(allow_null=True))
    def get_reviewed_by(self, user: User) -> JsonObject | None:
        if user.reviewed_by_id is None:
            return None
        return {"id": user.reviewed_by_id, "username": user.reviewer_username}

    @extend_schema_field({"type": "string", "nullable": True})
    def get_rejection_reason(self, user: User) -> str | None:
        return user.rejection_reason or None


# Its context needs the request, for the user in it.
class TokenSerializer(serializers.Serializer[Tokens]):
    access_token = serializers.CharField()
    token_type = serializers.CharField(default="bearer", help_text="Always bearer.", read_only=True)
    expires_in = serializers.SerializerMethodField(help_text="Seconds.")
    refresh_token = serializers.CharField()
    refresh_expires_in = serializers.IntegerField(help_text="Seconds.")
    user = UserSerializer(source="sign_in.user")

    def get_expires_in(self, tokens: Tokens) -> int:
        return int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())


class ApprovalErrorSerializer(ErrorSerializer):
    """The envelope of `approval_pending`, and of `approval_rejected`, which alone has `rejection_reason`."""

    rejection_reason = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Only with `approval_rejected`: what staff wrote to the person.",
    )


class DetailsSerializer(InputSerializer):
    full_name = DetailField(max_length=FULL_NAME_LENGTH, validators=[validators.validate_one_line])
    contact = DetailField(
        max_length=CONTACT_LENGTH,
        validators=[validators.validate_contact],
        help_text="An e-mail address, or a telephone number of 6 to 15 digits with + ( ) - . and spaces.",
    )

    @classmethod
    def validated(cls, data: Mapping[str, Json] | Sequence[Json]) -> Inputs:
        """Return the validated values; an empty text for null."""
        return {name: "" if value is None else value for name, value in super().validated(data).items()}


class RegistrationSerializer(DetailsSerializer):
    username = UsernameField()
    password = NewPasswordField()


class RegistrationAnswerSerializer(MessageSerializer):
    user = UserSerializer()


class ReviewAnswerSerializer(MessageSerializer):
    user = AdminUserSerializer()


class LoginSerializer(InputSerializer):
    # No limits: a name or password that cannot exist is simply wrong.
    username = TextField()
    password = TextField(trim_whitespace=False)


class RefreshSerializer(InputSerializer):
    refresh_token = TextField()


class ResetSerializer(InputSerializer):
    # As in LoginSerializer, what cannot exist is simply wrong.
    username = TextField()
    code = TextField(help_text="Capitals, spaces and hyphens do not count.")
    new_password = NewPasswordField()


class ResetCodeSerializer(serializers.Serializer[NewCode]):
    code = serializers.CharField(help_text="Shown only here.")
    expires_at = serializers.DateTimeField()


class DeleteMeSerializer(InputSerializer):
    password = TextField(trim_whitespace=False)


class LogoutSerializer(InputSerializer):
    refresh_token = TextField(required=False, allow_null=True, allow_blank=True)


class ProfileSerializer(DetailsSerializer):
    avatar_object_key = TextField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=255,
        help_text="An image of category avatars that you uploaded; null or empty for none.",
    )


class PasswordChangeSerializer(InputSerializer):
    current_password = TextField(trim_whitespace=False)
    new_password = NewPasswordField()


# Its context needs the request, to mark the caller's current sign-in.
class SessionSerializer(serializers.ModelSerializer[SignIn]):
    current = serializers.SerializerMethodField()

    class Meta:
        model = SignIn
        fields = ["id", "created_at", "last_used_at", "user_agent", "current"]
        read_only_fields = fields

    def get_current(self, sign_in: SignIn) -> bool:
        return bool(sign_in.pk == self.context["request"].auth.pk)


class RejectionSerializer(InputSerializer):
    reason = TextField(required=False, allow_null=True, allow_blank=True, max_length=validators.REASON_LENGTH)


class UserUpdateSerializer(DetailsSerializer):
    username = UsernameField(required=False)
    is_admin = FlagField(required=False)
    is_approved = FlagField(required=False)
    password = NewPasswordField(required=False)


class UserQuerySerializer(InputSerializer):
    """The query parameters of the list of users."""

    search = TextField(required=False, allow_blank=True, help_text=SEARCH_HELP)
    is_approved = QueryFlagField(required=False)
    is_admin = QueryFlagField(required=False)
    state = serializers.ChoiceField(State.choices, required=False)
    sort = serializers.ChoiceField(selectors.Sort.choices, default=selectors.Sort.NEWEST)
