"""Two writes about the pictures of a design that meet: each is done whole, one after the other, or refused."""

import pytest

from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory, DesignImageFactory
from tests.factories.uploads import ImageFactory
from tests.races import Meanwhile, at_once
from uploads.models import Image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]

ROUNDS = 8
FOUND = "designs.selectors.design_get_for_change"


class Scene:
    """A design with three pictures, three more images, and two admins."""

    def __init__(self):
        self.one, self.other = ApiClient.admin(), ApiClient.admin()
        self.design = DesignFactory()
        rest = [DesignImageFactory(design=self.design, place=place).image for place in (1, 2)]
        self.keys = [image.object_key for image in (self.design.image, *rest)]
        self.more = [image.object_key for image in ImageFactory.create_batch(3)]
        self.path = f"/api/designs/{self.design.pk}"

    def shown(self):
        return [picture["object_key"] for picture in self.one.get(self.path).json()["images"]]

    def put(self, client, **fields):
        return client.put(self.path, fields)


@pytest.fixture
def scene():
    return Scene()


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def test_of_two_lists_one_is_shown_whole():
    for _ in range(ROUNDS):
        scene = Scene()
        lists = [[*scene.more, scene.keys[2]], [scene.keys[1], scene.more[0], scene.keys[0]]]
        answers = at_once(
            lambda: scene.put(scene.one, image_keys=lists[0]),  # noqa: B023
            lambda: scene.put(scene.other, image_keys=lists[1]),  # noqa: B023
        )
        assert statuses(answers) == [200, 200]
        assert scene.shown() in lists


def test_a_cover_and_a_list_come_one_after_the_other():
    for _ in range(ROUNDS):
        scene = Scene()
        cover, sent = scene.keys[2], [scene.more[0], scene.keys[2]]
        answers = at_once(
            lambda: scene.put(scene.one, r2_object_key=cover),  # noqa: B023
            lambda: scene.put(scene.other, image_keys=sent),  # noqa: B023
        )
        assert statuses(answers) == [200, 200]
        assert scene.shown() in (sent, sent[::-1])


def test_a_cover_stands_before_the_rest_that_came_meanwhile(scene, monkeypatch):
    sent = scene.more[:2]
    change = Meanwhile(monkeypatch, FOUND, lambda: scene.put(scene.other, image_keys=sent))
    response = scene.put(scene.one, r2_object_key=scene.keys[1])
    assert (response.status_code, change.answer().status_code) == (200, 200)
    assert scene.shown() == [scene.keys[1], sent[1]]


def test_of_a_list_and_the_deletion_of_its_picture_one_is_refused():
    for _ in range(ROUNDS):
        scene = Scene()
        key = scene.more[1]
        answers = at_once(
            lambda: scene.put(scene.one, image_keys=[scene.keys[0], key]),  # noqa: B023
            lambda: scene.other.delete(f"/api/upload/image/{key}"),  # noqa: B023
        )
        assert [answer.status_code for answer in answers] in ([200, 409], [400, 200])
        is_shown = answers[0].status_code == 200
        assert (key in scene.shown()) is is_shown is Image.objects.filter(object_key=key).exists()


def test_a_picture_deleted_after_it_was_found_is_named_and_nothing_changes(scene, monkeypatch):
    key = scene.more[0]
    deletion = Meanwhile(
        monkeypatch,
        "designs.picture_change.stored_images",
        lambda: scene.other.delete(f"/api/upload/image/{key}"),
    )
    response = scene.put(scene.one, title="New", image_keys=[scene.keys[0], key])
    assert set(refused(response, 400, "invalid")) == {"image_keys"}
    assert deletion.answer().status_code == 200
    assert scene.shown() == scene.keys
    assert Design.objects.get().title == scene.design.title


def test_a_picture_shown_after_it_was_found_unused_is_not_deleted(scene, monkeypatch):
    key = scene.more[0]
    sent = [scene.keys[0], key]
    change = Meanwhile(
        monkeypatch, "uploads.selectors.image", lambda: scene.put(scene.other, image_keys=sent)
    )
    refused(scene.one.delete(f"/api/upload/image/{key}"), 409, "image_in_use")
    assert change.answer().status_code == 200
    assert scene.shown() == sent


def test_a_list_for_a_design_that_is_deleted_meanwhile_is_a_404(scene, monkeypatch):
    deletion = Meanwhile(monkeypatch, FOUND, lambda: scene.other.delete(scene.path))
    refused(scene.put(scene.one, image_keys=scene.more), 404, "not_found")
    assert deletion.answer().status_code == 200
