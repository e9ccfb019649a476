"""Two processes of one host and one of another, on one D1: what each sees of the others, and of D1 being away."""

import dataclasses
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from devtools import fault_plan
from devtools.fault_proxy import FaultProxy
from devtools.ports import free_port
from devtools.serving import Client, Server, new_server, serving
from tests.engine import engine_environment

PATIENCE = 60  # seconds: after failures in a row a host leaves D1 alone for up to 30


@dataclasses.dataclass
class Hosts:
    """`one` and `twin` share a folder, `other` has its own; all reach D1 through `proxy`."""

    one: Server
    twin: Server
    other: Server
    proxy: FaultProxy

    def of(self, client: Client) -> list[Client]:
        """The same signed-in person at each of the three."""
        clients = [server.client() for server in (self.one, self.twin, self.other)]
        for each in clients:
            each.use(client.token)
        return clients


def eventually(question: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def database_of(server: Server) -> dict:
    answer = server.client().get("/health")
    assert answer.status_code == 200
    return answer.json()["checks"]["database"]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    environment = engine_environment()
    if not environment:
        pytest.skip("only D1 has replicas (TEST_ENGINE=d1)")
    environment |= {"WEB_CONCURRENCY": "1", "JWT_SECRET": secrets.token_hex(32), "VIEW_FLUSH_SECONDS": "600"}
    with FaultProxy(environment["CLOUDFLARE_D1_BASE_URL"]) as proxy, ExitStack() as running:
        environment["CLOUDFLARE_D1_BASE_URL"] = proxy.url
        one = new_server(tmp_path_factory.mktemp("one"), **environment)
        twin = dataclasses.replace(one, address=f"http://127.0.0.1:{free_port()}")
        other = dataclasses.replace(
            new_server(tmp_path_factory.mktemp("other"), **environment), admin=one.admin
        )
        one.set_up()
        for server in (one, twin, other):
            running.enter_context(serving(server))
        for server in (one, twin, other):
            assert eventually(lambda server=server: database_of(server)["status"] == "healthy")
        yield Hosts(one, twin, other, proxy)


@pytest.fixture(autouse=True)
def _d1_is_back(hosts):
    yield
    hosts.proxy.plan = None
    hosts.proxy.come_up()
    for server in (hosts.one, hosts.other):
        assert eventually(lambda server=server: database_of(server)["status"] == "healthy")


@pytest.fixture
def admin(hosts):
    return hosts.one.client(**hosts.one.admin)


@pytest.fixture
def user(hosts, admin):
    sign_in = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_hex(12)}
    made = hosts.one.client().post("/api/auth/register", json=sign_in).json()["user"]
    assert admin.post(f"/api/admin/users/{made['id']}/approve").status_code == 200
    client = hosts.one.client(**sign_in)
    client.id = made["id"]
    return client


def status_of_me(client: Client) -> int:
    return client.get("/api/auth/me").status_code


def test_a_new_sign_in_is_good_on_every_host_at_once(hosts, user):
    assert [status_of_me(client) for client in hosts.of(user)] == [200, 200, 200]


@pytest.mark.parametrize("how", ["rejected", "signed out"])
def test_who_is_out_is_out_at_once_on_the_host_and_soon_elsewhere(hosts, admin, user, how):
    at_one, at_twin, at_other = hosts.of(user)
    assert [status_of_me(client) for client in (at_one, at_twin, at_other)] == [200, 200, 200]
    if how == "rejected":
        assert admin.post(f"/api/admin/users/{user.id}/reject").status_code == 200
    else:
        assert at_one.post("/api/auth/logout").status_code == 200
    assert [status_of_me(at_one), status_of_me(at_twin)] == [401, 401]
    assert eventually(lambda: status_of_me(at_other) == 401)


def test_a_like_shows_at_once_on_the_host_and_soon_elsewhere(hosts, user, design):
    at_one, at_twin, at_other = hosts.of(user)
    path = f"/api/designs/{design['id']}"
    assert at_one.post(f"{path}/favorite").json()["like_count"] == 1
    assert at_twin.get(path).json()["is_favorite"] is True
    assert eventually(lambda: at_other.get(path).json().get("is_favorite") is True)


def test_what_another_host_has_just_stored_can_be_worked_on(hosts, admin, design):
    at_other = hosts.of(admin)[2]
    title = {"title": "Kanjeevaram in silk"}
    assert at_other.put(f"/api/designs/{design['id']}", json=title).json()["title"] == title["title"]


def reads(client: Client, design: dict) -> list[int]:
    identity = design["id"]
    paths = [
        "/api/designs", "/api/designs?category=saree", "/api/designs?search=kanj",
        "/api/designs/facets", "/api/designs/featured", f"/api/designs/{identity}",
        f"/api/designs/{identity}/similar", "/api/designs/user/favorites", "/api/auth/sessions",
    ]  # fmt: skip
    return [client.get(path).status_code for path in paths]


def assert_unavailable(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["success"] is False


def test_reads_go_on_while_d1_is_away_and_writes_are_refused_until_it_is_back(hosts, user, design):
    clients = hosts.of(user)
    assert eventually(lambda: status_of_me(clients[2]) == 200 and 404 not in reads(clients[2], design))
    path = f"/api/designs/{design['id']}/favorite"
    hosts.proxy.go_down()
    for client in clients:
        assert set(reads(client, design)) == {200}
        assert_unavailable(client.post(path))
        assert_unavailable(client.get("/api/auth/me"))  # full name and contact are not copied
    for server in (hosts.one, hosts.twin, hosts.other):
        assert eventually(lambda server=server: database_of(server)["status"] == "degraded")
        assert database_of(server)["replica"]["age_s"] > 0
        assert server.client().get("/health").json()["status"] == "degraded"
    for client in clients:
        assert set(reads(client, design)) == {200}
        assert_unavailable(client.post(path))
    assert_unavailable(hosts.one.client().post("/api/auth/login", json=hosts.one.admin))
    hosts.proxy.come_up()
    for client in clients:
        assert eventually(lambda client=client: client.post(path).status_code == 200)
    assert clients[0].post(path).json()["like_count"] == 1


def test_while_d1_says_429_reads_go_on_and_writes_say_how_long_to_wait(hosts, user, design):
    client = hosts.of(user)[0]
    path = f"/api/designs/{design['id']}/favorite"
    hosts.proxy.plan = fault_plan.always(fault_plan.rate_limited("4"))
    answer = client.post(path)
    assert_unavailable(answer)
    assert set(reads(client, design)) == {200}
    assert eventually(lambda: database_of(hosts.one).get("error") == "RateLimited")
    answer = client.post(path)
    assert_unavailable(answer)
    hosts.proxy.plan = None
    assert eventually(lambda: client.post(path).status_code == 200)


def test_while_d1_refuses_the_token_reads_go_on_and_the_right_one_ends_it(hosts, user, design):
    """As when an API token was deleted before its successor was deployed."""
    clients = hosts.of(user)
    assert eventually(lambda: status_of_me(clients[2]) == 200 and 404 not in reads(clients[2], design))
    path = f"/api/designs/{design['id']}/favorite"
    hosts.proxy.plan = fault_plan.always(fault_plan.WRONG_TOKEN)
    for client, server in zip(clients, (hosts.one, hosts.twin, hosts.other), strict=True):
        answer = client.post(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert set(reads(client, design)) == {200}
        assert eventually(lambda server=server: database_of(server)["status"] == "degraded")
    assert "D1 refuses the API token" in (hosts.one.data / "server.log").read_text()
    hosts.proxy.plan = None
    for client in clients:
        assert eventually(lambda client=client: client.post(path).status_code == 200)


def test_a_server_that_is_told_to_end_writes_its_views_first(hosts, user, design):
    path = f"/api/designs/{design['id']}"
    third = dataclasses.replace(hosts.one, address=f"http://127.0.0.1:{free_port()}")
    with serving(third):
        client = third.client()
        client.use(user.token)
        assert [client.get(path).status_code for _ in range(3)] == [200, 200, 200]
    assert user.get(path).json()["view_count"] == 3
