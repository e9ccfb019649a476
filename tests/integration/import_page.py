"""What the script of the page of imports sends, and what the page shows."""

import io

from django.test import Client
from django.urls import reverse

from designs.sheets import running, uploads
from designs.sheets.running import State

IMPORT = reverse("admin:designs_design_import_designs")
PART = reverse("admin:designs_design_import_part")
STEP = reverse("admin:designs_design_import_step")


def send(client: Client, data: bytes, file="table", part=1_000_000, twice=False, leave_out=0) -> str:
    """Send a file in parts; return the place of the import."""
    place = ""
    for offset in range(0, max(1, len(data) - leave_out), part):
        fields = {"file": file, "name": f"designs-{file}", "offset": offset, "size": len(data)}
        for _ in range(1 + twice):
            end = min(offset + part, len(data) - leave_out)
            response = client.post(PART, fields | {"data": io.BytesIO(data[offset:end])})
            assert response.status_code == 200, response.content
            place = response.json()["place"]
    return place


def step(client: Client, place: str, **fields):
    return client.post(STEP, {"place": place, **fields})


def importing(client: Client, **fields):
    """Take steps from where the import is until its phase ends; return the last answer."""
    place = state_of(client).place
    while True:
        response = step(client, place, **fields)
        assert response.status_code == 200, response.content
        answer, fields = response.json(), {}
        if not answer["is_running"]:
            return answer
        place = answer["place"]


def check(client: Client, data: bytes, pictures: bytes = b"", **options):
    send(client, data, **options)
    if pictures:
        send(client, pictures, "pictures")
    return importing(client, begin="read")


def store(client: Client):
    return importing(client, begin="store")


def state_of(client: Client) -> State | None:
    return running.state_of(uploads.root() / str(client.session["_auth_user_id"]))


def shown(client):
    """The rows that the page shows: number, outcome, sentences by the name of their column."""
    return [
        (row.number, row.outcome, {name: sentence for _, name, sentence in row.faults})
        for row in state_of(client).shown
    ]


def words(client):
    return " ".join(client.get(IMPORT).content.decode().split())
