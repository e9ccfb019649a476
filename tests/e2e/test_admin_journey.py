"""An admin decides on users, keeps the catalogue, changes settings, and finds it all in the audit trail."""

import secrets

import pytest

from tests.e2e.pictures import picture

pytestmark = pytest.mark.e2e


def test_a_rejected_user_is_out_at_once_and_may_be_taken_in_later(server, admin, make_user):
    sign_in = make_user()
    app = server.client(**sign_in)
    user_id = app.get("/api/auth/me").json()["id"]

    rejected = admin.post(f"/api/admin/users/{user_id}/reject", json={"reason": "Not a customer"})
    assert rejected.json()["user"]["state"] == "rejected"
    assert rejected.json()["user"]["rejection_reason"] == "Not a customer"
    # Whichever worker process answers.
    assert {app.get("/api/auth/me").status_code for _ in range(12)} == {401}
    for refused in (
        app.post("/api/auth/refresh", json={"refresh_token": app.token["refresh_token"]}),
        server.client().post("/api/auth/login", json=sign_in),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "approval_rejected")
        assert refused.json()["rejection_reason"] == "Not a customer"

    assert admin.post(f"/api/admin/users/{user_id}/approve").status_code == 200
    assert server.client(**sign_in).get("/api/auth/me").status_code == 200

    trail = admin.get("/api/admin/audit", params={"object_type": "user", "per_page": 100}).json()["items"]
    actions = [entry["action"] for entry in trail if entry["object_id"] == str(user_id)]
    assert actions[:2] == ["user.approve", "user.reject"]
    assert trail[0]["actor"]["username"] == server.admin["username"]


def test_the_last_admin_can_not_lock_himself_out(admin):
    me = admin.get("/api/auth/me").json()["id"]
    demoted = admin.put(f"/api/admin/users/{me}", json={"is_admin": False})
    assert demoted.status_code == 409
    assert demoted.json()["code"] in {"own_account", "last_admin"}
    assert admin.delete(f"/api/admin/users/{me}").status_code == 409
    assert admin.get("/api/auth/me").json()["is_admin"] is True


def test_a_design_from_upload_to_deletion(server, admin, make_user):
    app = server.client(**make_user())
    image = admin.post("/api/upload/image", files={"file": ("../../x.jpg", picture(), "image/jpeg")}).json()
    key = image["object_key"]
    created = admin.post(
        "/api/designs",
        json={"title": "Ajrakh stole", "r2_object_key": key, "category": "Stole", "status": "draft"},
    ).json()
    path = f"/api/designs/{created['id']}"
    assert app.get(path).status_code == 404

    assert admin.put(path, json={"status": "published", "colour": "Indigo"}).json()["colour"] == "Indigo"
    assert app.get(path).json()["title"] == "Ajrakh stole"

    in_use = admin.delete(f"/api/upload/image/{key}")
    assert (in_use.status_code, in_use.json()["code"]) == (409, "image_in_use")
    assert admin.delete(path).json()["success"] is True
    assert app.get(path).status_code == 404
    assert admin.delete(path, params={"purge": "true"}).json()["success"] is True
    assert admin.delete(f"/api/upload/image/{key}").status_code == 200


def test_closing_registration_and_opening_the_catalogue(server, admin):
    anyone = server.client()
    try:
        changed = admin.put(
            "/api/admin/settings", json={"settings": {"registration_open": False, "public_catalogue": True}}
        )
        assert changed.status_code == 200
        newcomer = {"username": f"late-{secrets.token_hex(4)}", "password": secrets.token_hex(12)}
        closed = anyone.post("/api/auth/register", json=newcomer)
        assert (closed.status_code, closed.json()["code"]) == (403, "registration_closed")
        assert anyone.get("/api/designs").status_code == 200
    finally:
        admin.put(
            "/api/admin/settings", json={"settings": {"registration_open": True, "public_catalogue": False}}
        )
    assert anyone.get("/api/designs").status_code == 401


def test_an_unknown_setting_changes_nothing(admin):
    before = admin.get("/api/admin/settings").json()
    refused = admin.put("/api/admin/settings", json={"settings": {"public_catalogue": True, "nonsense": 1}})
    assert refused.status_code == 400
    assert "settings.nonsense" in refused.json()["errors"]
    assert admin.get("/api/admin/settings").json() == before


def test_a_user_may_do_none_of_this(server, make_user):
    app = server.client(**make_user())
    for method, path in [
        ("GET", "/api/admin/users"),
        ("GET", "/api/admin/analytics"),
        ("GET", "/api/admin/settings"),
        ("GET", "/api/admin/audit"),
        ("POST", "/api/designs"),
        ("GET", "/api/upload/images"),
        ("POST", "/api/upload/image"),
    ]:
        answer = app.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


def test_analytics_counts_what_happened(server, admin, make_user):
    server.client(**make_user()).get("/api/designs")
    found = admin.get("/api/admin/analytics", params={"days": 7}).json()
    assert found["users"]["admins"] >= 1
    assert len(found["series"]) == 7
    assert found["series"][-1]["signups"] >= 1


def test_the_admin_console_opens_for_admins_only(server, make_user):
    import requests

    for sign_in, lands in [(server.admin, True), (make_user(), False)]:
        browser = requests.Session()
        page = browser.get(f"{server.address}/admin/login/", timeout=10)
        assert page.status_code == 200
        form = {**sign_in, "csrfmiddlewaretoken": browser.cookies["csrftoken"], "next": "/admin/"}
        answer = browser.post(page.url, data=form, headers={"Referer": page.url}, timeout=10)
        assert (answer.url == f"{server.address}/admin/") is lands
