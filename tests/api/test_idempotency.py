"""Second tries of a POST with the same Idempotency-Key, over the API."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.idempotency import Attempt
from accounts.models import KeptAnswer
from core.models import AuditEntry
from d1backend import OutcomeUnknown
from designs import services
from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.factories.uploads import ImageFactory
from tests.pictures import picture
from tests.races import at_once
from uploads.models import Image
from uploads.storage.base import configured_store

pytestmark = pytest.mark.django_db(transaction=True)

DESIGNS, UPLOAD = "/api/designs", "/api/upload/image"


def fields(**more):
    return {"title": "Paithani", "category": "Saree", "r2_object_key": ImageFactory().object_key, **more}


def create(client, body, key="one"):
    return client.post(DESIGNS, body, headers={"Idempotency-Key": key})


def upload(client, data, key="one", **more):
    headers = {**client.headers, "Idempotency-Key": key}
    return client.http.post(
        UPLOAD, {"file": SimpleUploadedFile("a.jpg", data, "image/jpeg"), **more}, headers=headers
    )


def same_answer(first, second):
    assert (first.status_code, second.status_code) == (201, 201), second.content
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Content-Type"] == "application/json"


def test_a_second_try_gets_the_first_answer_and_makes_nothing():
    client, body = ApiClient.admin(), fields()
    first = create(client, body)
    same_answer(first, create(client, dict(reversed(body.items()))))
    assert Design.objects.count() == AuditEntry.objects.filter(action="design.create").count() == 1


def test_a_second_upload_gets_the_first_answer_and_leaves_no_object(image_store):
    client, data = ApiClient.admin(), picture()
    first = upload(client, data)
    stored = sorted(key for key, _ in configured_store().objects())
    same_answer(first, upload(client, data))
    assert Image.objects.count() == 1
    assert sorted(key for key, _ in configured_store().objects()) == stored


def test_the_answer_stays_as_it_was_after_an_edit_and_a_deletion():
    client, body = ApiClient.admin(), fields()
    first = create(client, body)
    address = f"{DESIGNS}/{first.json()['id']}"
    assert client.put(address, {"title": "Patola"}).status_code == 200
    same_answer(first, create(client, body))
    assert client.delete(address).status_code == 200
    assert client.delete(f"{UPLOAD}/{body['r2_object_key']}").status_code in (200, 409)
    same_answer(first, create(client, body))


@pytest.mark.parametrize(
    "change", [{"title": "Patola"}, {"title": ""}, {"featured": True}, {"r2_object_key": "designs/none.jpg"}]
)
def test_other_fields_are_a_mismatch_even_if_they_are_invalid(change):
    client, body = ApiClient.admin(), fields()
    assert create(client, body).status_code == 201
    refused(create(client, body | change), 409, "idempotency_mismatch")
    assert Design.objects.count() == 1


def test_another_file_or_category_is_a_mismatch(image_store):
    client, data = ApiClient.admin(), picture()
    assert upload(client, data).status_code == 201
    refused(upload(client, picture(width=30, height=40)), 409, "idempotency_mismatch")
    refused(upload(client, data, category="temp"), 409, "idempotency_mismatch")
    assert Image.objects.count() == 1


def test_equal_numbers_are_one_value_and_another_type_is_not():
    client, body = ApiClient.admin(), fields(unknown=1)
    first = create(client, body)
    same_answer(first, create(client, body | {"unknown": 1.0}))
    refused(create(client, body | {"unknown": True}), 409, "idempotency_mismatch")
    refused(create(client, body | {"unknown": "1"}), 409, "idempotency_mismatch")


def test_a_key_is_free_again_after_an_error():
    client, body = ApiClient.admin(), fields()
    assert create(client, body | {"title": ""}).status_code == 400
    first = create(client, body)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers


def test_a_key_belongs_to_one_caller_and_one_call(image_store):
    client, body = ApiClient.admin(), fields()
    answers = [create(client, body), create(ApiClient.admin(), body), upload(client, picture())]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)
    assert Design.objects.count() == 2


def test_who_may_not_make_the_call_is_refused_whatever_the_key(image_store):
    client, body = ApiClient.admin(), fields()
    assert create(client, body).status_code == upload(client, picture()).status_code == 201
    client.user.is_admin = False
    client.user.save()
    refused(create(client, body), 403, "forbidden")
    refused(upload(client, picture()), 403, "forbidden")
    refused(create(ApiClient(token="x"), body), 401, "invalid_token")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_1_to_255_characters(key):
    errors = refused(create(ApiClient.admin(), fields(), key), 400, "invalid")
    assert list(errors) == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["k", "k" * 255, "a\tb", "a b", "clé", "a\xa0b", "a\xadb", "\x85"])
def test_a_key_may_have_any_characters(key):
    client, body = ApiClient.admin(), fields()
    made = create(client, body, key)
    assert made.status_code == 201
    assert create(client, body, key).json() == made.json()


def test_a_key_can_be_used_again_after_a_day():
    client, body = ApiClient.admin(), fields()
    create(client, body)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    again = create(client, body)
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (201, False)
    assert (Design.objects.count(), KeptAnswer.objects.count()) == (2, 1)


def test_of_tries_at_once_one_makes_something_and_the_others_get_its_answer(image_store):
    client, body, data = ApiClient.admin(), fields(), picture()
    for call in (lambda: create(client, body), lambda: upload(client, data)):
        answers = at_once(*[call] * 4)
        assert [answer.status_code for answer in answers] == [201] * 4
        assert len({answer.content for answer in answers}) == 1
        assert sorted("Idempotent-Replayed" in answer.headers for answer in answers) == [False] + [True] * 3
    assert (Design.objects.count(), Image.objects.count()) == (1, 2)


def test_of_different_requests_at_once_one_is_made_and_the_others_are_a_mismatch():
    client, body = ApiClient.admin(), fields()
    answers = at_once(
        *(lambda number=number: create(client, body | {"title": f"T{number}"}) for number in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert Design.objects.count() == 1


@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 has round trips (TEST_ENGINE=d1)")
def test_a_key_costs_no_round_trip():
    client, body = ApiClient.admin(), fields()
    create(client, body, "warm")
    before = connection.round_trips
    assert create(client, body, "measured").status_code == 201
    assert connection.round_trips - before == 1


def test_the_kept_answer_is_the_answer():
    client = ApiClient.admin()
    first = create(client, fields())
    assert json.loads(KeptAnswer.objects.get().body) == first.json()


def test_a_write_of_unknown_outcome_stays_one_where_the_first_answer_cannot_be_read(monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("D1 cannot be reached")

    def unknown(*args, **kwargs):
        raise OutcomeUnknown("the answer was lost")

    monkeypatch.setattr(services, "design_create", unknown)
    monkeypatch.setattr(Attempt, "kept", away)
    fields = {"title": "A saree", "category": "Saree", "r2_object_key": ImageFactory().object_key}
    admin = ApiClient.admin()
    refused(admin.post("/api/designs", fields, headers={"Idempotency-Key": "lost"}), 503, "outcome_unknown")
