"""Addresses of the catalogue, after /api/designs."""

from django.urls import path, register_converter

from core.api.converters import RowId
from designs.api import views

register_converter(RowId, "row_id")

urlpatterns = [
    path("", views.DesignsView.as_view()),
    path("/facets", views.FacetsView.as_view()),
    path("/featured", views.FeaturedView.as_view()),
    path("/suggest", views.SuggestView.as_view()),
    path("/user/favorites", views.FavouritesView.as_view()),
    path("/<row_id:design_id>", views.DesignView.as_view()),
    path("/<row_id:design_id>/similar", views.SimilarView.as_view()),
    path("/<row_id:design_id>/restore", views.RestoreView.as_view()),
    path("/<row_id:design_id>/versions", views.VersionsView.as_view()),
    path("/<row_id:design_id>/favorite", views.FavouriteView.as_view()),
]
