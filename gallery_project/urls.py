"""Every URL of the service. The JSON API has no trailing slashes."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts.delete_page import delete_page
from console import failures
from console.accounts.password_change import password_change
from core import system
from core.api import views

handler403 = failures.forbidden
handler404 = failures.missing
handler500 = system.failure

urlpatterns = [
    path("api/designs", include("designs.api.urls")),  # first: most requests go there
    path("", system.home),
    path("health", system.health),
    path("health/live", system.live),
    path("health/ready", system.ready),
    path("info", system.info),
    path("metrics", system.metrics),
    path("admin", system.safe_in_envelope(RedirectView.as_view(pattern_name="admin:index"))),
    path("admin/password_change/", password_change),  # instead of Django's, which bypasses the services
    path("admin/", admin.site.urls),
    path("media/", include("uploads.urls")),
    path("account/delete", delete_page),
    path("api/auth/", include("accounts.api.auth_urls")),
    path("api/admin/", include("accounts.api.admin_urls")),
    path("api/admin/", include("designs.api.admin_urls")),
    path("api/admin/settings", views.SettingsView.as_view()),
    path("api/admin/audit", views.AuditView.as_view()),
    path("api/upload/", include("uploads.api.urls")),
    re_path(r"^api(/.*)?$", views.unknown_address),
]
if settings.DEBUG:
    urlpatterns += [
        path("docs", system.safe_in_envelope(views.SwaggerView.as_view(url_name="openapi")), name="docs"),
        path("openapi.json", system.safe_in_envelope(views.SchemaView.as_view()), name="openapi"),
    ]
