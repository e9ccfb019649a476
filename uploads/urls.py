"""Addresses of the folder storage's objects."""

from django.urls import path

from uploads.serving import media

urlpatterns = [path("<path:key>", media, name="media")]
