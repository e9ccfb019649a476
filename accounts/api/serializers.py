"""What the accounts API accepts and returns. Docstrings of serializers are shown in the OpenAPI document."""

from django.conf import settings
from django.core.files.storage import default_storage
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts import selectors, validators
from accounts.models import SignIn, State, User
from accounts.sessions import Tokens
from core.api.fields import FlagField, QueryFlagField, TextField
from core.api.inputs import InputSerializer
from core.api.schema import MessageSerializer


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


# Its context needs the request, which makes relative URLs absolute.
class UserSerializer(serializers.ModelSerializer[User]):
    """UserResponse."""

    avatar_url = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "is_admin", "is_approved", "created_at", "avatar_url"]
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
    reviewed_by = ReviewerSerializer(read_only=True, allow_null=True)

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

    @extend_schema_field({"type": "string", "nullable": True})
    def get_rejection_reason(self, user: User) -> str | None:
        return user.rejection_reason or None


# Its context needs the request, for the user in it.
class TokenSerializer(serializers.Serializer[Tokens]):
    access_token = serializers.CharField()
    token_type = serializers.CharField(default="bearer", help_text="Always bearer.", read_only=True)
    expires_in = serializers.SerializerMethodField(help_text="Seconds.")
    refresh_token = serializers.CharField()
    refresh_expires_in = serializers.SerializerMethodField(help_text="Seconds.")
    user = UserSerializer(source="sign_in.user")

    def get_expires_in(self, tokens: Tokens) -> int:
        return int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())

    def get_refresh_expires_in(self, tokens: Tokens) -> int:
        return int(settings.REFRESH_TOKEN_LIFETIME.total_seconds())


class RegistrationSerializer(InputSerializer):
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


class LogoutSerializer(InputSerializer):
    refresh_token = TextField(required=False, allow_null=True, allow_blank=True)


class ProfileSerializer(InputSerializer):
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


class UserUpdateSerializer(InputSerializer):
    username = UsernameField(required=False)
    is_admin = FlagField(required=False)
    is_approved = FlagField(required=False)
    password = NewPasswordField(required=False)


class UserQuerySerializer(InputSerializer):
    """The query parameters of the list of users."""

    search = TextField(required=False, allow_blank=True, help_text="Part of the username, in any case.")
    is_approved = QueryFlagField(required=False)
    is_admin = QueryFlagField(required=False)
    state = serializers.ChoiceField(State.choices, required=False)
    sort = serializers.ChoiceField(selectors.Sort.choices, default=selectors.Sort.NEWEST)
