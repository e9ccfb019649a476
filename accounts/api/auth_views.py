"""The API of the caller's own account: registration, signing in and out, profile, password, sessions."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import deletion, personal, resets, selectors, services, sessions
from accounts.api.caller import sign_in_of, user_agent_of
from accounts.api.serializers import (
    ApprovalErrorSerializer,
    DeleteMeSerializer,
    LoginSerializer,
    LogoutSerializer,
    PasswordChangeSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegistrationAnswerSerializer,
    RegistrationSerializer,
    ResetSerializer,
    SessionSerializer,
    TokenSerializer,
    UserSerializer,
)
from accounts.models import SignInKind
from accounts.refresh import session_refresh
from core.api.permissions import caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, items_of
from core.client_address import client_address
from core.logs.current import user_is

TOKEN_RESPONSES = {
    200: TokenSerializer,
    403: OpenApiResponse(ApprovalErrorSerializer, "The account is not approved, or not any more."),
}


class PublicView(APIView):
    """Open to everyone. Ignores any token."""

    authentication_classes = []
    permission_classes = []


class RegisterView(PublicView):
    @extend_schema(
        operation_id="register", request=RegistrationSerializer, responses=RegistrationAnswerSerializer
    )
    def post(self, request: Request) -> Response:
        """Register. The account waits for approval."""
        sent = RegistrationSerializer.of_body(request)
        user = services.user_register(**sent, address=client_address(request))
        text = "Registration successful. An administrator will review your account."
        shown = UserSerializer(user, context={"request": request}).data
        return message_response(text, user=shown)


def token_response(tokens: sessions.Tokens, request: Request) -> Response:
    """Return the tokens. No cache may keep them (RFC 6749, section 5.1)."""
    user_is(tokens.sign_in.user_id)
    shown = TokenSerializer(tokens, context={"request": request}).data
    return Response(shown, headers={"Cache-Control": "no-store"})


class LoginView(PublicView):
    @extend_schema(operation_id="login", request=LoginSerializer, responses=TOKEN_RESPONSES)
    def post(self, request: Request) -> Response:
        """Sign in."""
        sent = LoginSerializer.of_body(request)
        tokens = sessions.session_begin(
            sent["username"],
            sent["password"],
            address=client_address(request),
            user_agent=user_agent_of(request),
        )
        return token_response(tokens, request)


class RefreshView(PublicView):
    @extend_schema(operation_id="refresh", request=RefreshSerializer, responses=TOKEN_RESPONSES)
    def post(self, request: Request) -> Response:
        """Exchange the refresh token for a new pair of tokens. Using it again later than a grace ends the session."""
        sent = RefreshSerializer.of_body(request)
        tokens = session_refresh(sent["refresh_token"], address=client_address(request))
        return token_response(tokens, request)


class ResetView(PublicView):
    @extend_schema(operation_id="reset_password", request=ResetSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        """Set a new password by the code that staff gave. Ends every sign-in, and gives no token."""
        sent = ResetSerializer.of_body(request)
        resets.password_reset(**sent, address=client_address(request))
        return message_response("Your new password is set. Please sign in with it.")


class MeView(APIView):
    """The caller's own account."""

    @extend_schema(operation_id="me", responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """Return the caller's account."""
        selectors.load_details([caller(request)])
        return Response(UserSerializer(caller(request), context={"request": request}).data)

    @extend_schema(operation_id="update_me", request=ProfileSerializer, responses=UserSerializer)
    def put(self, request: Request) -> Response:
        """Change or remove the avatar, the full name and the contact: those that you send, all or nothing."""
        sent = ProfileSerializer.of_body(request)
        if sent:
            services.profile_update(caller(request), **sent)
        return self.get(request)

    @extend_schema(operation_id="delete_me", request=DeleteMeSerializer, responses=MessageSerializer)
    def delete(self, request: Request) -> Response:
        """Delete the caller's account for good, given its password. The username is free at once."""
        sent = DeleteMeSerializer.of_body(request)
        me = caller(request)
        deletion.account_delete(me.username, sent["password"], address=client_address(request), user_id=me.pk)
        return message_response("Your account is deleted.")


class ExportView(APIView):
    @extend_schema(operation_id="export_me", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return everything that is kept about the caller, by sections. No secret is in it."""
        kept = personal.everything_about(caller(request), request.build_absolute_uri)
        return Response(kept, headers={"Cache-Control": "no-store"})


class PasswordView(APIView):
    @extend_schema(
        operation_id="change_password", request=PasswordChangeSerializer, responses=MessageSerializer
    )
    def post(self, request: Request) -> Response:
        """Change the password. Ends every other session."""
        sent = PasswordChangeSerializer.of_body(request)
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
        """End this session, with its access and refresh tokens."""
        sent = LogoutSerializer.of_body(request)
        sessions.session_log_out(sign_in_of(request), sent.get("refresh_token") or "")
        return message_response("You are signed out.")


class SessionsView(APIView):
    @extend_schema(operation_id="sessions", responses=items_of(SessionSerializer))
    def get(self, request: Request) -> Response:
        """List the caller's open sessions of the API, newest first."""
        rows = selectors.sign_ins_of(caller(request), SignInKind.API)
        return Response({"items": SessionSerializer(rows, many=True, context={"request": request}).data})


class SessionView(APIView):
    @extend_schema(operation_id="end_session", request=None, responses=MessageSerializer)
    def delete(self, request: Request, sign_in_id: int) -> Response:
        """End one of the caller's sessions of the API."""
        sessions.session_end(caller(request), sign_in_id, SignInKind.API)
        return message_response("The sign-in has ended.")
