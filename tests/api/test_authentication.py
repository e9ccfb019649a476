"""Which tokens are taken, at what cost, and when they stop being taken."""

import base64
import json
import time
from datetime import timedelta
from types import SimpleNamespace

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from accounts import tokens
from accounts.models import SignIn, User
from accounts.tokens import AccessToken
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

PROTECTED = "/api/admin/audit"
HOUR = timedelta(hours=1)


@pytest.fixture
def admin():
    return ApiClient.admin()


def claims_of(client):
    return jwt.decode(client.token, settings.JWT_SECRET, ["HS256"])


def signed(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, settings.JWT_SECRET if key is None else key, algorithm)


def test_the_access_token_says_what_the_contract_promises(admin):
    claims = claims_of(admin)
    assert claims["user_id"] == admin.user.pk
    assert type(claims["user_id"]) is int
    assert claims["username"] == admin.user.username
    assert claims["is_admin"] is True
    assert claims["exp"] - claims["iat"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()
    assert claims["token_type"] == "access"
    assert jwt.get_unverified_header(admin.token)["alg"] == "HS256"


def test_a_good_token_costs_one_query(admin, django_assert_num_queries):
    with django_assert_num_queries(3):  # the others are those of the empty audit trail
        assert admin.get(PROTECTED).status_code == 200


def test_the_authenticating_query_leaves_the_password_hash_in_the_database(admin, django_assert_num_queries):
    with django_assert_num_queries(3) as captured:
        admin.get(PROTECTED)
    assert not any("password_hash" in query["sql"] for query in captured.captured_queries)


def test_without_a_token_one_is_asked_to_sign_in():
    refused(ApiClient().get(PROTECTED), 401, "not_authenticated")


def forged_none(claims):
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, ""])


FORGERIES = {
    "no algorithm": forged_none,
    "another key": lambda claims: signed(claims, key="k" * 40),
    "another algorithm": lambda claims: signed(claims, algorithm="HS512"),
    "a refresh token's type": lambda claims: signed({**claims, "token_type": "refresh"}),
    "no type": lambda claims: signed({k: v for k, v in claims.items() if k != "token_type"}),
    "no expiry": lambda claims: signed({k: v for k, v in claims.items() if k != "exp"}),
    "no time": lambda claims: signed({k: v for k, v in claims.items() if k != "iat"}),
    "text for the time": lambda claims: signed({**claims, "iat": str(claims["iat"])}),
    "no sign-in": lambda claims: signed({k: v for k, v in claims.items() if k != "sign_in"}),
    "text for the user": lambda claims: signed({**claims, "user_id": str(claims["user_id"])}),
    "a list for the sign-in": lambda claims: signed({**claims, "sign_in": [claims["sign_in"]]}),
    "an id beyond 64 bits": lambda claims: signed({**claims, "sign_in": 2**64}),
    "an expiry beyond the calendar": lambda claims: signed({**claims, "exp": 10**18}),
    "half a token": lambda claims: signed(claims)[:-9],
    "not a token": lambda claims: "silk",
    "letters beyond ASCII": lambda claims: "rèsham.x.y",
    "nothing": lambda claims: "",
    "two words": lambda claims: f"{signed(claims)} {signed(claims)}",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(admin, forge):
    refused(ApiClient().get(PROTECTED), 401, "not_authenticated")
    admin.token = forge(claims_of(admin)).encode().decode("latin-1")
    response = admin.http.get(PROTECTED, headers={"Authorization": f"Bearer {admin.token}"})
    refused(response, 401, "invalid_token")


def test_a_tampered_payload_is_refused(admin):
    head, _, signature = admin.token.split(".")
    claims = {**claims_of(admin), "user_id": 1}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    refused(ApiClient(token=f"{head}.{body}.{signature}").get(PROTECTED), 401, "invalid_token")


def test_another_users_sign_in_does_not_carry_a_token(admin):
    claims = {**claims_of(admin), "user_id": UserFactory().pk}
    refused(ApiClient(token=signed(claims)).get(PROTECTED), 401, "token_revoked")


def test_an_expired_token_says_so(admin):
    claims = {**claims_of(admin), "exp": int((timezone.now() - HOUR).timestamp())}
    refused(ApiClient(token=signed(claims)).get(PROTECTED), 401, "token_expired")


class TestClocks:
    """Those of two hosts may differ by 30 s."""

    @pytest.mark.parametrize(
        "claims", [{"exp": -28}, {"iat": 28}, {"nbf": 28}, {"iat": 28, "nbf": 28}], ids=str
    )
    def test_up_to_30_s_apart_are_taken(self, admin, claims):
        token = at_times(admin, claims)
        for _ in range(2):
            assert ApiClient(token=token).get(PROTECTED).status_code == 200

    @pytest.mark.parametrize(
        ("claims", "code"),
        [({"exp": -31}, "token_expired"), ({"iat": 35}, "invalid_token"), ({"nbf": 35}, "invalid_token")],
        ids=str,
    )
    def test_further_apart_are_refused(self, admin, claims, code):
        refused(ApiClient(token=at_times(admin, claims)).get(PROTECTED), 401, code)

    def test_a_token_that_was_checked_before_expires_with_the_leeway(self, admin, monkeypatch):
        token = at_times(admin, {"exp": -20})
        assert ApiClient(token=token).get(PROTECTED).status_code == 200
        monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: time.time() + 11))
        refused(ApiClient(token=token).get(PROTECTED), 401, "token_expired")

    def test_bring_no_ended_sign_in_back(self, admin):
        token = at_times(admin, {"exp": -20})
        SignIn.objects.update(ended_at=timezone.now())
        refused(ApiClient(token=token).get(PROTECTED), 401, "token_revoked")

    def test_are_not_in_what_the_answer_says(self, admin):
        body = {"refresh_token": admin.tokens.refresh_token}
        answer = ApiClient().post("/api/auth/refresh", body).json()
        assert answer["expires_in"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()


def at_times(client, seconds):
    """The client's token with these claims so many seconds from now."""
    now = int(time.time())
    return signed(claims_of(client) | {claim: now + ahead for claim, ahead in seconds.items()})


OLD, NEW = "the secret of before, of 32 characters", "the secret from now on, of 32 letters."


class TestAnotherSecret:
    """JWT_SECRET_PREVIOUS verifies and never signs."""

    @pytest.fixture
    def client(self, settings):
        tokens.checked_access_token.cache_clear()
        settings.JWT_SECRET = OLD
        client = ApiClient.admin()
        client.refresh_token = client.tokens.refresh_token
        settings.JWT_SECRET, settings.JWT_SECRET_PREVIOUS = NEW, OLD
        yield client
        tokens.checked_access_token.cache_clear()

    def refresh(self, client):
        return ApiClient().post("/api/auth/refresh", {"refresh_token": client.refresh_token})

    def test_signs_nobody_out(self, client):
        assert client.get(PROTECTED).status_code == 200
        body = self.refresh(client).json()
        for name in ("access_token", "refresh_token"):
            assert jwt.decode(body[name], NEW, ["HS256"])["user_id"] == client.user.pk
        assert ApiClient(token=body["access_token"]).get(PROTECTED).status_code == 200
        assert self.refresh(client).json()["refresh_token"] == body["refresh_token"]

    def test_is_not_the_one_before_the_previous(self, client, settings):
        settings.JWT_SECRET_PREVIOUS = ""
        refused(client.get(PROTECTED), 401, "invalid_token")
        refused(self.refresh(client), 401, "invalid_token")
        settings.JWT_SECRET_PREVIOUS = "another secret, of 32 characters or so"
        refused(client.get(PROTECTED), 401, "invalid_token")

    def test_says_that_a_token_has_expired(self, client):
        token = signed(jwt.decode(client.token, OLD, ["HS256"]) | {"exp": int(time.time()) - 60}, key=OLD)
        refused(ApiClient(token=token).get(PROTECTED), 401, "token_expired")


def test_a_refresh_token_opens_nothing(admin):
    refused(ApiClient(token=admin.tokens.refresh_token).get(PROTECTED), 401, "invalid_token")


def test_the_scheme_may_be_written_small(admin):
    response = admin.http.get(PROTECTED, headers={"Authorization": f"bearer {admin.token}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_approved=False),
        lambda user: user.delete(),
        lambda user: SignIn.objects.filter(user=user).update(ended_at=timezone.now()),
        lambda user: SignIn.objects.filter(user=user).update(expires_at=timezone.now() - HOUR),
    ],
    ids=["un-approved", "deleted", "sign-in ended", "sign-in expired"],
)
def test_a_token_whose_ground_is_gone_is_refused_at_once(admin, end):
    assert admin.get(PROTECTED).status_code == 200
    end(admin.user)
    refused(admin.get(PROTECTED), 401, "token_revoked")


def test_a_demotion_holds_at_once_whatever_the_token_says(admin):
    User.objects.filter(pk=admin.user.pk).update(is_admin=False)
    assert claims_of(admin)["is_admin"] is True
    refused(admin.get(PROTECTED), 403, "forbidden")


def test_a_token_made_for_a_sign_in_is_read_back(admin):
    token = AccessToken.parse(admin.token)
    assert token["sign_in"] == admin.tokens.sign_in.pk
