"""Two writes that meet: never a 500 and never a 503. The one that loses answers what it then finds."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection

from accounts.models import SignIn, User
from core.models import AppSetting, AuditEntry
from designs.models import Design, Favourite
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture
from tests.races import Meanwhile, at_once
from uploads.keys import incoming_key
from uploads.models import Image, PendingUpload

pytestmark = pytest.mark.django_db(transaction=True)

ME = "/api/auth/me"
AUTHENTICATED = "accounts.api.authentication.spend_as_user"
PUT_INTO_STORE = "uploads.services.store_objects"
ROUNDS = 8
# D1 itself checks the sign-in with every write.
ON_D1_NOBODY = 401 if hasattr(connection, "round_trips") else None


@pytest.fixture
def meanwhile(monkeypatch):
    """Another call at a given moment: meanwhile(place, call)."""
    return lambda place, call: Meanwhile(monkeypatch, place, call)


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def other():
    """Another admin, who does something at the same time."""
    return ApiClient.admin()


def path_of(row):
    if isinstance(row, User):
        return f"/api/admin/users/{row.pk}"
    return f"/api/upload/image/{row.object_key}" if isinstance(row, Image) else f"/api/designs/{row.pk}"


def upload(client, category="avatars"):
    file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    return client.upload("/api/upload/image", file=file, category=category)


def avatar_of(user):
    return ImageFactory(category="avatars", uploaded_by=user)


def new_design(image):
    return {"title": "New", "category": "Saree", "r2_object_key": image.object_key}


class TestAnImageDeletedMeanwhile:
    def test_is_a_bad_key_of_the_design_created_with_it(self, admin, other, meanwhile):
        image = ImageFactory()
        deletion = meanwhile("designs.picture_change.stored_images", lambda: other.delete(path_of(image)))
        response = admin.post("/api/designs", new_design(image))
        assert list(refused(response, 400, "invalid")) == ["r2_object_key"]
        assert deletion.answer().status_code == 200
        assert not Design.objects.exists()
        assert not AuditEntry.objects.filter(action="design.create").exists()

    def test_is_a_bad_key_of_the_design_changed_with_it(self, admin, other, meanwhile):
        image, design = ImageFactory(), DesignFactory(title="Old")
        deletion = meanwhile("designs.picture_change.stored_images", lambda: other.delete(path_of(image)))
        response = admin.put(path_of(design), {"title": "New", "r2_object_key": image.object_key})
        assert list(refused(response, 400, "invalid")) == ["r2_object_key"]
        assert deletion.answer().status_code == 200
        design.refresh_from_db()
        assert (design.title, design.image_id) == ("Old", design.image.object_key)

    def test_is_deleted_once(self, admin, other, meanwhile):
        image = ImageFactory()
        deletion = meanwhile(AUTHENTICATED, lambda: other.delete(path_of(image)))
        refused(admin.delete(path_of(image)), 404, "not_found")
        assert deletion.answer().status_code == 200

    def test_is_deleted_once_though_both_found_it(self, admin, other, meanwhile):
        image = ImageFactory()
        deletion = meanwhile("uploads.selectors.image", lambda: other.delete(path_of(image)))
        answers = [admin.delete(path_of(image)), deletion.answer()]
        assert sorted(answer.status_code for answer in answers) == [200, 404]
        assert AuditEntry.objects.filter(action="image.delete").count() == 1

    def test_is_no_avatar_for_the_user_who_puts_it_on(self, other, meanwhile):
        user = ApiClient.approved()
        avatar = avatar_of(user.user)
        deletion = meanwhile("core.replica.or_exactly", lambda: other.delete(path_of(avatar)))
        response = user.put(ME, {"avatar_object_key": avatar.object_key})
        assert list(refused(response, 400, "invalid")) == ["avatar_object_key"]
        assert deletion.answer().status_code == 200
        assert user.get(ME).json()["avatar_url"] is None


class TestAnImageTakenUpMeanwhile:
    def test_stays_where_it_became_an_avatar(self, admin, meanwhile):
        user = ApiClient.approved()
        avatar = avatar_of(user.user)
        put_on = meanwhile(
            "uploads.selectors.image", lambda: user.put(ME, {"avatar_object_key": avatar.object_key})
        )
        answers = [admin.delete(path_of(avatar)).status_code, put_on.answer().status_code]
        # Who came first decides; never do both succeed.
        assert answers in ([409, 200], [200, 400])
        shown = user.get(ME).json()["avatar_url"]
        assert Image.objects.exists() is bool(shown) is (answers == [409, 200])

    def test_stays_where_a_design_shows_it(self, admin, other, meanwhile):
        image = ImageFactory()
        creation = meanwhile("uploads.selectors.image", lambda: other.post("/api/designs", new_design(image)))
        answers = [admin.delete(path_of(image)).status_code, creation.answer().status_code]
        assert answers in ([409, 201], [200, 400])
        assert Image.objects.exists() is Design.objects.exists() is (answers == [409, 201])


class TestADesignDeletedMeanwhile:
    FOUND = "designs.selectors.design_get_for_change"

    def test_is_deleted_once(self, admin, other, meanwhile):
        design = FavouriteFactory().design
        deletion = meanwhile(self.FOUND, lambda: other.delete(path_of(design)))
        refused(admin.delete(path_of(design)), 404, "not_found")
        assert deletion.answer().status_code == 200
        assert AuditEntry.objects.filter(action="design.delete").count() == 1

    def test_is_not_changed(self, admin, other, meanwhile):
        design = DesignFactory()
        deletion = meanwhile(self.FOUND, lambda: other.delete(path_of(design)))
        refused(admin.put(path_of(design), {"title": "New"}), 404, "not_found")
        assert deletion.answer().status_code == 200
        assert not AuditEntry.objects.filter(action="design.update").exists()

    @pytest.mark.parametrize("method", ["post", "delete"])
    def test_is_nobodys_favourite(self, other, meanwhile, method):
        user, design = ApiClient.approved(), DesignFactory()
        FavouriteFactory(design=design, user=user.user)
        deletion = meanwhile(AUTHENTICATED, lambda: other.delete(path_of(design)))
        refused(getattr(user, method)(f"{path_of(design)}/favorite"), 404, "not_found")
        assert deletion.answer().status_code == 200
        assert Favourite.objects.count() == 1  # it is in the trash, too

    def test_goes_with_the_favourites_that_come_meanwhile(self, admin, meanwhile):
        user, design = ApiClient.approved(), DesignFactory()
        like = meanwhile("core.audit.record", lambda: user.post(f"{path_of(design)}/favorite"))
        assert admin.delete(f"{path_of(design)}?purge=true").status_code == 200
        assert like.answer().status_code in (200, 404)
        assert not Favourite.objects.exists()


class TestAUserDeletedMeanwhile:
    """Whoever is gone by then is nobody: 401."""

    @pytest.fixture
    def leaver(self):
        return ApiClient.admin()

    @pytest.fixture
    def leaves(self, leaver, other, meanwhile):
        """leaves(place): an admin deletes the leaver when he has passed the place."""
        return lambda place: meanwhile(place, lambda: other.delete(path_of(leaver.user)))

    @pytest.mark.parametrize(
        ("call", "status"),
        [
            (lambda leaver, row: leaver.post(f"{path_of(row)}/favorite"), 401),
            (lambda leaver, row: leaver.put(ME, {"avatar_object_key": None}), 401),
            (
                lambda leaver, row: leaver.post(
                    "/api/auth/password", {"current_password": PASSWORD, "new_password": "another silk"}
                ),
                401,
            ),
            (lambda leaver, row: leaver.post(f"{path_of(UserFactory(pending=True))}/approve"), 401),
            (lambda leaver, row: leaver.post(f"{path_of(UserFactory(pending=True))}/reject"), 401),
            (
                lambda leaver, row: leaver.get(
                    "/api/upload/presigned-url", content_type="image/jpeg", size=1000, category="avatars"
                ),
                401,
            ),
            (lambda leaver, row: leaver.post("/api/auth/logout"), ON_D1_NOBODY or 200),
            (
                lambda leaver, row: leaver.delete(f"/api/auth/sessions/{leaver.tokens.sign_in.pk}"),
                ON_D1_NOBODY or 404,
            ),
        ],
        ids=["like", "avatar", "password", "approve", "reject", "presign", "logout", "session"],
    )
    def test_is_nobody(self, leaver, leaves, call, status):
        design = DesignFactory()
        deletion = leaves(AUTHENTICATED)
        response = call(leaver, design)
        assert (response.status_code, deletion.answer().status_code) == (status, 200)
        if status == 401:
            refused(response, 401, "token_revoked")
        assert not Favourite.objects.exists()
        assert not PendingUpload.objects.exists()
        assert not User.objects.exclude(reviewed_by=None).exists()

    def test_leaves_no_picture_that_is_uploaded_just_then(self, leaver, leaves, folder):
        deletion = leaves(PUT_INTO_STORE)
        refused(upload(leaver), 401, "token_revoked")
        assert deletion.answer().status_code == 200
        assert not Image.objects.exists()
        assert folder.listed() == []

    def test_leaves_no_picture_that_is_completed_just_then(self, leaver, leaves, folder):
        data = picture()
        promise = leaver.get(
            "/api/upload/presigned-url", content_type="image/jpeg", size=len(data), category="avatars"
        ).json()
        assert folder.send(leaver.http, promise["upload_url"], data, promise["headers"]) == 200
        deletion = leaves(PUT_INTO_STORE)
        response = leaver.post("/api/upload/complete", {"object_key": promise["object_key"]})
        refused(response, 401, "token_revoked")
        assert deletion.answer().status_code == 200
        assert not Image.objects.exists()
        assert [key for key in folder.listed() if not key.startswith(incoming_key(""))] == []

    def test_is_deleted_once(self, admin, leaver, leaves):
        deletion = leaves("accounts.services.keep_an_admin")
        answers = [admin.delete(path_of(leaver.user)), deletion.answer()]
        assert sorted(answer.status_code for answer in answers) == [200, 404]
        assert AuditEntry.objects.filter(action="user.delete").count() == 1

    @pytest.mark.parametrize(
        "call",
        [
            lambda admin, path: admin.put(path, {"is_admin": False}),
            lambda admin, path: admin.post(f"{path}/approve"),
            lambda admin, path: admin.post(f"{path}/reject", {"reason": "Unknown to us"}),
        ],
        ids=["update", "approve", "reject"],
    )
    def test_is_not_decided_about(self, admin, other, meanwhile, call):
        path = path_of(UserFactory(pending=True, is_admin=True))
        deletion = meanwhile(AUTHENTICATED, lambda: other.delete(path))
        refused(call(admin, path), 404, "not_found")
        assert deletion.answer().status_code == 200

    @pytest.mark.parametrize(
        "call",
        [
            lambda user, design: user.post(f"{path_of(design)}/favorite"),
            lambda user, design: upload(user),
            lambda user, design: ApiClient().post(
                "/api/auth/login", {"username": user.user.username, "password": PASSWORD}
            ),
            lambda user, design: user.get(
                "/api/upload/presigned-url", content_type="image/jpeg", size=1000, category="avatars"
            ),
        ],
        ids=["likes", "uploads", "signs in", "presigns"],
    )
    def test_is_deleted_with_what_he_does_just_then(self, admin, meanwhile, folder, call):
        user, design = ApiClient.approved(), DesignFactory()
        FavouriteFactory(user=user.user)
        SignInFactory(user=user.user)
        deed = meanwhile("accounts.services.keep_an_admin", lambda: call(user, design))
        assert admin.delete(path_of(user.user)).status_code == 200
        assert deed.answer().status_code in (200, 201, 401)
        assert not Favourite.objects.exists()
        assert not SignIn.objects.filter(user_id=user.user.pk).exists()


class TestSettings:
    def test_that_two_admins_set_first(self, admin, other, meanwhile):
        body = {"settings": {"support_contact": "a@example.com"}}
        setting = meanwhile("core.app_settings.all_settings", lambda: other.put("/api/admin/settings", body))
        assert admin.put("/api/admin/settings", body).status_code == 200
        assert setting.answer().status_code == 200
        assert AppSetting.objects.count() == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client, path: client.delete(path),
        lambda client, path: client.post(f"{path}/reject"),
        lambda client, path: client.put(path, {"is_admin": False}),
    ],
    ids=["delete", "reject", "demote"],
)
def test_of_two_admins_who_remove_each_other_at_once_one_stays(call):
    for _ in range(ROUNDS):
        one, two = ApiClient.admin(), ApiClient.admin()
        answers = at_once(
            lambda: call(one, path_of(two.user)),  # noqa: B023
            lambda: call(two, path_of(one.user)),  # noqa: B023
        )
        assert sorted(answer.status_code for answer in answers)[0] == 200
        assert {answer.status_code for answer in answers} <= {200, 401, 403, 409}
        assert User.objects.filter(is_admin=True, is_approved=True).count() == 1
        User.objects.all().delete()


def test_a_write_that_always_fails_is_a_failure_of_ours(admin, monkeypatch):
    calls = []

    def fail(*args):
        calls.append(args)
        raise IntegrityError("CHECK constraint failed: secret_name")

    monkeypatch.setattr("designs.services.design_delete", fail)
    response = admin.delete(path_of(DesignFactory()))
    refused(response, 500, "server_error")
    assert b"secret_name" not in response.content
    assert 1 < len(calls) < 10


PAIRS = {
    "delete a design twice": ((("delete", "{design}"),) * 2, {200, 404}),
    "delete and change a design": ((("delete", "{design}"), ("put", "{design}", {"title": "B"})), {200, 404}),
    "delete and like a design": ((("delete", "{design}"), ("post", "{design}/favorite")), {200, 404}),
    "delete an image twice": ((("delete", "{image}"),) * 2, {200, 404}),
    "delete an image and make a design of it": (
        (("delete", "{image}"), ("post", "/api/designs", "new")),
        {200, 201, 400, 409},
    ),
    "delete an image and show it in a design": (
        (("delete", "{image}"), ("put", "{design}", "new")),
        {200, 400, 409},
    ),
    "delete a user twice": ((("delete", "{user}"),) * 2, {200, 404}),
    "delete and approve a user": ((("delete", "{user}"), ("post", "{user}/approve")), {200, 404}),
    "approve and reject a user": ((("post", "{user}/approve"), ("post", "{user}/reject")), {200}),
    "approve a user twice": ((("post", "{user}/approve"),) * 2, {200}),
    "rename two users alike": (
        (("put", "{user}", {"username": "same"}), ("put", "{second}", {"username": "same"})),
        {200, 409},
    ),
    "register a name twice": (
        (("post", "/api/auth/register", {"username": "same", "password": "six yards of silk"}),) * 2,
        {200, 409},
    ),
    "register two names that look alike": (
        tuple(
            ("post", "/api/auth/register", {"username": name, "password": "six yards of silk"})
            for name in ("same", "sаme")
        ),
        {200, 409},
    ),
    "set a setting twice": (
        (("put", "/api/admin/settings", {"settings": {"registration_open": False}}),) * 2,
        {200},
    ),
    "like a design twice": ((("post", "{design}/favorite"),) * 2, {200}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_calls_let_go_at_once(name):
    calls, allowed = PAIRS[name]
    clients = [ApiClient.admin(), ApiClient.admin()]
    for _ in range(ROUNDS):
        design, image = DesignFactory(), ImageFactory()
        user, second = UserFactory.create_batch(2, pending=True)
        paths = {
            row: path_of(rows)
            for row, rows in locals().items()
            if row in ("design", "image", "user", "second")
        }

        def made(client, method, path, body=None):
            body = new_design(image) if body == "new" else body  # noqa: B023
            return lambda: getattr(client, method)(path.format(**paths), body)  # noqa: B023

        answers = at_once(*(made(client, *call) for client, call in zip(clients, calls, strict=True)))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= allowed, [answer.content for answer in answers]
        if "delete" in name:
            assert {200, 201} & set(statuses)
        if name.startswith("delete an image and"):
            assert sorted(statuses) in ([200, 400], [201, 409], [200, 409])
        User.objects.filter(username="same").delete()
        AppSetting.objects.all().delete()


@pytest.mark.parametrize("sort", ["newest", "most_viewed"])
def test_a_list_shows_no_design_that_is_hidden_while_it_is_read(admin, meanwhile, sort):
    reader, design = ApiClient.approved(), DesignFactory(title="Hidden")
    DesignFactory(title="Shown")
    path = f"/api/designs/{design.pk}"
    hiding = meanwhile("designs.catalogue.ids_part", lambda: admin.put(path, {"status": "draft"}).status_code)
    items = reader.get(f"/api/designs?sort={sort}").json()["items"]
    assert hiding.answer() == 200
    assert {item["status"] for item in items} == {"published"}
