"""URLs for staff to manage users, under /api/admin/."""

from django.urls import path

from accounts.api import admin_views

urlpatterns = [
    path("users", admin_views.UsersView.as_view()),
    path("users/pending", admin_views.PendingUsersView.as_view()),
    path("users/<int:user_id>", admin_views.UserView.as_view()),
    path("users/<int:user_id>/approve", admin_views.ApproveView.as_view()),
    path("users/<int:user_id>/reject", admin_views.RejectView.as_view()),
    path("users/<int:user_id>/reset-code", admin_views.ResetCodeView.as_view()),
]
