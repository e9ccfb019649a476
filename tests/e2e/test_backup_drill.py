"""The drill of docs/backups.md: back up, lose the database, restore, serve. It runs each command as a person would."""

import dataclasses
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pyrage
import pytest

from core import restores
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.ports import free_port
from devtools.serving import ROOT, new_server, serving
from tests.e2e.pictures import picture
from tests.engine import engine_environment

READS = [
    "/api/designs",
    "/api/designs/facets",
    "/api/designs?search=kanjeevaram",
    "/api/designs/user/favorites",
    "/info",
]


@pytest.fixture
def identity(tmp_path):
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(identity))
    return identity


@pytest.fixture
def server(tmp_path, identity):
    """A gallery that does not run yet, whose secrets come from the environment, as in production."""
    environment = {"JWT_SECRET": uuid.uuid4().hex, "BACKUP_KEY": str(identity.to_public())}
    (tmp_path / "data").mkdir()
    server = new_server(tmp_path / "data", **engine_environment(), **environment)
    server.set_up()
    return server


def new_host(server, tmp_path):
    """The same gallery on a new host with a new, empty database."""
    data = Path(tempfile.mkdtemp(dir=tmp_path))
    environment = {**server.environment, "DATA": str(data)}
    if identifier := environment.get("CLOUDFLARE_D1_DATABASE_ID"):
        api = Api(
            Settings(
                environment["CLOUDFLARE_ACCOUNT_ID"],
                environment["CLOUDFLARE_API_TOKEN"],
                environment["CLOUDFLARE_D1_BASE_URL"],
            )
        )
        environment["CLOUDFLARE_D1_DATABASE_ID"] = api.create(f"drill-{uuid.uuid4().hex}")
        assert environment["CLOUDFLARE_D1_DATABASE_ID"] != identifier
    address = f"http://127.0.0.1:{free_port()}"
    return dataclasses.replace(server, address=address, data=data, environment=environment)


def answers(client):
    return {path: without_hosts(client.get(path).json()) for path in READS}


def without_hosts(body):
    """A body in which addresses of pictures name no host, whose port is another one."""
    if isinstance(body, dict):
        return {name: without_hosts(value) for name, value in body.items()}
    if isinstance(body, list):
        return [without_hosts(value) for value in body]
    if isinstance(body, str) and body.startswith("http://127.0.0.1"):
        return urlsplit(body).path
    return body


@pytest.mark.e2e
def test_the_drill(server, tmp_path):
    with serving(server):
        admin, reader = server.client(**server.admin), server.client()
        files = {"file": ("saree.jpg", picture(), "image/jpeg")}
        key = admin.post("/api/upload/image", files=files).json()["object_key"]
        for number in range(3):
            fields = {"title": f"Kanjeevaram {number}", "category": "Saree", "r2_object_key": key}
            design = admin.post("/api/designs", json=fields).json()
        sign_in = {"username": "reader", "password": "indigo-vat-42"}
        user = reader.post("/api/auth/register", json=sign_in).json()["user"]
        admin.post(f"/api/admin/users/{user['id']}/approve")
        reader.sign_in(**sign_in)
        assert reader.post(f"/api/designs/{design['id']}/favorite").json()["like_count"] == 1
        before = answers(reader)
        versions = admin.get(f"/api/designs/{design['id']}/versions").json()
    said = server.manage("backup", "--to", str(tmp_path / "backups"), "--verify")
    assert "can be restored" in said
    (path,) = (tmp_path / "backups").iterdir()

    after = new_host(server, tmp_path)
    shutil.copytree(server.data / "media", after.data / "media")
    said = after.manage("restore", str(path), "--identity", str(tmp_path / "identity"))
    assert "all equal" in said
    (following,) = re.findall(r"`manage\.py ([^`]+)`", said)
    after.manage(*following.split())
    with serving(after):
        for client in (admin, reader):
            client.address = after.address
        assert answers(reader) == before
        assert before["/api/designs/user/favorites"]["items"][0]["like_count"] == 1
        assert admin.get(f"/api/designs/{design['id']}/versions").json() == versions
        refreshed = reader.post("/api/auth/refresh", json={"refresh_token": reader.token["refresh_token"]})
        assert refreshed.status_code == 200
        assert reader.post(f"/api/designs/{design['id']}/favorite").json()["like_count"] == 1
        made = admin.post("/api/designs", json=fields | {"title": "After"}).json()
        assert made["id"] > design["id"] + 1
        assert reader.get("/api/designs?search=after").json()["items"][0]["id"] == made["id"]


def manage(server, *arguments):
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True)


# A restore that stays as it is in its middle: all rows are there, and nothing is indexed or compared.
HALF = """
from django.core.management import call_command
from operations.backups import restoring
def stop(*arguments):
    raise KeyboardInterrupt
restoring._index = stop
call_command("restore", {path!r}, identity={identity!r})
"""


@pytest.mark.e2e
def test_a_server_that_runs_already_waits_for_the_end_of_a_restore(server, tmp_path, wait_until):
    """It was started on the new, empty database, where it finds no table at all."""
    server.manage("backup", "--to", str(tmp_path / "backups"))
    (path,) = (tmp_path / "backups").iterdir()
    paths = {"path": str(path), "identity": str(tmp_path / "identity")}
    host = new_host(server, tmp_path)
    with serving(host, page="/health/live"):
        half = manage(host, "shell", "-c", HALF.format(**paths))
        assert "Stopped. The new database is unfinished" in half.stderr
        client = host.client()
        pages = {page: client.get(page).status_code for page in ("/health/ready", *READS, "/admin/login/")}
        assert set(pages.values()) == {503}, pages
        assert client.post("/api/auth/login", json=server.admin).status_code == 503
        if "CLOUDFLARE_D1_DATABASE_ID" in host.environment:
            fill = manage(host, "d1_replica", "fill")
            assert "has not finished" in fill.stderr
            assert fill.returncode == 1

    host = new_host(server, tmp_path)
    with serving(host, page="/health/live"):
        host.manage("restore", paths["path"], "--identity", paths["identity"])
        if "CLOUDFLARE_D1_DATABASE_ID" in host.environment:
            host.manage("d1_replica", "fill")  # the server's own next try may be 30 s away
        wait_until(lambda: host.client().get("/health/ready").status_code == 200)
        assert host.client().get("/info").status_code == 200
        host.client(**server.admin)


@pytest.mark.e2e
def test_an_unfinished_restore_is_not_served(server):
    """As after a restore that was killed: gunicorn does not start, and says why."""
    mark = f"CREATE TABLE {restores.MARKER} (backup TEXT)"
    server.manage("shell", "-c", f"from django.db import connection as c; c.cursor().execute('{mark}')")
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "gallery_project.wsgi"]
    done = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert restores.SENTENCE in done.stderr
    assert "Traceback" not in done.stderr
    done = manage(server, "migrate")
    assert done.returncode != 0
    assert restores.SENTENCE in done.stderr
