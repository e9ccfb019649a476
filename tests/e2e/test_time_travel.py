"""D1 goes back in time under two running hosts: what people get whose pages and tokens are of the lost time."""

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from devtools.fault_proxy import FaultProxy
from devtools.serving import Client, Server, new_server, serving
from devtools.time_travel import TimeTravel
from tests.e2e.test_replica import eventually
from tests.engine import engine_environment


@pytest.fixture(scope="module")
def hosts(tmp_path_factory) -> Iterator[list[Server]]:
    environment = engine_environment()
    if not environment:
        pytest.skip("only D1 has Time Travel (TEST_ENGINE=d1)")
    environment |= {"WEB_CONCURRENCY": "1", "JWT_SECRET": secrets.token_hex(32)}
    url, token = environment["CLOUDFLARE_D1_BASE_URL"], environment["CLOUDFLARE_API_TOKEN"]
    with ExitStack() as running:
        proxy = running.enter_context(FaultProxy(url))
        proxy.plan = running.enter_context(TimeTravel(url, token, environment["CLOUDFLARE_ACCOUNT_ID"]))
        environment["CLOUDFLARE_D1_BASE_URL"] = proxy.url
        one = new_server(tmp_path_factory.mktemp("one"), **environment)
        other = dataclasses.replace(
            new_server(tmp_path_factory.mktemp("other"), **environment), admin=one.admin
        )
        one.set_up()
        one.manage("seed_demo", "--designs", "3")
        yield [running.enter_context(serving(server)) for server in (one, other)]


def newcomer(host: Server, admin: Client) -> Client:
    sign_in = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_hex(12)}
    made = host.client().post("/api/auth/register", json=sign_in).json()["user"]
    assert admin.post(f"/api/admin/users/{made['id']}/approve").status_code == 200
    client = host.client(**sign_in)
    client.id = made["id"]
    return client


def at(host: Server, client: Client) -> Client:
    """The same signed-in person at another host."""
    moved = host.client()
    moved.use(client.token)
    return moved


def titles(client: Client) -> set[str]:
    return {item["title"] for item in client.get("/api/designs").json()["items"]}


def test_the_lost_time_is_gone_everywhere_and_nothing_of_it_means_something_else(hosts):
    one, other = hosts
    admin = one.client(**one.admin)
    early = newcomer(one, admin)
    design = early.get("/api/designs").json()["items"][0]
    bookmark = one.manage("d1_time_travel").strip()

    lost = newcomer(one, admin)
    admin.put(f"/api/designs/{design['id']}", json={"title": "Of the lost time"})
    assert eventually(lambda: "Of the lost time" in titles(at(other, early)))
    tags = {server.address: at(server, early).get("/api/designs").headers["ETag"] for server in (one, other)}
    said = one.manage("d1_time_travel", "--at", bookmark, "--restore", "--no-input")
    assert "To undo: python manage.py d1_time_travel --at " in said
    assert "tidy --only deleted_accounts" in said

    again = newcomer(other, other.client(**other.admin))
    assert again.id > lost.id
    for server in (one, other):
        reader = at(server, early)
        assert eventually(lambda reader=reader: design["title"] in titles(reader))
        assert "Of the lost time" not in titles(reader)
        answer = reader.get("/api/designs", headers={"If-None-Match": tags[server.address]})
        assert answer.status_code == 200
        assert answer.headers["ETag"] not in tags.values()
        refused = at(server, lost).get("/api/auth/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
        assert reader.get("/api/auth/me").json()["id"] == early.id
        assert at(server, again).get("/api/auth/me").json()["id"] == again.id
    # The same change again gives the same rows, and another version.
    admin.put(f"/api/designs/{design['id']}", json={"title": "Of the lost time"})
    for server in (one, other):
        reader = at(server, early)
        assert eventually(lambda reader=reader: "Of the lost time" in titles(reader))
        answer = reader.get("/api/designs", headers={"If-None-Match": tags[server.address]})
        assert answer.status_code == 200
