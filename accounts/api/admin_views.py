"""The API for staff to manage users: lists, review, changes, deletion."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import resets, selectors, services
from accounts.api.serializers import (
    AdminUserSerializer,
    RejectionSerializer,
    ResetCodeSerializer,
    ReviewAnswerSerializer,
    UserQuerySerializer,
    UserUpdateSerializer,
)
from accounts.models import User
from core.api.pagination import PAGE_PARAMETERS, PageRequest
from core.api.permissions import IsAdmin, caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, page_of
from core.json_types import JsonObject


class StaffView(APIView):
    permission_classes = [IsAdmin]

    def user_page(self, request: Request, users: QuerySet[User]) -> Response:
        page = PageRequest.of(request)
        rows, total = page.rows_and_total(users)
        selectors.load_details(rows)
        shown = AdminUserSerializer(rows, many=True, context={"request": request})
        return Response(page.body(shown.data, total))

    def reviewed(self, request: Request, user: User, text: str) -> Response:
        return message_response(text, user=self.shown(request, user))

    def shown(self, request: Request, user: User) -> JsonObject:
        selectors.load_details([user])
        shown: JsonObject = AdminUserSerializer(user, context={"request": request}).data
        return shown


class UsersView(StaffView):
    @extend_schema(
        operation_id="admin_users",
        parameters=[*PAGE_PARAMETERS, UserQuerySerializer],
        responses=page_of(AdminUserSerializer),
    )
    def get(self, request: Request) -> Response:
        """List all users."""
        return self.user_page(request, selectors.users(**UserQuerySerializer.of_query(request)))


class PendingUsersView(StaffView):
    @extend_schema(
        operation_id="admin_users_pending",
        parameters=PAGE_PARAMETERS,
        responses=page_of(AdminUserSerializer),
    )
    def get(self, request: Request) -> Response:
        """List the users who wait for a decision, the longest waiting first."""
        return self.user_page(request, selectors.pending_users())


class ApproveView(StaffView):
    @extend_schema(operation_id="approve_user", request=None, responses=ReviewAnswerSerializer)
    def post(self, request: Request, user_id: int) -> Response:
        """Approve the user."""
        user = services.user_approve(caller(request), user_id)
        return self.reviewed(request, user, f"{user.username} is approved.")


class RejectView(StaffView):
    @extend_schema(operation_id="reject_user", request=RejectionSerializer, responses=ReviewAnswerSerializer)
    def post(self, request: Request, user_id: int) -> Response:
        """Reject the user and end their sessions."""
        reason = RejectionSerializer.of_body(request).get("reason") or ""
        user = services.user_reject(caller(request), user_id, reason)
        return self.reviewed(request, user, f"{user.username} is rejected.")


class ResetCodeView(StaffView):
    @extend_schema(operation_id="make_reset_code", request=None, responses=ResetCodeSerializer)
    def post(self, request: Request, user_id: int) -> Response:
        """Make a one-time code for a user who forgot their password. Replaces the last; nobody can read it again."""
        made = resets.reset_code_create(caller(request), user_id)
        return Response(ResetCodeSerializer(made).data, headers={"Cache-Control": "no-store"})


class UserView(StaffView):
    @extend_schema(operation_id="admin_user", responses=AdminUserSerializer)
    def get(self, request: Request, user_id: int) -> Response:
        """Return one user."""
        return Response(self.shown(request, selectors.user(user_id)))

    @extend_schema(operation_id="update_user", request=UserUpdateSerializer, responses=AdminUserSerializer)
    def put(self, request: Request, user_id: int) -> Response:
        """Change the given fields. is_approved: false makes the user wait for a new decision.

        That and a new password end the user's sessions.
        """
        user = services.user_update(caller(request), user_id, **UserUpdateSerializer.of_body(request))
        return Response(self.shown(request, user))

    @extend_schema(operation_id="delete_user", request=None, responses=MessageSerializer)
    def delete(self, request: Request, user_id: int) -> Response:
        """Delete the user and everything that belongs only to them."""
        services.user_delete(caller(request), user_id)
        return message_response("The user is deleted.")
