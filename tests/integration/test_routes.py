"""The route that logs and metrics name in place of a path."""

import pytest
from django.test import RequestFactory

from core.routes import UNMATCHED, route_of

ROUTES = {
    "/": "/",
    "/api/designs": "/api/designs",
    "/api/designs/12/favorite": "/api/designs/{design_id}/favorite",
    "/api/upload/image/designs/a.jpg": "/api/upload/image/{key}",
    "/media/designs/a.jpg": "/media/{key}",
    "/static/console/approvals.css": "/static/{file}",
    "/admin/": "/admin/",
    "/admin/designs/": "/admin/{app_label}/",
    "/admin/designs/design/5/change/": "/admin/designs/design/{object_id}/change/",
}


@pytest.mark.parametrize(("path", "route"), ROUTES.items())
def test_a_path_becomes_its_route_before_django_looks_for_the_view(path, route):
    assert route_of(RequestFactory().get(path)) == route


@pytest.mark.parametrize(
    "path", ["/charulata", "/api/charulata", "/api", "/admin/charulata/", "/api/designs/x"]
)
def test_a_path_that_nothing_answers_is_not_told(path):
    assert route_of(RequestFactory().get(path)) == UNMATCHED


def test_the_route_is_the_one_that_answered(client):
    response = client.get("/health/live")
    assert route_of(response.wsgi_request) == "/health/live"
