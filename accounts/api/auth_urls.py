"""URLs under /api/auth/."""

from django.urls import path

from accounts.api import auth_views

urlpatterns = [
    path("me", auth_views.MeView.as_view()),
    path("me/export", auth_views.ExportView.as_view()),
    path("register", auth_views.RegisterView.as_view()),
    path("login", auth_views.LoginView.as_view()),
    path("refresh", auth_views.RefreshView.as_view()),
    path("reset", auth_views.ResetView.as_view()),
    path("password", auth_views.PasswordView.as_view()),
    path("logout", auth_views.LogoutView.as_view()),
    path("sessions", auth_views.SessionsView.as_view()),
    path("sessions/<int:sign_in_id>", auth_views.SessionView.as_view()),
]
