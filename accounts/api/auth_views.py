"""The API of one's own account: registering, signing in and out, profile, password, sessions."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors, services, sessions
from accounts.api.caller import user_agent_of
from accounts.api.serializers import (
    LoginSerializer,
    LogoutSerializer,
    PasswordChangeSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegistrationAnswerSerializer,
    RegistrationSerializer,
    SessionSerializer,
    TokenSerializer,
    UserSerializer,
)
from accounts.models import SignIn
from core.api.permissions import caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, items_of
from core.client_address import client_address


def parsed(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, as the serializer takes it; raises ValidationError."""
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def sign_in_of(request: Request) -> SignIn:
    """The sign-in that the request's token belongs to."""
    assert isinstance(request.auth, SignIn)
    return request.auth


class PublicView(APIView):
    """Open to all; a token, good or bad, is not looked at."""

    authentication_classes = []
    permission_classes = []


class RegisterView(PublicView):
    @extend_schema(
        operation_id="register", request=RegistrationSerializer, responses=RegistrationAnswerSerializer
    )
    def post(self, request: Request) -> Response:
        """Ask for an account. It waits for approval."""
        sent = parsed(RegistrationSerializer, request)
        user = services.user_register(sent["username"], sent["password"], address=client_address(request))
        text = "Registration successful. An administrator will review your account."
        shown = UserSerializer(user, context={"request": request}).data
        return message_response(text, user=shown)


def token_response(tokens: sessions.Tokens, request: Request) -> Response:
    """Tokens, which no cache may keep (RFC 6749, section 5.1)."""
    shown = TokenSerializer(tokens, context={"request": request}).data
    return Response(shown, headers={"Cache-Control": "no-store"})


class LoginView(PublicView):
    @extend_schema(operation_id="login", request=LoginSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        """Begin a sign-in."""
        sent = parsed(LoginSerializer, request)
        tokens = sessions.session_begin(
            sent["username"],
            sent["password"],
            address=client_address(request),
            user_agent=user_agent_of(request),
        )
        return token_response(tokens, request)


class RefreshView(PublicView):
    @extend_schema(operation_id="refresh", request=RefreshSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        """Trade the refresh token for a new pair of tokens. Used twice, it ends the sign-in."""
        tokens = sessions.session_refresh(parsed(RefreshSerializer, request)["refresh_token"])
        return token_response(tokens, request)


class MeView(APIView):
    """The caller's own account."""

    @extend_schema(operation_id="me", responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in."""
        return Response(UserSerializer(caller(request), context={"request": request}).data)

    @extend_schema(operation_id="update_me", request=ProfileSerializer, responses=UserSerializer)
    def put(self, request: Request) -> Response:
        """Set or remove the avatar."""
        sent = parsed(ProfileSerializer, request)
        if "avatar_object_key" in sent:
            key = sent["avatar_object_key"] or ""
            services.avatar_set(caller(request), key)
        return self.get(request)


class PasswordView(APIView):
    @extend_schema(
        operation_id="change_password", request=PasswordChangeSerializer, responses=MessageSerializer
    )
    def post(self, request: Request) -> Response:
        """Change the password. Every other sign-in ends."""
        sent = parsed(PasswordChangeSerializer, request)
        sessions.password_change(
            sign_in_of(request),
            sent["current_password"],
            sent["new_password"],
            address=client_address(request),
        )
        return message_response("Your password is changed, and your other sign-ins have ended.")


class LogoutView(APIView):
    @extend_schema(operation_id="logout", request=LogoutSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        """End this sign-in, with its access and refresh tokens."""
        sent = parsed(LogoutSerializer, request)
        sessions.session_log_out(sign_in_of(request), sent.get("refresh_token") or "")
        return message_response("You are signed out.")


class SessionsView(APIView):
    @extend_schema(operation_id="sessions", responses=items_of(SessionSerializer))
    def get(self, request: Request) -> Response:
        """The caller's live sign-ins, newest first."""
        rows = selectors.sign_ins_of(caller(request))
        return Response({"items": SessionSerializer(rows, many=True, context={"request": request}).data})


class SessionView(APIView):
    @extend_schema(operation_id="end_session", request=None, responses=MessageSerializer)
    def delete(self, request: Request, sign_in_id: int) -> Response:
        """End one of the caller's sign-ins."""
        sessions.session_end(caller(request), sign_in_id)
        return message_response("The sign-in has ended.")
