"""People, pictures and designs of the contract's client, made through the API alone."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.e2e.contract.pictures import picture
from tests.e2e.contract.shapes import DESIGN, IMAGE, granted


@dataclass
class Person:
    """Someone with an account; `client` is signed in where the account is approved."""

    id: int
    username: str
    password: str = field(repr=False)
    client: Any

    @property
    def sign_in(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}

    @property
    def token(self) -> str:
        return self.client.token["access_token"]


def _watch(answer: requests.Response, *arguments: Any, **options: Any) -> None:
    """Hold every answer against what the contract says of all of them."""
    asked = f"{answer.request.method} {answer.request.url[:300]} → {answer.status_code}"
    assert answer.status_code < 500, f"{asked} {answer.text[:1000]}"
    assert answer.headers.get("X-Request-ID"), f"{asked}: no X-Request-ID"


@pytest.fixture(scope="session")
def connect(server) -> Callable[[], Any]:
    """Make a client that is not signed in and that watches every answer."""

    def make() -> Any:
        client = server.client()
        client.session.hooks["response"].append(_watch)
        return client

    return make


@pytest.fixture(scope="session")
def anyone(connect):
    return connect()


@pytest.fixture(scope="session")
def boss(connect, server):
    client = connect()
    client.sign_in(**server.admin)
    return client


@pytest.fixture(scope="session")
def join(connect, boss) -> Callable[..., Person]:
    """Register someone, and approve him and sign him in unless told otherwise."""

    def make(*, approved: bool = True, is_admin: bool = False) -> Person:
        client = connect()
        sign_in = {"username": f"contract-{secrets.token_hex(6)}", "password": secrets.token_urlsafe(12)}
        answer = client.post("/api/auth/register", json=sign_in)
        assert answer.status_code == 200, answer.text
        person = Person(answer.json()["user"]["id"], **sign_in, client=client)
        if approved or is_admin:
            answer = boss.post(f"/api/admin/users/{person.id}/approve")
            assert answer.status_code == 200, answer.text
            if is_admin:
                answer = boss.put(f"/api/admin/users/{person.id}", json={"is_admin": True})
                assert answer.status_code == 200, answer.text
            client.sign_in(**sign_in)
        return person

    return make


@pytest.fixture(scope="session")
def reader(join) -> Person:
    """An approved user whom no test changes."""
    return join()


@pytest.fixture(scope="session")
def upload(boss) -> Callable[..., dict[str, Any]]:
    """Store a picture as the admin; the ImageResponse."""

    def send(content: bytes | None = None, **form: str) -> dict[str, Any]:
        files = {"file": ("picture.png", content or picture(), "image/png")}
        return granted(boss.post("/api/upload/image", files=files, data=form), IMAGE, 201)

    return send


@pytest.fixture(scope="session")
def create(boss, upload) -> Callable[..., dict[str, Any]]:
    """Create a design with a picture of its own; the DesignResponse."""

    def make(**fields: Any) -> dict[str, Any]:
        body = {"title": "A plain drape", "category": "Drape"} | fields
        if not {"r2_object_key", "image_keys"} & body.keys():
            body["r2_object_key"] = upload()["object_key"]
        return granted(boss.post("/api/designs", json=body), DESIGN, 201)

    return make


@pytest.fixture
def design(create) -> dict[str, Any]:
    return create()


@pytest.fixture(scope="session")
def fetch(server) -> Callable[[str], requests.Response]:
    """Get a picture by the address that an answer gave, as anyone on the web would."""
    return lambda url: requests.get(urljoin(server.address, url), timeout=30)


@dataclass
class Catalogue:
    """Designs in a collection of their own: what was sent, and what came back, oldest first."""

    collection: str
    rows: list[dict[str, Any]]
    designs: list[dict[str, Any]]

    @property
    def ids(self) -> list[int]:
        """The published ones."""
        return [one["id"] for one in self.designs if one["status"] == "published"]

    def where(self, keep: Callable[[dict[str, Any]], Any]) -> set[int]:
        """The ids of the published designs that `keep` tells of."""
        return {one["id"] for one in self.designs if one["status"] == "published" and keep(one)}


NAMES = ("title", "category", "style", "colour", "fabric", "occasion", "season", "designer_name")
ROWS = [
    ("Banarasi Brocade Saree", "Saree", "Banarasi", "Red", "Silk", "Wedding", "Winter", "Ritu Rao"),
    ("Kanjivaram Temple Saree", "Saree", "Kanjivaram", "Red", "Silk", "Wedding", "Winter", "Ritu Rao"),
    ("Chanderi Saree", "Saree", "Chanderi", "Ivory", "Cotton", "Festive", "Summer", "Élodie Nair"),
    ("Paithani Peacock Saree", "Saree", "Paithani", "Green", "Silk", "Wedding", "Winter", "Ritu Rao"),
    ("Ajrakh Kurta", "Kurta", "Ajrakh", "Indigo", "Cotton", "Casual", "Summer", None),
    ("Chikankari Kurta", "Kurta", "Chikankari", "Ivory", "Cotton", "Casual", "Summer", "Élodie Nair"),
    ("Bandhani Lehenga", "Lehenga", "Bandhani", "Red", "Georgette", "Festive", "Monsoon", "Ritu Rao"),
    ("Phulkari Dupatta", "Dupatta", "Phulkari", "Orange", "Cotton", "Festive", "Winter", None),
    ("Zardozi Sherwani", "Sherwani", "Zardozi", "Gold", "Velvet", "Wedding", "Winter", "Om Das"),
    ("Jamdani Saree", "Saree", "Jamdani", "White", "Muslin", "Festive", "Summer", "Om Das"),
    ("Ikat Stole", "Stole", "Ikat", "Indigo", "Cotton", "Casual", None, ""),
    ("Kalamkari Stole", "Stole", "Kalamkari", "Ivory", "Cotton", "Casual", "Summer", "Om Das"),
    ("Draft Saree", "Saree", "Banarasi", "Red", "Silk", "Wedding", "Winter", "Ritu Rao"),
    ("Archived Saree", "Saree", "Banarasi", "Red", "Silk", "Wedding", "Winter", "Ritu Rao"),
]
FEATURED = {"Banarasi Brocade Saree", "Paithani Peacock Saree", "Zardozi Sherwani", "Draft Saree"}
STATUS = {"Draft Saree": "draft", "Archived Saree": "archived"}


@pytest.fixture(scope="session")
def catalogue(create) -> Catalogue:
    """Twelve published designs, a draft and an archived one, which no test changes."""
    collection = f"Contract {secrets.token_hex(5)}"
    rows = []
    for values in ROWS:
        row = dict(zip(NAMES, values, strict=True)) | {"collection_name": collection}
        row["featured"] = row["title"] in FEATURED
        if row["title"] in STATUS:
            row["status"] = STATUS[row["title"]]
        rows.append(row)
    return Catalogue(collection, rows, [create(**row) for row in rows])
