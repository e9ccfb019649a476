"""A newcomer registers, waits, is approved, and then lists, searches, likes and sees designs."""

import secrets

import pytest
import requests

from tests.e2e.pictures import picture

pytestmark = pytest.mark.e2e


@pytest.fixture
def saree(admin):
    """A published design with a word in its title that no other has."""
    word = f"w{secrets.token_hex(5)}"
    image = admin.post("/api/upload/image", files={"file": ("saree.jpg", picture(), "image/jpeg")})
    assert image.status_code == 201, image.text
    body = {
        "title": f"Kanjivaram {word} साड़ी",
        "r2_object_key": image.json()["object_key"],
        "category": "Saree",
        "colour": "Maroon",
    }
    created = admin.post("/api/designs", json=body)
    assert created.status_code == 201, created.text
    return created.json() | {"word": word}


def test_from_registration_to_a_liked_design(server, admin, saree):
    sign_in = {"username": f"मीरा-{secrets.token_hex(4)}", "password": secrets.token_hex(12)}
    app = server.client()

    registered = app.post("/api/auth/register", json=sign_in)
    assert registered.status_code == 200
    assert registered.json()["user"]["is_approved"] is False

    waiting = app.post("/api/auth/login", json=sign_in)
    assert (waiting.status_code, waiting.json()["code"]) == (403, "approval_pending")

    user_id = registered.json()["user"]["id"]
    pending = admin.get("/api/admin/users/pending", params={"per_page": 100}).json()
    assert user_id in [user["id"] for user in pending["items"]]
    assert admin.post(f"/api/admin/users/{user_id}/approve").status_code == 200

    app.sign_in(**sign_in)
    found = app.get("/api/designs", params={"search": saree["word"]}).json()
    assert [design["id"] for design in found["items"]] == [saree["id"]]
    assert found["items"][0]["is_favorite"] is False

    liked = app.post(f"/api/designs/{saree['id']}/favorite").json()
    assert (liked["is_favorite"], liked["like_count"]) == (True, 1)
    assert app.post(f"/api/designs/{saree['id']}/favorite").json()["like_count"] == 1
    favourites = app.get("/api/designs/user/favorites").json()
    assert [design["id"] for design in favourites["items"]] == [saree["id"]]

    picture_answer = requests.get(favourites["items"][0]["image_url"], timeout=10)
    assert picture_answer.status_code == 200
    assert picture_answer.headers["Content-Type"] == "image/jpeg"
    for rendition in favourites["items"][0]["image"]["renditions"]:
        assert requests.get(rendition["url"], timeout=10).headers["Content-Type"] == "image/webp"

    unliked = app.delete(f"/api/designs/{saree['id']}/favorite").json()
    assert (unliked["is_favorite"], unliked["like_count"]) == (False, 0)


def test_a_page_seen_before_costs_no_body(server, make_user, saree):
    app = server.client(**make_user())
    first = app.get(f"/api/designs/{saree['id']}")
    assert "private" in first.headers["Cache-Control"]
    again = app.get(f"/api/designs/{saree['id']}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_an_avatar_is_uploaded_by_its_owner_straight_to_the_store(server, make_user):
    app = server.client(**make_user())
    content = picture(256, 256, kind="PNG")
    asked = app.get(
        "/api/upload/presigned-url",
        params={"content_type": "image/png", "size": len(content), "category": "avatars"},
    ).json()
    key = asked["object_key"]
    early = app.post("/api/upload/complete", json={"object_key": key})
    assert (early.status_code, early.json()["code"]) == (409, "not_uploaded")
    put = requests.put(asked["upload_url"], data=content, headers=asked["headers"], timeout=10)
    assert put.status_code in (200, 201, 204), put.text
    assert app.post("/api/upload/complete", json={"object_key": key}).status_code == 200
    me = app.put("/api/auth/me", json={"avatar_object_key": key})
    assert me.status_code == 200, me.text
    assert requests.get(me.json()["avatar_url"], timeout=10).status_code == 200


def test_tokens_rotate_and_a_stolen_one_ends_the_sign_in(server, make_user):
    app = server.client()
    first = app.sign_in(**make_user())
    second = app.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    again = app.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    assert again["refresh_token"] == second["refresh_token"]
    second = app.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]}).json()
    app.use(second)
    assert app.get("/api/auth/me").status_code == 200

    stolen = app.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_reused")
    assert app.get("/api/auth/me").status_code == 401
    assert app.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]}).status_code == 401


def test_signing_out_ends_the_tokens_of_that_sign_in_only(server, make_user):
    sign_in = make_user()
    phone, tablet = server.client(**sign_in), server.client(**sign_in)
    assert phone.post("/api/auth/logout").status_code == 200
    assert phone.get("/api/auth/me").status_code == 401
    assert tablet.get("/api/auth/me").status_code == 200
