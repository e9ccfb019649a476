"""What one worker has written every worker knows with the next request, whatever it keeps of the database."""

import contextlib
import json

import pytest

from devtools.serving import new_server, serving
from tests.e2e.processes import connections_held
from tests.e2e.raw_http import Wire
from tests.engine import engine_environment

pytestmark = pytest.mark.e2e

LIST, FAVOURITES = "/api/designs", "/api/designs/user/favorites"
DEVICES = 4  # connections, of which each of two workers holds some


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = new_server(tmp_path_factory.mktemp("gallery"), **engine_environment(), WEB_CONCURRENCY="2")
    server.set_up()
    with serving(server):
        yield server


@pytest.fixture
def wires(server, wait_until):
    """Connections to both workers."""
    with contextlib.ExitStack() as stack:

        def are_spread():
            stack.close()
            opened[:] = [stack.enter_context(Wire(server)) for _ in range(DEVICES)]
            assert all(wire.ask("GET", "/health/live").status == 200 for wire in opened)
            return 0 not in connections_held(server)

        opened = []
        wait_until(are_spread)
        yield opened


def ask(wire, client, method, path, **body):
    headers = [f"Authorization: Bearer {client.token['access_token']}", "Content-Type: application/json"]
    return wire.ask(method, path, *headers, body=json.dumps(body).encode() if body else b"")


def seen(wires, client, path):
    """What each connection is answered."""
    return [ask(wire, client, "GET", path) for wire in wires]


def statuses(wires, client, *paths):
    return {answer.status for path in paths for answer in seen(wires, client, path)}


@pytest.mark.parametrize("by", range(DEVICES))
def test_every_worker_refuses_who_signed_out(by, server, wires, make_user, design):
    phone = server.client(**make_user())
    paths = (LIST, f"{LIST}/{design['id']}", FAVOURITES)
    assert statuses(wires, phone, *paths) == {200}
    assert ask(wires[by], phone, "POST", "/api/auth/logout").status == 200
    assert statuses(wires, phone, *paths) == {401}


@pytest.mark.parametrize("by", range(DEVICES))
def test_no_worker_shows_drafts_to_who_was_an_admin(by, wires, server, admin, make_user, design):
    sign_in = make_user()
    (user,) = admin.get("/api/admin/users", params={"search": sign_in["username"]}).json()["items"]
    address = f"/api/admin/users/{user['id']}"
    assert ask(wires[by], admin, "PUT", address, is_admin=True).status == 200
    other, draft = server.client(**sign_in), f"{LIST}/{design['id']}"
    assert ask(wires[by], admin, "PUT", draft, status="draft").status == 200
    assert statuses(wires, other, draft) == {200}
    assert ask(wires[by], admin, "PUT", address, is_admin=False).status == 200
    assert statuses(wires, other, draft).isdisjoint({200})


def test_every_worker_shows_what_is_published_and_liked_and_nothing_that_is_not(
    wires, server, admin, make_user, design
):
    phone, address = server.client(**make_user()), f"{LIST}/{design['id']}"
    for by in range(DEVICES):
        assert ask(wires[by], admin, "PUT", address, status="published").status == 200
        assert ask(wires[by], phone, "POST", f"{address}/favorite").status == 200
        assert {one.json()["is_favorite"] for one in seen(wires, phone, address)} == {True}
        assert ask(wires[by], admin, "PUT", address, status="archived").status == 200
        assert statuses(wires, phone, address) == {404}
        assert [one.json()["items"] for one in seen(wires, phone, FAVOURITES)] == [[]] * DEVICES
        assert ask(wires[by], phone, "DELETE", f"{address}/favorite").status in (200, 404)


def test_every_worker_obeys_a_setting(wires, server, admin):
    for by in range(DEVICES):
        for is_public, status in ((True, 200), (False, 401)):
            body = {"settings": {"public_catalogue": is_public}}
            assert ask(wires[by], admin, "PUT", "/api/admin/settings", **body).status == 200
            assert {wire.ask("GET", LIST).status for wire in wires} == {status}
