"""manage.py adopt_seed: a seed with rows of every kind becomes this gallery, and what cannot be taken is reported."""

import os
import random
from unittest.mock import Mock

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import deleted_ids
from accounts.models import User
from core import checks
from core.models import AppSetting, AuditEntry
from designs.models import Design, Favourite
from operations.seed import target
from operations.seed.adoption import Adoption
from tests.api.client import ApiClient
from tests.integration.seed.databases import PASSWORD, PICTURE, adopt, hashed, key, notes, sign_in
from tests.integration.test_totals import counted_days, counted_values, kept_days, kept_values
from tests.pictures import exif, saved, textile
from uploads.models import Image

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("users", "designs", "user_favorites", "app_settings", "images", "audit_entries", "sqlite_sequence")


def rows_of_gallery():
    with connection.cursor() as cursor:
        found = []
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")
            found.append(cursor.fetchall())
        return found


def fill(seed, *, users=300, designs=300, favourites=400):
    """A thousand plain rows. The third of three users is not approved; like_count is wrong everywhere."""
    chance = random.Random(19)
    password = hashed()
    seed.add_many(
        "users",
        [
            {
                "username": f"weaver{number}",
                "password_hash": password,
                "is_admin": int(number == 1),
                "is_approved": int(number % 3 > 0),
                "created_at": f"2024-01-{1 + number % 28:02} 10:00:00",
                "updated_at": f"2024-02-{1 + number % 28:02} 10:00:00",
            }
            for number in range(1, users + 1)
        ],
    )
    seed.add_many(
        "designs",
        [
            {
                "title": f"Silk {number}",
                "r2_object_key": key(1 + number % 3),
                "category": chance.choice(["Saree", "Lehenga", "Kurta"]),
                "style": chance.choice(["Bridal", ""]),
                "featured": number % 2,
                "status": chance.choice(["published", "draft", "archived"]),
                "view_count": number,
                "like_count": 999,
                "created_at": f"2024-03-{1 + number % 28:02} 10:00:00",
            }
            for number in range(1, designs + 1)
        ],
    )
    pairs = [(user, design) for user in range(1, users + 1) for design in range(1, designs + 1)]
    seed.add_many(
        "user_favorites",
        [
            {"user_id": user, "design_id": design, "created_at": f"2024-04-{1 + user % 28:02} 10:00:00"}
            for user, design in chance.sample(pairs, favourites)
        ],
    )


def test_a_thousand_rows_become_this_gallery(seed, pictured):
    fill(seed)
    seed.add("app_settings", key="registration_open", value="false")
    seed.run("DELETE FROM designs WHERE id = 300", "DELETE FROM user_favorites WHERE design_id = 300")
    before = seed.dump()
    said = adopt(seed, apply=True)
    assert seed.dump() == before
    assert "is adopted" in said
    assert (User.objects.count(), Design.objects.count(), Image.objects.count()) == (300, 299, 3)
    assert Favourite.objects.count() > 390
    assert AppSetting.objects.get().value == "false"
    assert (kept_days(), kept_values()) == (counted_days(), counted_values())
    assert list(checks.differences("default")) == []
    for design in Design.objects.all():
        assert design.like_count == design.favourites.count()
        assert (design.view_count, design.title) == (design.pk, f"Silk {design.pk}")
    user = User.objects.get(pk=7)
    assert (user.username, user.is_approved, user.state) == ("weaver7", True, "approved")
    assert f"{user.created_at:%Y-%m-%d %H:%M:%S %Z}" == "2024-01-08 10:00:00 UTC"
    assert f"{user.updated_at:%Y-%m-%d}" == f"{user.reviewed_at:%Y-%m-%d}" == "2024-02-08"
    assert User.objects.get(pk=6).state == "pending"
    assert [line.action for line in AuditEntry.objects.order_by("pk")] == ["seed.begin", "seed.adopt"]

    response = sign_in("weaver1")
    assert response.json()["user"]["is_admin"]
    admin = ApiClient(token=response.json()["access_token"])
    found = admin.get("/api/designs", search="silk 42").json()
    assert found["items"][0]["id"] == 42
    assert len(found["items"][0]["image"]["renditions"]) == 1
    mine = admin.get("/api/designs/user/favorites").json()
    assert mine["total"] == Favourite.objects.filter(user_id=1).count()
    made = admin.post("/api/designs", {"title": "New", "category": "Saree", "r2_object_key": key(1)}).json()
    assert made["id"] > 300  # the id of the design that the seed had deleted is not given again
    assert admin.get("/api/admin/audit").status_code == 200


def test_a_dry_run_writes_nothing_and_says_what_it_would(seed, pictured):
    fill(seed, users=30, designs=30, favourites=60)
    seed.user("a")
    theirs, ours, store = seed.dump(), rows_of_gallery(), pictured.listed()
    said = adopt(seed)
    assert (seed.dump(), rows_of_gallery(), pictured.listed()) == (theirs, ours, store)
    assert "a dry run: nothing is written" in said
    assert "users                   31        30         0         1" in said
    assert "users 31: left out: the username “a” cannot be kept: A username has 3 to 50 characters." in said
    assert "designs had another like_count" in said


def test_odd_values_are_read_or_replaced_with_a_note(seed, tmp_path, pictured):
    seed.user(
        "asha",
        is_admin="true",
        is_approved="True",
        created_at=1_714_558_830,
        updated_at="2024-05-02T10:00:00+05:30",
    )
    seed.user("mira", is_admin="perhaps", is_approved="0", created_at="yesterday", updated_at=None)
    seed.user("noor", is_admin=None, is_approved=None, created_at="2024-05-03", updated_at="")
    seed.design(
        "  ", description=b"d\0e", status="Active", featured="yes", view_count="12", updated_at="2024-13-45"
    )
    seed.design(
        "x" * 250, status="on sale", view_count=-3, category="", colour=7, description=None, style=None
    )
    seed.design(b"\xffsilk", status=None, view_count=None, created_at=None, updated_at="2024-07-01")
    seed.design(
        "Trashed", status="deleted", view_count="many", created_at="0000-00-00 00:00:00", updated_at=None
    )
    found, _ = notes(seed, tmp_path, apply=True)
    asha, mira, noor = User.objects.all()
    assert (asha.is_admin, asha.is_approved) == (True, True)
    assert f"{asha.created_at:%FT%T} {asha.updated_at:%FT%T}" == "2024-05-01T10:20:30 2024-05-02T04:30:00"
    assert (mira.is_admin, mira.is_approved) == (False, False)
    assert ("users", "1") not in found
    assert "is_admin is “perhaps”, which cannot be read, and is taken as off." in found["users", "2"][1]
    assert "created_at is “yesterday”" in found["users", "2"][1]
    assert f"{noor.created_at:%F} {noor.updated_at:%F} {noor.state}" == "2024-05-03 2024-05-03 pending"
    first, second, third, fourth = Design.objects.order_by("pk")
    assert (first.title, first.description, first.status, first.featured) == (
        "Untitled",
        "de",
        "published",
        True,
    )
    assert first.view_count == 12
    assert (second.title, second.status, second.view_count) == ("x" * 200, "draft", 0)
    assert (second.category, second.colour, second.description) == ("Other", "7", "")
    assert "title has 250 characters, and is cut after 200." in found["designs", "2"][1]
    assert (third.title, third.status, f"{third.created_at:%F}") == ("\ufffdsilk", "published", "2024-07-01")
    assert (fourth.status, fourth.trashed_status, fourth.view_count) == ("deleted", "draft", 0)
    assert fourth.deleted_at is not None
    assert (kept_days(), kept_values()) == (counted_days(), counted_values())


def test_favourites_that_are_doubled_or_lead_nowhere_are_left_out(seed, tmp_path, pictured):
    seed.user()
    seed.design()
    for user, design, created in [
        (1, 1, "2024-05-01"),
        (1, 1, None),
        (2, 1, None),
        (1, 9, None),
        (1, "x", None),
    ]:
        seed.add("user_favorites", user_id=user, design_id=design, created_at=created)
    found, whole = notes(seed, tmp_path, apply=True)
    assert Favourite.objects.get().pk == 1
    assert Design.objects.get().like_count == 1
    assert whole["counts"]["user_favorites"]["left_out"] == 4
    assert found["user_favorites", "5"][1] == "its design_id is no whole number from 1 on: “x”."


def test_settings_are_taken_by_their_keys(seed, tmp_path):
    for name, value in [
        *(
            ("public_catalogue", "True"),
            ("support_contact", '"help@example.com"'),
            ("min_app_version", "2.4"),
        ),
        *(("privacy_url", "no address"), ("theme", "dark"), ("public_catalogue", "false")),
    ]:
        seed.add("app_settings", key=name, value=value)
    found, _ = notes(seed, tmp_path, apply=True)
    stored = dict(AppSetting.objects.values_list("key", "value"))
    assert stored == {
        "public_catalogue": "true",
        "support_contact": '"help@example.com"',
        "min_app_version": '"2.4"',
    }
    assert [found["app_settings", key][0] for key in "456"] == ["left out"] * 3


def test_pictures_are_taken_as_uploads_are(seed, tmp_path, image_store):
    with_place = saved(textile(400, 500, 7), exif=exif())
    image_store.write(key(1), PICTURE, "image/jpeg")
    image_store.write(key(2), with_place, "image/jpeg")
    image_store.write(key(3), b"no picture", "image/jpeg")
    image_store.write("old/photo one.JPG", PICTURE, "image/jpeg")
    keys = [
        key(1),
        key(2),
        key(3),
        key(4),
        "old/photo one.JPG",
        f"https://img.example/{key(1)}",
        "",
        "../../x",
    ]
    for name in keys:
        seed.design(name or "none", r2_object_key=name)
    found, whole = notes(seed, tmp_path, apply=True)
    designs = list(Design.objects.order_by("pk"))
    assert designs[0].r2_object_key == designs[5].r2_object_key == key(1)
    for index in (1, 4):
        assert designs[index].r2_object_key not in keys
        assert "is stored anew" in found["designs", str(index + 1)][1]
        assert b"28 deg" not in image_store.read(designs[index].r2_object_key)
    assert image_store.read(key(2)) == with_place  # the seed's own pictures stay as they are
    stand_in = {designs[index].r2_object_key for index in (2, 3, 6, 7)}
    assert len(stand_in) == 1
    assert {designs[index].status for index in (2, 3, 6, 7)} == {"draft"}
    assert "cannot be shown" in found["designs", "3"][1]
    assert "is not in the store" in found["designs", "4"][1]
    assert whole["counts"]["designs"]["taken"] == 8
    for image in Image.objects.all():
        keys = [image.object_key, *(one["key"] for one in image.renditions)]
        assert set(keys) <= set(image_store.listed())


@pytest.mark.parametrize(
    "name",
    [
        "http://[x",
        "https://a]b/c.jpg",
        "http://\u2100/x",
        "x" * 5000,
        "a/" * 2000,
        f"designs/2024/05/{'9' * 300}",
    ],
)
def test_what_can_be_no_key_is_a_picture_that_is_missing(seed, tmp_path, image_store, name):
    seed.design("odd", r2_object_key=name)
    image_store.write(key(1), PICTURE, "image/jpeg")
    seed.design("plain")
    assert "is not in the store" in notes(seed, tmp_path)[0]["designs", "1"][1]
    found, _ = notes(seed, tmp_path, apply=True)
    assert "is not in the store" in found["designs", "1"][1]
    assert list(Design.objects.order_by("pk").values_list("status", flat=True)) == ["draft", "published"]


def test_ids_go_on_where_the_seed_gave_the_last_one_that_there_can_be(seed, pictured):
    """Nothing has an id after it, so a row with that id must not end the giving of ids."""
    seed.user(is_admin=1)
    seed.user("mira", id=2**63 - 1)
    seed.design()
    seed.design(id=2**63 - 1)
    seed.add("user_favorites", id=2**63 - 1, user_id=1, design_id=1)
    adopt(seed, apply=True)
    assert User.objects.create_user("noor", PASSWORD).pk < 10_000
    admin = ApiClient(token=sign_in("asha").json()["access_token"])
    body = {"title": "New", "category": "Saree", "r2_object_key": key(1)}
    assert (made := admin.post("/api/designs", body).json()["id"]) < 10_000
    assert admin.post(f"/api/designs/{made}/favorite").status_code == 200


def test_columns_and_tables_that_only_one_side_has_are_named(seed, pictured):
    seed.run(
        "ALTER TABLE users ADD COLUMN email TEXT",
        "ALTER TABLE users ADD COLUMN full_name TEXT",
        "ALTER TABLE users ADD COLUMN is_active BOOLEAN DEFAULT TRUE",
        "ALTER TABLE designs DROP COLUMN season",
        "ALTER TABLE designs DROP COLUMN description",
        "DROP TABLE app_settings",
        "CREATE TABLE alembic_version (version TEXT)",
    )
    seed.user("asha", full_name="Asha Rao")
    seed.user("mira", is_active=0, full_name="two\nlines")
    seed.design()
    said = adopt(seed, apply=True)
    assert "Columns of users that are not taken: email." in said
    assert "Columns that designs does not have: description, season." in said
    assert "The seed has no table app_settings." in said
    assert "The table alembic_version is not taken. It has 0 rows." in said
    assert "No approved admin" in said
    asha, mira = User.objects.all()
    assert (asha.full_name, mira.full_name, mira.state) == ("Asha Rao", "", "pending")


def test_an_interrupted_one_goes_on_where_it_stopped(seed, pictured, monkeypatch):
    fill(seed)
    monkeypatch.setattr("operations.seed.adoption.AT_ONCE", dict.fromkeys(TABLES, 100))
    left, insert = iter([True] * 5), target.insert

    def insert_until_killed(rows):
        if not next(left, False):
            raise KeyboardInterrupt
        insert(rows)

    monkeypatch.setattr(target, "insert", insert_until_killed)
    with pytest.raises(CommandError, match=r"^Stopped\. .* run the same command again"):
        adopt(seed, apply=True)
    monkeypatch.setattr(target, "insert", insert)
    written = Design.objects.count()
    assert (User.objects.count(), written) == (300, 100)
    assert "a dry run" in adopt(seed)
    with monkeypatch.context() as at_check:
        at_check.setattr(Adoption, "check", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(CommandError, match=r"^Stopped\. This run wrote nothing"):
            adopt(seed, apply=True)
    with pytest.raises(CommandError, match="the first part of another seed, or of this one as it was then"):
        adopt(seed, rename=True)
    said = adopt(seed, apply=True)
    assert "An earlier run wrote a part of this" in said
    assert (Design.objects.count(), Favourite.objects.count(), Image.objects.count()) == (300, 400, 3)
    assert (kept_days(), kept_values()) == (counted_days(), counted_values())
    with pytest.raises(CommandError, match=r"adopted a seed on .* already"):
        adopt(seed, apply=True)


def test_tidy_leaves_the_pictures_of_designs_that_are_not_adopted_yet(seed, pictured, monkeypatch, capsys):
    seed.design()
    for name in pictured.listed():
        os.utime(pictured.folder / name, (0, 0))
    before = pictured.listed()
    monkeypatch.setattr(target, "insert", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(CommandError, match=r"^Stopped\."):
        adopt(seed, apply=True)
    with pytest.raises(CommandError, match="1 of 1 steps failed"):
        call_command("tidy", only="uploads")
    assert "The adoption of the seed is not done" in capsys.readouterr().err
    assert set(before) <= set(pictured.listed())


def test_a_database_with_rows_or_kept_ids_is_refused(seed):

    seed.user()
    other = User.objects.create_user("there", PASSWORD)
    with pytest.raises(CommandError, match=r"has rows already \(1 of users\)"):
        adopt(seed, apply=True)
    User.objects.filter(pk=other.pk).delete()
    deleted_ids.add(1, timezone.now())
    try:
        with pytest.raises(CommandError, match="tidy would delete users"):
            adopt(seed)
    finally:
        storages["deletions"].delete("deleted-users/1")
    adopt(seed)


@pytest.mark.skipif(
    not hasattr(connection, "round_trips") and connection.vendor == "sqlite", reason="only D1"
)
def test_a_thousand_rows_take_few_round_trips(seed, pictured):
    fill(seed)
    adopt(seed)
    before = connection.round_trips
    adopt(seed, apply=True)
    assert connection.round_trips - before <= 20
