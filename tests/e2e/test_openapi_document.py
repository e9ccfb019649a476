"""Schemathesis, reading the server's own OpenAPI document, finds no failure and no answer it does not allow."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.serving import new_server, serving
from tests.engine import engine_environment

pytestmark = pytest.mark.e2e

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
# These end the sign-in that the run itself goes by, or lock its name after wrong passwords (delete_me).
ENDS_THE_SIGN_IN = r"/api/auth/(logout|password|sessions/)"


def test_every_answer_is_one_that_the_document_allows(tmp_path):
    # A server of its own, because the examples change its first user.
    server = new_server(tmp_path / "gallery", **engine_environment())
    server.set_up()
    with serving(server):
        attack(server, tmp_path)


def attack(server, tmp_path):
    admin = server.client(**server.admin)
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", f"{server.address}/openapi.json"),
            *("--header", f"Authorization: Bearer {admin.token['access_token']}"),
            *("--max-examples", "10", "--seed", "1", "--checks", CHECKS),
            *("--exclude-path-regex", ENDS_THE_SIGN_IN),
            *("--exclude-operation-id", "delete_me"),
        ],
        cwd=tmp_path,  # it leaves its findings where it stands
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
