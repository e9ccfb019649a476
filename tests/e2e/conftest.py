"""The server that the journeys run against, its admin and its users."""

import secrets
import time

import pytest

from devtools.serving import new_server, serving
from tests.e2e.pictures import picture
from tests.engine import engine_environment


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = new_server(tmp_path_factory.mktemp("gallery"), **engine_environment())
    server.set_up()
    with serving(server):
        yield server


@pytest.fixture
def admin(server):
    return server.client(**server.admin)


@pytest.fixture
def make_user(server, admin):
    """Register a user; approve him unless told otherwise. Answers his sign-in."""

    def make(*, approved: bool = True) -> dict[str, str]:
        sign_in = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_hex(12)}
        user = server.client().post("/api/auth/register", json=sign_in).json()["user"]
        if approved:
            assert admin.post(f"/api/admin/users/{user['id']}/approve").status_code == 200
        return sign_in

    return make


@pytest.fixture
def design(admin):
    files = {"file": ("saree.jpg", picture(), "image/jpeg")}
    key = admin.post("/api/upload/image", files=files).json()["object_key"]
    fields = {"title": "Kanjeevaram", "category": "Saree", "r2_object_key": key}
    return admin.post("/api/designs", json=fields).json()


@pytest.fixture
def wait_until():
    """Wait until a condition holds, for 20 s at most."""

    def wait(condition) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait
