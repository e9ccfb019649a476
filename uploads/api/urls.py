"""URLs of the uploads API."""

from django.urls import path

from uploads.api import views

urlpatterns = [
    path("image", views.UploadView.as_view()),
    path("image/<path:key>", views.ImageView.as_view()),
    path("presigned-url", views.PresignedView.as_view()),
    path("complete", views.CompleteView.as_view()),
    path("images", views.ImageListView.as_view()),
]
