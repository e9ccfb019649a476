"""One host of the gallery that does what bench-bill tells it, one line at a time.

    python -m benchmarks.bill_host

Each line of its input is JSON, `[order, times, arguments]` with the name of a method of Orders, which it calls that
many times; its answer is a line, too. It uses the API through Django's test client and, of the gallery's code, only
what an older commit has as well, so that the costs of two commits can be compared: the commands, `designs.counters` and
the replica's sync.
"""

import io
import itertools
import json
import os
import random
import sys
import time
from typing import Any
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.test import Client
from PIL import Image

from benchmarks.catalogue import PASSWORD
from d1backend.replica.registry import all_hosts
from d1backend.replica.source import Source
from designs import counters

ADDRESS = "127.0.0.1"
AN_HOUR = 3600.0  # after which a host looks at the schema again, whatever its period is
PICTURE = (1200, 1600)  # pixels
SEEN = 11  # the first design whose views are written; those before it are liked


class Orders:
    """What a host can be told. A method that is called again does the same to another row."""

    def __init__(self) -> None:
        self.serial = itertools.count(1)
        self.http = Client(SERVER_NAME=ADDRESS, REMOTE_ADDR=ADDRESS)
        self.source: Source | None = None
        self.readers: list[str] = []
        self.size = 0
        self.admin = ""
        self.liked: list[tuple[str, int]] = []
        self.refresh_tokens: list[str] = []
        self.newcomers: list[int] = []
        self.pictures: list[str] = []
        self.designs: list[int] = []

    def ask(self, method: str, path: str, token: str = "", body: object = None) -> Any:
        """Send a request to the API and return the JSON of its answer. Raises RuntimeError if it is refused."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = "" if body is None else json.dumps(body)
        response = self.http.generic(method, path, data, content_type="application/json", headers=headers)
        return parsed(response, path)

    def reader(self) -> str:
        return self.readers[next(self.serial) % len(self.readers)]

    # The host

    def meet(self, size: int, readers: list[str]) -> None:
        """Learn how many designs there are, and the access tokens of users."""
        self.size, self.readers = size, readers

    def fill(self) -> None:
        """Fill this host's copy, or bring it up to date, as a host does when it starts."""
        call_command("d1_replica", "fill", stdout=io.StringIO())

    def snapshot(self) -> None:
        call_command("d1_replica", "snapshot", stdout=io.StringIO())

    def sync(self) -> None:
        """Follow D1 once, over a connection that is kept."""
        (host,) = all_hosts()
        if self.source is None:
            self.source = Source(host.options, patient=True)
        host.sync_now(self.source)

    def sync_an_hour_later(self) -> None:
        """Follow D1 and look at its schema. Afterwards the host is of no use, because its clock goes back."""
        now = time.time
        with mock.patch("time.time", side_effect=lambda: now() + AN_HOUR):
            self.sync()

    # Users

    def list_page(self) -> None:
        self.ask("GET", f"/api/designs?page={1 + next(self.serial) % 20}", self.reader())

    def search(self) -> None:
        self.ask("GET", f"/api/designs?search=silk&page={1 + next(self.serial) % 20}", self.reader())

    def facets(self) -> None:
        self.ask("GET", "/api/designs/facets", self.reader())

    def detail(self) -> None:
        self.ask("GET", f"/api/designs/{1 + next(self.serial) % self.size}", self.reader())

    def favourite(self) -> None:
        # The catalogue's users like some of the first 5,000 designs.
        design = self.size - next(self.serial) % (self.size // 2)
        self.liked.append((self.reader(), design))
        self.ask("POST", f"/api/designs/{design}/favorite", self.liked[-1][0])

    def unfavourite(self) -> None:
        token, design = self.liked.pop()
        self.ask("DELETE", f"/api/designs/{design}/favorite", token)

    def login(self) -> None:
        name = f"reader{next(self.serial) % len(self.readers)}"
        self.refresh_tokens.append(self.sign_in(name)["refresh_token"])

    def sign_in(self, name: str) -> Any:
        return self.ask("POST", "/api/auth/login", body={"username": name, "password": PASSWORD})

    def refresh(self) -> None:
        token = self.refresh_tokens.pop(0)
        answer = self.ask("POST", "/api/auth/refresh", body={"refresh_token": token})
        self.refresh_tokens.append(answer["refresh_token"])

    def register(self) -> None:
        name = f"newcomer{next(self.serial)}"
        answer = self.ask("POST", "/api/auth/register", body={"username": name, "password": PASSWORD})
        self.newcomers.append(answer["user"]["id"])

    # Views

    def see(self, designs: int) -> None:
        """Count a view of so many designs, none of which anybody likes meanwhile."""
        for design in range(SEEN, SEEN + designs):
            counters.add_view(design)

    def flush(self) -> None:
        counters.flush()

    # Staff

    def join_staff(self) -> None:
        call_command(
            "create_admin", username="billed", password=PASSWORD, no_input=True, stdout=io.StringIO()
        )
        self.admin = self.sign_in("billed")["access_token"]

    def approve(self) -> None:
        self.ask("POST", f"/api/admin/users/{self.newcomers.pop()}/approve", self.admin)

    def upload(self) -> None:
        path = "/api/upload/image"
        file = SimpleUploadedFile("saree.jpg", picture(next(self.serial)), "image/jpeg")
        answer = self.http.post(path, {"file": file}, headers={"Authorization": f"Bearer {self.admin}"})
        self.pictures.append(parsed(answer, path)["object_key"])

    def create(self) -> None:
        body = {
            "title": f"Indigo saree {next(self.serial)}",
            "description": "Six yards of silk, printed by hand.",
            "category": "Saree",
            "colour": "Indigo",
            "fabric": "Silk",
            "r2_object_key": self.pictures.pop(),
        }
        self.designs.append(self.ask("POST", "/api/designs", self.admin, body)["id"])

    def edit(self) -> None:
        number = next(self.serial)
        body = {"title": f"Blue saree {number}", "colour": "Blue", "featured": bool(number % 2)}
        self.ask("PUT", f"/api/designs/{self.designs[number % len(self.designs)]}", self.admin, body)


def parsed(response: Any, path: str) -> Any:
    if response.status_code not in (200, 201):
        raise RuntimeError(f"{path}: {response.status_code} {response.content[:500]!r}")
    return json.loads(response.content)


def picture(number: int) -> bytes:
    """Return a JPEG that looks like no other number's."""
    colours = random.Random(number).randbytes(3 * 48)
    file = io.BytesIO()
    Image.frombytes("RGB", (6, 8), colours).resize(PICTURE).save(file, "JPEG")
    return file.getvalue()


def main() -> None:
    orders, answers = Orders(), sys.stdout
    sys.stdout = sys.stderr  # nothing else may write between the answers
    for line in sys.stdin:
        order, times, arguments = json.loads(line)
        for _ in range(times):
            getattr(orders, order)(*arguments)
        answers.write("true\n")
        answers.flush()
    connections.close_all()


if __name__ == "__main__":
    main()
