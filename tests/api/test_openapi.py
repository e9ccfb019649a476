"""The OpenAPI document: every call of the URL configuration, each with what docs/api.md says of it."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from core.api.errors import DEFAULTS
from gallery_project.openapi.codes import OWN
from gallery_project.openapi.finishing import operations
from uploads.keys import ACCEPTED

SYSTEM = {"/", "/health", "/health/live", "/health/ready", "/info", "/metrics", "/docs", "/openapi.json"}
METHODS = ("get", "post", "put", "patch", "delete")
NAMES = {"AdminUserResponse", "DesignResponse", "ImageResponse", "MessageResponse", "Token", "UserResponse"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def operation_of(document, call):
    method, path = call.split(" ")
    return document["paths"][path][method.lower()]


def calls_of(patterns, prefix=""):
    """(method, path) of each API view below `patterns`, with {} for what varies in a path."""
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from calls_of(pattern.url_patterns, path)
        elif (
            isinstance(pattern, URLPattern)
            and path.startswith("api/")
            and hasattr(pattern.callback, "view_class")
        ):
            for method in METHODS:
                if hasattr(pattern.callback.view_class, method):
                    yield method.upper(), "/" + re.sub(r"<[^>]+>", "{}", path)


def test_the_document_is_valid(document):
    validate_schema(document)


def test_every_call_stands_in_it_and_the_system_calls_too(document):
    wanted = set(calls_of(get_resolver().url_patterns)) | {("GET", path) for path in SYSTEM}
    assert len(wanted) > 30
    written = {(method, re.sub(r"\{[^}]+\}", "{}", path)) for method, path, _ in operations(document)}
    assert written == wanted


def test_each_operation_has_a_summary_and_a_name_of_its_own(document):
    found = [operation for _, _, operation in operations(document)]
    assert all(5 < len(operation["summary"]) <= 120 for operation in found)
    names = [operation["operationId"] for operation in found]
    assert len(names) == len(set(names))


def bodies(operation):
    """Each body that an operation takes or gives, with its status, or "request"."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, answer in operation["responses"].items():
        for media in answer.get("content", {}).values():
            yield status, media


def test_a_body_with_required_fields_is_required(document):
    form = document["paths"]["/api/upload/image"]["post"]["requestBody"]
    assert form["required"] is True
    change = document["paths"]["/api/designs/{id}"]["put"]["requestBody"]
    assert "required" not in change


def test_each_body_has_examples_that_its_schema_allows(document):
    for method, path, operation in operations(document):
        for status, media in bodies(operation):
            examples = [one["value"] for one in media.get("examples", {}).values()] or [media["example"]]
            schema = {**plain(media["schema"]), "components": plain(document["components"])}
            for example in examples:
                faults = [fault.message for fault in Draft202012Validator(schema).iter_errors(example)]
                assert not faults, (method, path, status, faults)


def plain(node):
    """An OpenAPI 3.0 schema as JSON Schema, which has no `nullable`."""
    if isinstance(node, list):
        return [plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: plain(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


def codes(operation):
    for status, answer in operation["responses"].items():
        for media in answer.get("content", {}).values():
            for part in media["schema"].get("allOf", ()):
                if "code" in part.get("properties", {}):
                    yield status, part["properties"]["code"]["enum"]


def test_each_error_names_its_codes(document):
    for method, path, operation in operations(document):
        found = dict(codes(operation))
        assert found["405"] == ["method_not_allowed"], (method, path)
        if not path.startswith("/api/"):
            continue
        refusals = {status for status in operation["responses"] if status >= "400"}
        assert found.keys() == refusals, (method, path)
        assert all(found.values())
        assert {"400", "429", "500", "503"} <= refusals
        assert ("401" in refusals) == (
            "security" in operation or path in ("/api/auth/login", "/api/auth/refresh", "/api/auth/reset")
        )
        assert ("415" in refusals) == ("requestBody" in operation)
        assert ("{" not in path) or "404" in refusals


def test_no_two_operations_with_errors_of_their_own_have_the_same(document):
    for call, own in OWN.items():
        found = dict(codes(operation_of(document, call)))
        for status, names in ((status, names) for part in own for status, names in part.items()):
            assert set(names) <= set(found[str(status)]), call


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("POST /api/auth/register", "409", "username_taken"),
        ("POST /api/auth/login", "401", "invalid_credentials"),
        ("POST /api/auth/login", "403", "approval_rejected"),
        ("POST /api/auth/refresh", "401", "token_reused"),
        ("POST /api/auth/reset", "401", "invalid_code"),
        ("POST /api/auth/reset", "429", "too_many_attempts"),
        ("DELETE /api/auth/me", "403", "wrong_password"),
        ("DELETE /api/auth/me", "409", "last_admin"),
        ("DELETE /api/auth/me", "429", "too_many_attempts"),
        ("POST /api/admin/users/{id}/reset-code", "409", "own_account"),
        ("POST /api/designs/{id}/restore", "409", "image_gone"),
        ("GET /api/designs", "401", "token_expired"),
        ("GET /api/admin/users", "403", "forbidden"),
        ("PUT /api/admin/users/{id}", "409", "last_admin"),
        ("POST /api/upload/image", "413", "file_too_large"),
        ("DELETE /api/upload/image/{key}", "409", "image_in_use"),
        ("DELETE /api/designs/{id}", "503", "outcome_unknown"),
    ],
)
def test_a_refusal_of_a_call_is_among_its_codes(document, call, status, code):
    assert code in dict(codes(operation_of(document, call)))[status]


def test_only_a_default_of_a_status_has_its_sentence(document):
    answer = operation_of(document, "POST /api/auth/register")["responses"]["409"]
    (example,) = answer["content"]["application/json"]["examples"].values()
    assert example["value"]["code"] == "username_taken"
    assert example["value"]["message"] != DEFAULTS[409][1]


def test_names_are_those_of_the_contract(document):
    components = document["components"]["schemas"]
    assert components.keys() >= NAMES
    assert not {"Design", "User", "AdminUser", "Image", "Message"} & components.keys()
    assert not {name for name in components if re.search(r"(Null|Blank)Enum", name)}
    parameters = {name for path in document["paths"] for name in re.findall(r"\{([^}]+)\}", path)}
    assert parameters == {"id", "key"}
    for method, path, operation in operations(document):
        sent = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert sent == set(re.findall(r"\{([^}]+)\}", path)), (method, path)


def test_lists_of_designs_have_their_cursor_and_their_lists_of_values(document):
    for path in ("/api/designs", "/api/designs/featured", "/api/designs/user/favorites"):
        operation = document["paths"][path]["get"]
        assert "after" in {one["name"] for one in operation["parameters"]}
    page = document["components"]["schemas"]["DesignPage"]
    assert {name for name, schema in page["properties"].items() if schema.get("nullable")} == {
        "total",
        "pages",
        "next",
    }
    ids = next(one for one in document["paths"]["/api/designs"]["get"]["parameters"] if one["name"] == "ids")
    assert (ids["schema"]["type"], ids["schema"]["maxItems"]) == ("array", 100)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready", "/info"])
def test_a_system_call_answers_as_its_schema_says(document, client, path):
    response = client.get(path)
    media = document["paths"][path]["get"]["responses"][str(response.status_code)]["content"]
    schema = {**plain(media["application/json"]["schema"]), "components": plain(document["components"])}
    faults = [fault.message for fault in Draft202012Validator(schema).iter_errors(response.json())]
    assert not faults


def test_what_a_call_needs_stands_in_its_schema(document):
    (content_type,) = (
        parameter
        for parameter in document["paths"]["/api/upload/presigned-url"]["get"]["parameters"]
        if parameter["name"] == "content_type"
    )
    assert set(content_type["schema"]["enum"]) == {*ACCEPTED, "image/jpg"}
    leaving = document["paths"]["/api/auth/me"]["delete"]["requestBody"]
    assert leaving["required"]
    schemas = document["components"]["schemas"]
    assert schemas["DeleteMeRequest"]["required"] == ["password"]
    new_design = Draft202012Validator(
        {**plain(schemas["DesignInputRequest"]), "components": plain(document["components"])}
    )
    named = {"title": "Kanjivaram", "category": "Saree"}
    assert not new_design.is_valid(named)
    assert new_design.is_valid({**named, "r2_object_key": "key"})
    assert new_design.is_valid({**named, "image_keys": ["key"]})
