"""The rows that D1 bills for each write of the API, with the answer to what this host's copy lacks.

D1 bills a row written as a thousand rows read (https://developers.cloudflare.com/d1/platform/pricing/). Each index of a
table, each row that a trigger writes and each entry of the log of changes is one.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from core import replica
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
]

# An INSERT into a table with AUTOINCREMENT reads the numbers of the tables that had rows before it: of all 22 at most.
SEQUENCES = 22
TEXTS = {
    "title": "Kanjivaram saree in red",
    "description": "A tale of silk",
    **{"category": "Saree", "style": "Bridal", "occasion": "Wedding"},
    **{
        "colour": "Red",
        "fabric": "Silk",
        "season": "Winter",
        "designer_name": "Asha",
        "collection_name": "Loom",
    },
}


@dataclass
class Gallery:
    """A design that five users like, and who calls."""

    numbers: count = field(default_factory=count)

    def __post_init__(self):
        self.admin, self.reader = ApiClient.admin(), ApiClient.approved()
        self.image = ImageFactory()
        self.design = DesignFactory(image=self.image, **TEXTS)
        FavouriteFactory.create_batch(5, design=self.design)
        self.path = f"/api/designs/{self.design.pk}"
        self.keys = [image.object_key for image in ImageFactory.create_batch(8)]
        self.another = DesignFactory(category="Lehenga")  # so that its total exists
        self.newcomer = UserFactory(pending=True)
        self.leaver = ApiClient.approved()

    @cached_property
    def tokens(self):
        return self.login().json()

    def like(self):
        return self.reader.post(f"{self.path}/favorite")

    def unlike(self):
        return self.reader.delete(f"{self.path}/favorite")

    def create(self):
        return self.admin.post("/api/designs", {**TEXTS, "r2_object_key": self.image.object_key})

    def edit(self, **fields):
        return self.admin.put(self.path, fields)

    def create_with_pictures(self):
        return self.admin.post("/api/designs", {**TEXTS, "image_keys": self.keys})

    def login(self):
        return ApiClient().post(
            "/api/auth/login", {"username": self.reader.user.username, "password": PASSWORD}
        )

    def refresh(self):
        return ApiClient().post("/api/auth/refresh", {"refresh_token": self.tokens["refresh_token"]})

    def register(self):
        name = f"newcomer{next(self.numbers)}"
        return ApiClient().post("/api/auth/register", {"username": name, "password": "indigo-vat-42"})

    def make_code(self):
        return self.admin.post(f"/api/admin/users/{self.newcomer.pk}/reset-code")

    def reset(self):
        sent = {"username": self.reader.user.username, "code": self.code, "new_password": "indigo-vat-42"}
        return ApiClient().post("/api/auth/reset", sent)

    @cached_property
    def code(self):
        return self.admin.post(f"/api/admin/users/{self.reader.user.pk}/reset-code").json()["code"]

    def upload(self):
        file = SimpleUploadedFile("a.png", picture(), content_type="image/png")
        return self.admin.upload("/api/upload/image", file=file, category="designs")

    def set(self, value):
        return self.admin.put("/api/admin/settings", {"settings": {"registration_open": value}})


@pytest.fixture
def gallery(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
    return Gallery()


# The call, what comes before it, and the rows read and written.
WRITES = {
    "like": (Gallery.like, None, 60, 13),
    "like again": (Gallery.like, Gallery.like, 21, 1),
    "unlike": (Gallery.unlike, Gallery.like, 51, 10),
    "create": (Gallery.create, Gallery.create, 119, 39),
    "edit the description": (lambda g: g.edit(description="Another"), None, 41, 13),
    "create with eight pictures": (Gallery.create_with_pictures, Gallery.create, 318, 83),
    "replace the cover": (lambda g: g.edit(r2_object_key=g.keys[0]), None, 42, 12),
    "add a picture": (
        lambda g: g.edit(image_keys=g.keys[:8]),
        lambda g: g.edit(image_keys=g.keys[:7]),
        111,
        19,
    ),
    "edit the title": (lambda g: g.edit(title="Kanjivaram saree in blue"), None, 41, 14),
    "edit the category": (lambda g: g.edit(category="Lehenga"), None, 61, 18),
    "archive": (lambda g: g.edit(status="archived"), None, 131, 49),
    "delete": (lambda g: g.admin.delete(g.path), None, 160, 52),
    "restore": (lambda g: g.admin.post(f"{g.path}/restore"), lambda g: g.admin.delete(g.path), 160, 52),
    "purge": (lambda g: g.admin.delete(f"/api/designs/{g.another.pk}?purge=true"), None, 68, 18),
    "login": (Gallery.login, None, 37, 7),
    "refresh": (Gallery.refresh, lambda g: g.tokens, 17, 3),
    "logout": (lambda g: g.reader.post("/api/auth/logout"), None, 15, 3),
    "register": (Gallery.register, Gallery.register, 34, 12),
    "approve": (lambda g: g.admin.post(f"/api/admin/users/{g.newcomer.pk}/approve"), None, 29, 18),
    "edit a contact": (lambda g: g.reader.put("/api/auth/me", {"contact": "asha@example.com"}), None, 20, 3),
    "make a reset code": (Gallery.make_code, Gallery.make_code, 20, 8),
    "reset a password": (Gallery.reset, lambda g: g.code, 42, 12),
    "leave": (lambda g: g.leaver.delete("/api/auth/me", {"password": PASSWORD}), None, 60, 30),
    "upload": (Gallery.upload, Gallery.upload, 38, 9),
    "change a setting": (lambda g: g.set(False), lambda g: g.set(True), 28, 9),
}


@pytest.mark.parametrize(("call", "before", "read", "written"), WRITES.values(), ids=list(WRITES))
def test_a_write_costs_no_more_rows(call, before, read, written, gallery):
    if before:
        before(gallery)
    ApiClient.approved().get("/api/auth/me")  # the copy is fresh
    earlier = connection.usage
    response = call(gallery)
    used = connection.usage.since(earlier)
    assert response.status_code in (200, 201), response.content
    assert used.round_trips == 1
    assert used.rows_written <= written
    assert used.rows_read <= read + SEQUENCES
