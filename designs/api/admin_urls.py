"""Addresses of staff, after /api/admin/."""

from django.urls import path

from designs.api.analytics import AnalyticsView

urlpatterns = [path("analytics", AnalyticsView.as_view())]
