"""Addresses of the folder storage's objects."""

from django.urls import path

from uploads.views import media

urlpatterns = [path("<path:key>", media, name="media")]
