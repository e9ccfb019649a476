"""JWT_SECRET is replaced on two hosts, one after the other: at each step people use both, and nobody is signed out."""

import dataclasses
import itertools
import re
import secrets
from contextlib import ExitStack

import jwt
import pytest
import requests

from devtools.ports import free_port
from devtools.serving import Server, new_server, serving
from tests.engine import engine_environment

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
# The steps of docs/secrets.md, as JWT_SECRET and JWT_SECRET_PREVIOUS.
BEFORE, READY, CHANGED, DONE = (OLD, ""), (OLD, NEW), (NEW, OLD), (NEW, "")


@dataclasses.dataclass
class Person:
    """Somebody who signed in at one host: in the API, in the console, on the first page of a list."""

    access: str
    refresh: str
    console: requests.Session
    cursor: str

    def is_in(self, server: Server) -> bool:
        """Whether the token and the cookie open this host's pages."""
        answer = requests.get(f"{server.address}/api/auth/me", headers=self.headers, timeout=30)
        page = self.console.get(f"{server.address}/admin/", allow_redirects=False, timeout=30)
        assert (answer.status_code, page.status_code) in ((200, 200), (401, 302))
        return answer.status_code == 200

    def refreshed(self, server: Server) -> requests.Response:
        sent = {"refresh_token": self.refresh}
        return requests.post(f"{server.address}/api/auth/refresh", json=sent, timeout=30)

    def next_page(self, server: Server) -> requests.Response:
        address = f"{server.address}/api/designs?per_page=1&after={self.cursor}"
        return requests.get(address, headers=self.headers, timeout=30)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


def sign_in(server: Server) -> Person:
    client = server.client(**server.admin)
    console = requests.Session()
    page = console.get(f"{server.address}/admin/login/", timeout=30)
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    sent = {**server.admin, "csrfmiddlewaretoken": csrf}
    assert console.post(f"{server.address}/admin/login/", data=sent, timeout=30).url.endswith("/admin/")
    cursor = client.get("/api/designs?per_page=1").json()["next"]
    return Person(client.token["access_token"], client.token["refresh_token"], console, cursor)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """A host of each step; on SQLite they share the file."""
    environment = {"WEB_CONCURRENCY": "1", "REPLICA_MAX_AGE": "0.5", **engine_environment()}
    own = bool(engine_environment())
    first = new_server(tmp_path_factory.mktemp("before"), **environment)
    made = []
    for name, (secret, previous) in {
        "before": BEFORE,
        "ready": READY,
        "changed": CHANGED,
        "done": DONE,
    }.items():
        data = tmp_path_factory.mktemp(name) if own and made else first.data
        known = {**first.environment, "JWT_SECRET": secret, "DATA": str(data)}
        known |= {"JWT_SECRET_PREVIOUS": previous} if previous else {}
        made.append(
            dataclasses.replace(
                first, address=f"http://127.0.0.1:{free_port()}", data=data, environment=known
            )
        )
    made[0].set_up()
    made[0].manage("seed_demo", "--designs", "3")
    with ExitStack() as running:
        yield [running.enter_context(serving(server)) for server in made]


def test_who_signed_in_on_either_host_is_in_on_both_at_each_step(hosts):
    for one, two in itertools.pairwise(hosts):
        for server, other in ((one, two), (two, one)):
            person = sign_in(server)
            for each in (server, other):
                assert person.is_in(each), (hosts.index(server), hosts.index(each))
                page = person.next_page(each)
                assert page.status_code == 200, page.text


def test_a_refresh_gives_the_same_successor_on_both_signed_by_each_ones_own_secret(hosts):
    _, ready, changed, _ = hosts
    person = sign_in(ready)
    by_old, by_new = (person.refreshed(server).json() for server in (ready, changed))
    ids = [
        jwt.decode(answer["refresh_token"], secret, ["HS256"])["jti"]
        for answer, secret in ((by_old, OLD), (by_new, NEW))
    ]
    assert ids[0] == ids[1]
    # Either of them goes on, and the other is then the one that was used.
    person.refresh = by_old["refresh_token"]
    third = person.refreshed(changed).json()
    person.refresh = by_new["refresh_token"]
    assert person.refreshed(ready).json()["expires_in"]
    jwt.decode(third["access_token"], NEW, ["HS256"])


def test_without_the_first_step_a_host_refuses_what_the_other_signs(hosts):
    before, _, changed, _ = hosts
    assert not sign_in(changed).is_in(before)


def test_when_the_previous_secret_is_gone_what_it_signed_is_refused(hosts):
    before, _, changed, done = hosts
    person = sign_in(before)
    assert person.is_in(changed)
    assert not person.is_in(done)
    assert person.refreshed(done).status_code == 401
    # Who came back in time has tokens of the new secret.
    answer = person.refreshed(changed).json()
    person.access, person.refresh = answer["access_token"], answer["refresh_token"]
    assert requests.get(f"{done.address}/api/auth/me", headers=person.headers, timeout=30).status_code == 200
    assert person.refreshed(done).status_code == 200
