"""The versions of a design: each edit, deletion and restore makes one, and a restore goes back to any of them."""

import pytest

from core.models import AuditEntry
from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

NEW = {"title": "First", "category": "Saree", "colour": "Red", "status": "draft"}


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def made(admin):
    """A design that the API has made."""
    return admin.post("/api/designs", NEW | {"r2_object_key": ImageFactory().object_key}).json()


@pytest.fixture
def path(made):
    return f"/api/designs/{made['id']}"


def versions(client, path, **query):
    response = client.get(f"{path}/versions", **query)
    assert response.status_code == 200, response.content
    return response.json()


class TestTheNumber:
    def test_starts_at_one_and_grows_with_each_edit(self, admin, made, path):
        assert made["version"] == 1
        assert admin.put(path, {"title": "Second"}).json()["version"] == 2
        assert admin.put(path, {"title": "Third", "colour": "Blue"}).json()["version"] == 3
        assert admin.get(path).json()["version"] == 3
        assert admin.get("/api/designs").json()["items"][0]["version"] == 3

    def test_stays_where_no_value_changes_and_so_does_updated_at(self, admin, made, path):
        same = {name: made[name] for name in ("title", "colour", "featured", "status", "r2_object_key")}
        for body in ({}, same, same | {"version": 1}, {"description": None}):
            assert admin.put(path, body).json() == made
        assert AuditEntry.objects.count() == 1

    def test_stays_with_likes_and_views(self, admin, made, path):
        admin.put(path, {"status": "published"})
        FavouriteFactory(design=Design.objects.get())
        Design.objects.update(view_count=7)
        assert admin.get(path).json()["version"] == 2

    @pytest.mark.parametrize("ignored", ["x", 7, None, []])
    def test_is_ignored_where_a_design_is_made(self, admin, ignored):
        sent = NEW | {"r2_object_key": ImageFactory().object_key, "version": ignored}
        assert admin.post("/api/designs", sent).json()["version"] == 1


class TestTheList:
    def test_is_newest_first_with_who_and_what(self, admin, made, path):
        other, image = ApiClient.admin(), ImageFactory()
        admin.put(path, {"title": "Second", "featured": True})
        other.put(path, {"r2_object_key": image.object_key})
        body = versions(admin, path)
        assert {name: body[name] for name in ("total", "page", "per_page", "pages")} == {
            "total": 3, "page": 1, "per_page": 20, "pages": 1,
        }  # fmt: skip
        assert [(item["version"], item["actor"], item["changes"]) for item in body["items"]] == [
            (
                3,
                {"id": other.user.pk, "username": other.user.username},
                {"image_keys": [[made["r2_object_key"]], [image.object_key]]},
            ),
            (
                2,
                {"id": admin.user.pk, "username": admin.user.username},
                {"title": ["First", "Second"], "featured": [False, True]},
            ),
            (1, {"id": admin.user.pk, "username": admin.user.username}, {}),
        ]
        assert set(body["items"][0]) == {"version", "created_at", "actor", "changes"}
        assert all(item["created_at"].endswith("Z") for item in body["items"])

    def test_has_a_first_version_also_of_a_design_that_no_service_made(self, admin):
        design = DesignFactory()
        path = f"/api/designs/{design.pk}"
        assert versions(admin, path)["items"] == [
            {"version": 1, "created_at": admin.get(path).json()["created_at"], "actor": None, "changes": {}}
        ]
        admin.put(path, {"title": "Second"})
        pages = [versions(admin, path, per_page=1, page=page) for page in (1, 2, 3)]
        assert [[item["version"] for item in page["items"]] for page in pages] == [[2], [1], []]
        assert [page["total"] for page in pages] == [2, 2, 2]

    def test_goes_on_in_the_trash_and_ends_with_the_design(self, admin, path):
        admin.delete(path)
        items = versions(admin, path)["items"]
        assert (items[0]["version"], items[0]["changes"]) == (2, {"status": ["draft", "deleted"]})
        admin.delete(f"{path}?purge=true")
        refused(admin.get(f"{path}/versions"), 404, "not_found")
        assert AuditEntry.objects.count() == 3

    def test_of_an_import_with_the_id_of_a_purged_design_begins_anew(self, admin, made, path):
        admin.put(path, {"title": "Second"})
        admin.delete(f"{path}?purge=true")
        DesignFactory(pk=made["id"], title="Another")
        admin.put(path, {"title": "Other"})
        assert [(item["version"], item["changes"]) for item in versions(admin, path)["items"]] == [
            (2, {"title": ["Another", "Other"]}),
            (1, {}),
        ]

    def test_is_for_admins(self, path):
        refused(ApiClient().get(f"{path}/versions"), 401, "not_authenticated")
        refused(ApiClient.approved().get(f"{path}/versions"), 403, "forbidden")
        refused(ApiClient.approved().post(f"{path}/restore"), 403, "forbidden")
        refused(ApiClient.admin().get("/api/designs/987654/versions"), 404, "not_found")


class TestARestore:
    def restored(self, client, path, version, status=200):
        response = client.post(f"{path}/restore", {"version": version})
        assert response.status_code == status, response.content
        return response.json()

    def test_sets_all_that_a_put_can_set_and_makes_a_version(self, admin, made, path):
        image = ImageFactory()
        admin.put(path, {"title": "Second", "description": "Long", "featured": True})
        admin.put(path, {"status": "published", "colour": "Blue", "r2_object_key": image.object_key})
        FavouriteFactory(design=Design.objects.get())
        body = self.restored(admin, path, 1)
        kept = {"version": 4, "like_count": 1, "updated_at": body["updated_at"]}
        assert body == made | kept == admin.get(path).json()
        assert body["updated_at"] > made["updated_at"]
        line = versions(admin, path)["items"][0]
        assert (line["version"], line["changes"]["title"]) == (4, ["Second", "First"])
        assert line["changes"]["image_keys"] == [[image.object_key], [made["r2_object_key"]]]
        assert self.restored(admin, path, 3)["title"] == "Second"
        assert self.restored(admin, path, 2)["colour"] == "Red"

    def test_to_what_the_design_is_changes_nothing(self, admin, made, path):
        assert self.restored(admin, path, 1) == made
        assert admin.post(f"{path}/restore").json() == made
        assert AuditEntry.objects.count() == 1

    def test_takes_out_of_the_trash_too(self, admin, path):
        admin.put(path, {"title": "Second", "status": "published"})
        admin.delete(path)
        body = self.restored(admin, path, 1)
        assert (body["title"], body["status"], body["version"]) == ("First", "draft", 4)

    @pytest.mark.parametrize("again", [False, True])
    def test_to_a_version_of_the_trash_gives_the_status_from_before(self, admin, path, again):
        admin.put(path, {"status": "archived"})
        admin.delete(path)
        if again:
            admin.post(f"{path}/restore")
            admin.put(path, {"status": "published"})
        assert self.restored(admin, path, 3)["status"] == "archived"

    @pytest.mark.parametrize("version", [2, 10**30])
    def test_to_a_version_that_never_was_is_a_404(self, admin, path, version):
        refused(admin.post(f"{path}/restore", {"version": version}), 404, "not_found")

    @pytest.mark.parametrize("version", [0, -1, "1", 1.5, True, None, [], {}])
    def test_to_no_version_is_a_400(self, admin, path, version):
        assert set(refused(admin.post(f"{path}/restore", {"version": version}), 400, "invalid")) == {
            "version"
        }

    def test_without_any_picture_left_changes_nothing(self, admin, made, path):
        admin.put(path, {"title": "Second", "r2_object_key": ImageFactory().object_key})
        before = admin.get(path).json()
        assert admin.delete(f"/api/upload/image/{made['r2_object_key']}").status_code == 200
        refused(admin.post(f"{path}/restore", {"version": 1}), 409, "image_gone")
        assert admin.get(path).json() == before

    def test_leaves_created_at_of_an_import_alone(self, admin, path):
        admin.put(path, {"title": "Second"})
        Design.objects.update(created_at="2001-01-01T00:00:00Z")
        assert self.restored(admin, path, 1)["created_at"].startswith("2001")
