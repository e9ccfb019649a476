"""The API of staff on users: lists, review, changes, deletion."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors, services
from accounts.api.auth_views import parsed
from accounts.api.serializers import (
    AdminUserSerializer,
    RejectionSerializer,
    ReviewAnswerSerializer,
    UserQuerySerializer,
    UserUpdateSerializer,
)
from accounts.models import User
from core.api.pagination import PAGE_PARAMETERS, PageRequest
from core.api.permissions import IsAdmin, caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, page_of


class StaffView(APIView):
    permission_classes = [IsAdmin]

    def page(self, request: Request, users: QuerySet[User]) -> Response:
        page = PageRequest.of(request)
        rows, total = page.rows_and_total(users)
        shown = AdminUserSerializer(rows, many=True, context={"request": request})
        return Response(page.body(shown.data, total))

    def reviewed(self, request: Request, user: User, text: str) -> Response:
        shown = AdminUserSerializer(user, context={"request": request}).data
        return message_response(text, user=shown)


class UsersView(StaffView):
    @extend_schema(
        operation_id="admin_users",
        parameters=[*PAGE_PARAMETERS, UserQuerySerializer],
        responses=page_of(AdminUserSerializer),
    )
    def get(self, request: Request) -> Response:
        """All users."""
        # A plain dict: in a query a flag left out is not a flag that is false.
        query = UserQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return self.page(request, selectors.users(**query.validated_data))


class PendingUsersView(StaffView):
    @extend_schema(
        operation_id="admin_users_pending",
        parameters=PAGE_PARAMETERS,
        responses=page_of(AdminUserSerializer),
    )
    def get(self, request: Request) -> Response:
        """Who waits for a decision, longest waiting first."""
        return self.page(request, selectors.pending_users())


class ApproveView(StaffView):
    @extend_schema(operation_id="approve_user", request=None, responses=ReviewAnswerSerializer)
    def post(self, request: Request, user_id: int) -> Response:
        """Let the user in."""
        user = services.user_approve(caller(request), user_id)
        return self.reviewed(request, user, f"{user.username} is approved.")


class RejectView(StaffView):
    @extend_schema(operation_id="reject_user", request=RejectionSerializer, responses=ReviewAnswerSerializer)
    def post(self, request: Request, user_id: int) -> Response:
        """Turn the user away; his sign-ins end."""
        reason = parsed(RejectionSerializer, request).get("reason") or ""
        user = services.user_reject(caller(request), user_id, reason)
        return self.reviewed(request, user, f"{user.username} is rejected.")


class UserView(StaffView):
    @extend_schema(operation_id="admin_user", responses=AdminUserSerializer)
    def get(self, request: Request, user_id: int) -> Response:
        """One user."""
        user = selectors.user(user_id)
        return Response(AdminUserSerializer(user, context={"request": request}).data)

    @extend_schema(operation_id="update_user", request=UserUpdateSerializer, responses=AdminUserSerializer)
    def put(self, request: Request, user_id: int) -> Response:
        """Change the fields sent. Un-approving rejects; a new password ends the user's sign-ins."""
        user = services.user_update(caller(request), user_id, **parsed(UserUpdateSerializer, request))
        return Response(AdminUserSerializer(user, context={"request": request}).data)

    @extend_schema(operation_id="delete_user", request=None, responses=MessageSerializer)
    def delete(self, request: Request, user_id: int) -> Response:
        """Delete the user and all that is only his."""
        services.user_delete(caller(request), user_id)
        return message_response("The user is deleted.")
