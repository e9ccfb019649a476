"""The environment is read strictly: half a set, a short secret and a missing one are named at the start."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from core.variables import checking, declared
from core.variables.reading import Environment
from gallery_project import environment, storages

ROOT = Path(__file__).parents[2]


def env(**values):
    return Environment(values)


def check(*arguments, **variables):
    """What `manage.py check` says under these variables alone."""
    return run("manage.py", "check", *arguments, **variables)


def run(*arguments, without=(), **variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFLARE_")}
    clean = {name: value for name, value in clean.items() if name not in without}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "gallery_project.settings", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


NEVER_BLANK = [one.name for one in declared.ALL.values() if one.blank is declared.Blank.IN_DEVELOPMENT]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "gallery.example",
    "JWT_SECRET": "a-secret-of-more-than-thirty-two-characters",
}
ACCOUNT = "0123456789abcdef" * 2
DATABASE = "01234567-89ab-cdef-0123-456789abcdef"
D1 = {
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    "CLOUDFLARE_D1_DATABASE_ID": DATABASE,
    "CLOUDFLARE_API_TOKEN": "a-token",
}
R2 = {
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    "CLOUDFLARE_R2_ACCESS_KEY": "k",
    "CLOUDFLARE_R2_SECRET_KEY": "s",
    "CLOUDFLARE_R2_BUCKET_NAME": "images",
    "CLOUDFLARE_R2_PUBLIC_URL": "https://images.example",
}


def test_a_kept_secret_is_made_once_and_private(tmp_path):
    first = environment.kept_secret(tmp_path / "secret")
    assert environment.kept_secret(tmp_path / "secret") == first
    assert len(first) >= declared.JWT_SECRET_MINIMUM
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_what_the_previous_secret_signed_for_django_is_still_read():
    before, _ = environment.secret_keys(env(), "old", "")
    with override_settings(SECRET_KEY=before):
        ticket = signing.dumps("saree")
    now, known = environment.secret_keys(env(), "new", "old")
    with override_settings(SECRET_KEY=now, SECRET_KEY_FALLBACKS=known):
        assert signing.loads(ticket) == "saree"
        assert signing.dumps("saree").rpartition(":")[2] != ticket.rpartition(":")[2]
    assert environment.secret_keys(env(SECRET_KEY="own"), "new", "old") == ("own", [])


@pytest.mark.parametrize("given", [{}, {"JWT_SECRET": ""}, {"JWT_SECRET": "x" * 31}])
def test_production_refuses_a_missing_or_short_secret(tmp_path, given):
    with pytest.raises(ImproperlyConfigured, match=r"^JWT_SECRET .*"):
        checking.check(env(ENVIRONMENT="production", DATA=str(tmp_path), **given))


def test_another_purpose_gets_another_secret():
    assert environment.derived_secret("s", "a") != environment.derived_secret("s", "b")


def test_production_settings_pass_the_deployment_checks(tmp_path):
    done = check("--deploy", "--fail-level", "WARNING", DATA=str(tmp_path), **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"CLOUDFLARE_API_TOKEN": "t"}, ["CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_D1_DATABASE_ID"]),
        (
            {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT, "CLOUDFLARE_R2_BUCKET_NAME": "images"},
            ["CLOUDFLARE_R2_ACCESS_KEY", "CLOUDFLARE_R2_SECRET_KEY", "CLOUDFLARE_R2_PUBLIC_URL"],
        ),
    ],
)
def test_half_a_set_of_variables_is_an_error_that_names_the_rest(tmp_path, given, missing):
    sentence = one_sentence(check(DATA=str(tmp_path), ENVIRONMENT="development", **given))
    assert all(name in sentence for name in missing)


def test_the_start_is_refused_without_a_secret_in_production(tmp_path):
    done = check(DATA=str(tmp_path), **{**PRODUCTION, "JWT_SECRET": ""})
    assert done.returncode != 0
    assert "JWT_SECRET" in done.stderr


@pytest.mark.parametrize("name", ["prod", "Production", "staging", "", " "])
def test_an_unknown_environment_is_refused(tmp_path, name):
    done = check(DATA=str(tmp_path), ENVIRONMENT=name)
    assert one_sentence(done).startswith("ENVIRONMENT ")
    assert "development, production" in done.stderr


@pytest.mark.parametrize("blank", ["", "   "])
@pytest.mark.parametrize("name", NEVER_BLANK)
def test_a_blank_variable_is_refused_in_production(name, blank):
    with pytest.raises(
        ImproperlyConfigured, match=rf"^{name} must have a value, or not be set, in production\.$"
    ):
        checking.check(env(**{**PRODUCTION, "DATA": "/srv/data", name: blank}))


def test_the_start_is_refused_by_one_sentence_that_names_all_blank_variables(tmp_path):
    sentence = one_sentence(check(DATA=str(tmp_path), **PRODUCTION, **dict.fromkeys({**D1, **R2}, "")))
    assert all(name in sentence for name in {**D1, **R2})


def test_a_blank_variable_is_as_good_as_none_in_development(tmp_path):
    done = check(DATA=str(tmp_path), ENVIRONMENT="development", CLOUDFLARE_API_TOKEN=" ", DATABASE_URL="")
    assert done.returncode == 0, done.stderr


def test_production_without_d1_wants_to_be_told_where_its_data_lies():
    done = check(**PRODUCTION, without=["DATA"])
    assert one_sentence(done).startswith("DATA ")


def test_the_server_refuses_to_start_by_the_same_sentence(tmp_path):
    done = run(
        *("-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", "127.0.0.1:0", "gallery_project.wsgi"),
        **{**PRODUCTION, "DATA": str(tmp_path), "CLOUDFLARE_API_TOKEN": ""},
    )
    assert one_sentence(done).startswith("CLOUDFLARE_API_TOKEN ")


@pytest.mark.parametrize(
    ("name", "value"), [("LOG_LEVEL", "loud"), ("LOG_LEVEL", ""), ("DEBUG", "perhaps"), ("REPLICA", "offf")]
)
def test_a_word_that_a_variable_does_not_know_is_refused(tmp_path, name, value):
    done = check(DATA=str(tmp_path), ENVIRONMENT="development", **D1, **{name: value})
    assert one_sentence(done).startswith(f"{name} ")


@pytest.mark.parametrize(
    ("value", "expected"), [("On", True), ("1", True), (" false ", False), ("no", False), ("", True)]
)
def test_a_flag_is_on_or_off(value, expected):
    assert env(REPLICA=value)[declared.REPLICA] is expected


@pytest.mark.parametrize("value", ["0", "-1", "101", "1.5", "many", "٢"])
def test_a_number_of_hosts_out_of_range_is_refused_in_a_sentence_that_names_it(value):
    with pytest.raises(
        ImproperlyConfigured, match=f"^HOSTS is '{value}', and must be a whole number from 1 to 100"
    ):
        environment.d1_database(env(HOSTS=value), Path("data"))


@pytest.mark.parametrize(("given", "hosts"), [({}, 1), ({"HOSTS": ""}, 1), ({"HOSTS": " 4 "}, 4)])
def test_a_host_is_alone_unless_hosts_says_otherwise(given, hosts):
    assert environment.d1_database(env(**given), Path("data"))["OPTIONS"]["hosts"] == hosts


def test_the_allowance_is_cloudflares_unless_it_is_given():
    assert "allowance" not in environment.d1_database(env(), Path("data"))["OPTIONS"]
    assert environment.d1_database(env(D1_ALLOWANCE="2400"), Path("data"))["OPTIONS"]["allowance"] == 2400


def test_snapshots_go_to_the_private_bucket_and_the_previous_secret_reads_them():
    storage = storages.private_storage(env(**R2, CLOUDFLARE_R2_PRIVATE_BUCKET_NAME="private"))
    assert storage["OPTIONS"]["bucket_name"] == "private"
    assert "public_url" not in storage["OPTIONS"]
    assert environment.snapshots(storage, ["new", ""])["keys"] == ["new"]
    assert environment.snapshots(storage, ["new", "old"])["keys"] == ["new", "old"]
    assert environment.snapshots(storages.private_storage(env(**R2)), ["new"]) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**R2, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "images"}, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME "),
        ({**D1, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "private"}, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME "),
        ({"JWT_SECRET_PREVIOUS": "short"}, "JWT_SECRET_PREVIOUS "),
    ],
)
def test_the_public_bucket_missing_keys_and_a_short_secret_are_refused(tmp_path, given, named):
    done = check(DATA=str(tmp_path), ENVIRONMENT="development", **given)
    assert one_sentence(done).startswith(named)


def test_the_deployment_check_warns_where_a_new_host_has_no_snapshot(tmp_path):
    given = {**PRODUCTION, **D1, **R2, "DATA": str(tmp_path)}
    assert "gallery.W003" in check("--deploy", **given).stderr
    assert (
        "gallery.W003" not in check("--deploy", **given, CLOUDFLARE_R2_PRIVATE_BUCKET_NAME="private").stderr
    )


def test_ids_of_deleted_users_go_to_the_private_bucket_and_without_it_are_a_warning(tmp_path):
    given, private = (
        {**PRODUCTION, **D1, **R2, "DATA": str(tmp_path)},
        {"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "private"},
    )
    assert "gallery.W004" in check("--deploy", **given).stderr
    assert "gallery.W004" not in check("--deploy", **given, **private).stderr
    storage = storages.deletions_storage(storages.private_storage(env(**R2, **private)), Path("data"))
    assert storage["OPTIONS"]["bucket_name"] == "private"
    assert storages.deletions_storage(None, Path("data"))["OPTIONS"]["location"] == Path("data")


def one_sentence(done):
    """The sentence by which a start was refused, and nothing beside it."""
    assert done.returncode != 0
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize("value", ["0", "-1", "six", "1.5", "9999999"])
def test_the_most_calls_to_d1_are_a_whole_number_from_1(tmp_path, value):
    with pytest.raises(ImproperlyConfigured, match=r"D1_MOST_CALLS is .* whole number from 1"):
        environment.default_database(env(**D1, D1_MOST_CALLS=value), tmp_path)
    for given, most in (("6", 6), ("", None)):
        options = environment.default_database(env(**D1, D1_MOST_CALLS=given), tmp_path)["OPTIONS"]
        assert options.get("most_calls") == most


def test_health_calls_are_not_redirected_to_https(tmp_path):
    paths = ["/health", "/health/live", "/health/ready", "/health/readily", "/info"]
    program = (
        "from django.core.wsgi import get_wsgi_application; get_wsgi_application()\n"
        "from django.test import Client\n"
        f"print([Client().get(path, headers={{'Host': '10.1.2.3'}}).status_code for path in {paths}])"
    )
    variables = PRODUCTION | {"ALLOWED_HOSTS": "*", "LOG_LEVEL": "ERROR"}
    done = run("-c", program, DATA=str(tmp_path), **variables)
    assert done.stdout == "[200, 200, 200, 301, 301]\n", done.stderr


def test_serving_while_filling_is_off_unless_set_and_accepts_true_or_false_alone(tmp_path):
    program = "from gallery_project import settings; print(settings.SERVE_WHILE_FILLING)"
    assert run("-c", program, DATA=str(tmp_path), without=["SERVE_WHILE_FILLING"]).stdout == "False\n"
    assert run("-c", program, DATA=str(tmp_path), SERVE_WHILE_FILLING="true").stdout == "True\n"
    refusal = run("-c", program, DATA=str(tmp_path), SERVE_WHILE_FILLING="perhaps").stderr
    assert "SERVE_WHILE_FILLING is 'perhaps', and must be true or false." in refusal
