"""The environment is read strictly: half a set, a short secret and a missing one are named at the start."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from gallery_project import environment

ROOT = Path(__file__).parents[2]


def env(**values):
    reader = environ.Env()
    reader.ENVIRON = values
    return reader


def check(*arguments, **variables):
    """What `manage.py check` says under these variables alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFLARE_")}
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "gallery_project.settings", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {
    "ENVIRONMENT": "production",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "gallery.example",
    "JWT_SECRET": "a-secret-of-more-than-thirty-two-characters",
}


def test_a_kept_secret_is_made_once_and_private(tmp_path):
    first = environment.kept_secret(tmp_path / "secret")
    assert environment.kept_secret(tmp_path / "secret") == first
    assert len(first) >= environment.JWT_SECRET_MINIMUM
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("secret", ["", "x" * 31])
def test_production_refuses_a_missing_or_short_secret(tmp_path, secret):
    with pytest.raises(ImproperlyConfigured, match="JWT_SECRET"):
        environment.jwt_secret(env(JWT_SECRET=secret), tmp_path, production=True)


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
            {"CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_R2_BUCKET_NAME": "b"},
            ["CLOUDFLARE_R2_ACCESS_KEY", "CLOUDFLARE_R2_SECRET_KEY", "CLOUDFLARE_R2_PUBLIC_URL"],
        ),
    ],
)
def test_half_a_set_of_variables_is_an_error_that_names_the_rest(tmp_path, given, missing):
    done = check(DATA=str(tmp_path), ENVIRONMENT="development", **given)
    assert done.returncode != 0
    for name in missing:
        assert name in done.stderr


def test_the_start_is_refused_without_a_secret_in_production(tmp_path):
    done = check(DATA=str(tmp_path), **{**PRODUCTION, "JWT_SECRET": ""})
    assert done.returncode != 0
    assert "JWT_SECRET" in done.stderr
