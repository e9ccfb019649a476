"""Pages of other origins, such as the app's web build, call the API from a browser."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

ME = "/api/auth/me"
APP, STRANGER = "https://app.example", "https://evil.example"


@pytest.fixture(autouse=True)
def _one_origin(settings):
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOWED_ORIGINS = False, [APP]


def varies(answer):
    return answer.headers["Vary"].lower().replace(" ", "").split(",")


@pytest.mark.parametrize(("origin", "allowed"), [(APP, APP), (STRANGER, None), (None, None)])
def test_a_cache_keeps_the_answers_of_each_origin_apart(origin, allowed):
    answer = Client().get(ME, headers={"Origin": origin} if origin else {})
    assert answer.status_code == 401
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert "origin" in varies(answer)


def test_pages_of_this_service_are_not_for_other_origins():
    answer = Client().get("/", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("origin", "allowed"), [(APP, APP), (STRANGER, None)])
def test_a_browser_may_ask_first(origin, allowed):
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answer = Client().options(ME, headers=headers)
    assert answer.status_code == 200
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
