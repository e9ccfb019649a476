"""What strangers and signed-in people may spend of D1's calls, at a server that reads from its copy."""

import dataclasses
import re
import secrets
import time
from contextlib import ExitStack

import jwt
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from devtools.fault_plan import RateLimit
from devtools.fault_proxy import FaultProxy
from devtools.serving import new_server, serving
from tests.e2e.pictures import picture
from tests.e2e.test_replica import database_of, eventually
from tests.engine import engine_environment

ALLOWANCE = 400  # a user may use a quarter of it in five minutes, and half of that at once
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAMPLES = {"int": "1", "path": "designs/2026/11/1_00000000-0000-4000-8000-000000000000.jpg"}


@pytest.fixture(scope="module")
def cloud():
    """The environment of servers at one database, and the proxy that they reach it through."""
    environment = engine_environment()
    if not environment:
        pytest.skip("only D1 has an allowance (TEST_ENGINE=d1)")
    environment |= {"WEB_CONCURRENCY": "1", "JWT_SECRET": secrets.token_hex(32), "VIEW_FLUSH_SECONDS": "600"}
    with FaultProxy(environment["CLOUDFLARE_D1_BASE_URL"]) as proxy:
        yield environment | {"CLOUDFLARE_D1_BASE_URL": proxy.url}, proxy


@pytest.fixture(scope="module")
def quiet(cloud, tmp_path_factory):
    """A server without a limit, whose copy is seldom synced."""
    environment, _ = cloud
    server = new_server(tmp_path_factory.mktemp("quiet"), **environment, REPLICA_MAX_AGE="3600")
    server.set_up()
    with serving(server):
        # The command that fills the copy beside the server has calls of its own.
        assert eventually(lambda: "The replica is up to date." in (server.data / "server.log").read_text())
        yield server


@pytest.fixture(scope="module")
def admin(quiet):
    return quiet.client(**quiet.admin)


@pytest.fixture(scope="module")
def new_user(quiet, admin):
    def new_user(*, approved=True):
        sign_in = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_hex(12)}
        made = quiet.client().post("/api/auth/register", json=sign_in).json()["user"]
        if approved:
            assert admin.post(f"/api/admin/users/{made['id']}/approve").status_code == 200
        return sign_in

    return new_user


def asked(proxy):
    """The statements of each call so far that is no sync of the copy."""
    calls = [request.sql for request, _ in list(proxy.log)]
    return [sql for sql in calls if sql and not sql[0].startswith("SELECT epoch, floor")]


def calls_of(proxy, act):
    before = len(asked(proxy))
    answer = act()
    return answer, len(asked(proxy)) - before


def addresses(resolver, prefix=""):
    """A path for every route below a resolver, with values for what the routes leave open."""
    for pattern in resolver.url_patterns:
        text = str(pattern.pattern).removeprefix("^").removesuffix("$").replace("(/.*)?", "/nothing")
        text = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "", "x"), text)
        text = re.sub(r"\(\?P<\w+>[^)]*\)", "1", text).replace("\\Z", "").replace("\\", "")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, prefix + text)
        elif isinstance(pattern, URLPattern):
            yield "/" + prefix + text


def strangers(quiet):
    """The Authorization of callers who are not signed in; the last one's sign-in has ended."""
    secret, now = quiet.environment["JWT_SECRET"], int(time.time())

    def token(key=secret, **claims):
        said = {
            "token_type": "access",
            "user_id": 1,
            "sign_in": 999_999,
            "jti": "x",
            "iat": now - 7200,
            "exp": now + 600,
        }
        return "Bearer " + jwt.encode(said | claims, key, "HS256")

    return {
        "none": None,
        "bad": "Bearer nonsense",
        "forged": token("another secret of more than 32 characters"),
        "expired": token(exp=now - 600),
        "ended": token(),
    }  # fmt: skip


@pytest.mark.parametrize("who", ["none", "bad", "forged", "expired", "ended"])
def test_no_route_costs_a_call_for_a_stranger(quiet, cloud, who):
    _, proxy = cloud
    authorization = strangers(quiet)[who]
    client = quiet.client()
    if authorization:
        client.session.headers["Authorization"] = authorization
    # The rest does not look at tokens.
    paths = [
        path for path in sorted(set(addresses(get_resolver()))) if who == "none" or path.startswith("/api")
    ]
    assert len(paths) > (60 if who == "none" else 25)
    cost = {}
    for path in paths:
        for method in METHODS:
            send = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
            before = len(asked(proxy))
            answer = client.request(method, path, allow_redirects=False, **send)
            assert answer.status_code < 500, (method, path, answer.text)
            if calls := asked(proxy)[before:]:
                cost[method, path] = calls
    assert cost == {}


def refresh(quiet, token):
    return quiet.client().post("/api/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_that_was_replayed_costs_nothing_from_then_on(quiet, cloud, new_user):
    _, proxy = cloud
    dead = quiet.client(**new_user()).token["refresh_token"]
    successor = refresh(quiet, dead).json()["refresh_token"]
    assert refresh(quiet, successor).status_code == 200
    assert refresh(quiet, dead).json()["code"] == "token_reused"
    for _ in range(3):
        answer, calls = calls_of(proxy, lambda: refresh(quiet, dead))
        assert (answer.json()["code"], calls) == ("token_reused", 0)


def test_a_refresh_token_of_a_sign_in_that_has_ended_costs_nothing(quiet, cloud, new_user):
    """The copy may lack what is as new as itself, so the token says that it is older."""
    _, proxy = cloud
    client = quiet.client(**new_user())
    claims = jwt.decode(client.token["refresh_token"], options={"verify_signature": False})
    assert client.post("/api/auth/logout").status_code == 200
    old = jwt.encode(claims | {"iat": claims["iat"] - 7200}, quiet.environment["JWT_SECRET"], "HS256")
    answer, calls = calls_of(proxy, lambda: refresh(quiet, old))
    assert (answer.status_code, answer.json()["code"], calls) == (401, "token_revoked", 0)


def test_the_right_password_of_a_pending_user_is_asked_for_a_few_times_only(quiet, cloud, new_user):
    _, proxy = cloud
    pending = new_user(approved=False)
    answers = [quiet.client().post("/api/auth/login", json=pending) for _ in range(10)]
    assert {answer.json()["code"] for answer in answers} == {"approval_pending"}
    answer, calls = calls_of(proxy, lambda: quiet.client().post("/api/auth/login", json=pending))
    assert (answer.status_code, answer.json()["code"], calls) == (429, "too_many_attempts", 0)
    assert int(answer.headers["Retry-After"]) > 0


def test_unknown_keys_are_asked_for_a_few_times_only(quiet, cloud, new_user):
    _, proxy = cloud
    client = quiet.client(**new_user())
    key = {"object_key": SAMPLES["path"]}
    assert {client.post("/api/upload/complete", json=key).status_code for _ in range(20)} == {404}
    answer, calls = calls_of(proxy, lambda: client.post("/api/upload/complete", json=key))
    assert (answer.status_code, answer.json()["code"], calls) == (429, "too_many_requests", 0)


@pytest.fixture
def limited(cloud, quiet, tmp_path):
    """A second host with an allowance that D1 enforces, and a copy of its own."""
    environment, proxy = cloud
    settings = environment | {"D1_ALLOWANCE": str(ALLOWANCE)}
    server = dataclasses.replace(new_server(tmp_path, **settings), admin=quiet.admin)
    with ExitStack() as running:
        running.enter_context(serving(server))
        assert eventually(lambda: database_of(server)["status"] == "healthy")
        proxy.rate = RateLimit(ALLOWANCE, 300)
        proxy.refused = 0
        yield server
        proxy.rate = None


def test_a_user_who_hammers_is_refused_and_the_others_are_not(limited, cloud, admin, new_user):
    _, proxy = cloud
    files = {"file": ("saree.jpg", picture(), "image/jpeg")}
    key = admin.post("/api/upload/image", files=files).json()["object_key"]
    fields = {"title": "Kanjeevaram", "category": "Saree", "r2_object_key": key}
    design = admin.post("/api/designs", json=fields).json()
    path = f"/api/designs/{design['id']}/favorite"
    first, second = new_user(), new_user()
    hammering, other = limited.client(**first), limited.client(**second)
    answers = [hammering.post(path) for _ in range(ALLOWANCE // 4)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.json()["code"] for answer in refused} == {"too_many_requests"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert other.post(path).status_code == 200
    assert hammering.get("/api/designs").status_code == 200
    # Syncs go on while writes are refused: the copy does not get old.
    assert hammering.post(path).status_code == 429
    time_of_refusal = time.time()
    assert eventually(lambda: database_of(limited)["replica"]["age_s"] < time.time() - time_of_refusal)
    assert proxy.refused == 0
