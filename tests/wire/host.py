"""The server that is attacked: production settings on the embedded default, two workers, a small gallery."""

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from PIL import Image

from benchmarks.systems import PRODUCTION, descendants_of, share_of
from devtools.serving import Client, Server, new_server, serving
from tests.e2e.processes import connections_held
from tests.e2e.raw_http import Answer, Wire

MEGABYTE = 1024**2
DESIGNS = 40
LIST = "/api/designs"
JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"


@dataclass
class Host:
    """A running server, its admin, and the path of a picture of some megabytes."""

    server: Server
    admin: Client
    picture: str

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.admin.token['access_token']}"

    @property
    def expired(self) -> str:
        claims = jwt.decode(self.admin.token["access_token"], options={"verify_signature": False})
        token = jwt.encode(
            {**claims, "iat": 1, "exp": int(time.time()) - 3600}, PRODUCTION["JWT_SECRET"], "HS256"
        )
        return f"Authorization: Bearer {token}"

    def wire(self, timeout: float = 30) -> Wire:
        return Wire(self.server, timeout)

    def ask(self, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
        """Make one request on a connection of its own, all of it sent before the answer is read."""
        with self.wire() as wire:
            return wire.ask(method, path, *headers, body=body)

    def held(self) -> list[int]:
        """Return the number of connections of each worker."""
        return connections_held(self.server)

    def memory(self) -> float:
        """Return the proportional share of all processes in megabytes."""
        total = 0
        for pid in (self.server.pid, *descendants_of(self.server.pid)):
            with contextlib.suppress(OSError):
                total += share_of(pid)
        return total / MEGABYTE


@contextlib.contextmanager
def serving_gallery(**environment: str) -> Iterator[Host]:
    """Run a server with a small gallery, in a folder of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="gallery-wire-") as folder:
        server = new_server(Path(folder), **{**PRODUCTION, "WEB_CONCURRENCY": "2", **environment})
        server.set_up()
        with serving(server):
            yield filled(server)


def filled(server: Server) -> Host:
    """Sign in, and give the gallery designs with a picture that is large on the wire."""
    admin = server.client(**server.admin)
    files = {"file": ("a.png", noise(), "image/png")}
    image = admin.post("/api/upload/image", files=files).json()
    for number in range(DESIGNS):
        fields = {"title": f"Kanjeevaram {number}", "category": "Saree", "r2_object_key": image["object_key"]}
        admin.post(LIST, json={**fields, "description": "Six yards of silk. " * 10}).raise_for_status()
    return Host(server, admin, urlsplit(image["url"]).path)


def noise() -> bytes:
    """Return a PNG of some megabytes, which no coder makes smaller."""
    out = io.BytesIO()
    Image.frombytes("RGB", (1500, 1400), os.urandom(1500 * 1400 * 3)).save(out, "PNG", compress_level=1)
    return out.getvalue()
