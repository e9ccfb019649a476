"""URLs of the objects of the folder storage."""

from django.urls import path

from uploads.views import media

urlpatterns = [path("<path:key>", media, name="media")]
