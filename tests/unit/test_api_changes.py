"""What breaks a client of the API between two releases, and what does not."""

import copy

import pytest

from devtools.api_changes import breaking, without_texts


def document():
    """A document of one call with a body, a parameter and a nested answer."""
    return {
        "paths": {
            "/api/looms/{id}": {
                "put": {
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                        {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}},
                    ],
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}}
                    },
                    "responses": {
                        "200": {
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loom"}}}
                        }
                    },
                }
            }
        },
        "components": {
            "schemas": {
                "Sent": {
                    "type": "object",
                    "required": ["title"],
                    "properties": {"title": {"type": "string"}},
                },
                "Part": {"type": "object", "properties": {"title": {"type": "string"}}},
                "Loom": {
                    "type": "object",
                    "required": ["title"],
                    "properties": {
                        "title": {"type": "string", "nullable": False},
                        "example": {"allOf": [{"$ref": "#/components/schemas/Part"}]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Loom"}},
                    },
                },
            }
        },
    }


def changed(path, value):
    """The document with another value at a path, or without it if the value is None."""
    new = copy.deepcopy(document())
    place = new
    for step in path[:-1]:
        place = place[step]
    if value is None:
        place.pop(path[-1])
    else:
        place[path[-1]] = value
    return new


CALL = ("paths", "/api/looms/{id}", "put")
SENT, LOOM = ("components", "schemas", "Sent"), ("components", "schemas", "Loom")
JSON = ("content", "application/json", "schema")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (CALL[:2], None, "PUT /api/looms/{id} is gone."),
        ((*CALL, "parameters", 1), {"name": "x"}, "does not take the parameter sort any more."),
        ((*CALL, "parameters", 1, "required"), True, "now requires the parameter sort."),
        ((*CALL, "parameters", 1, "schema", "enum"), ["a"], "does not take 'b' any more."),
        ((*CALL, "responses", "200"), None, "does not answer 200 any more."),
        ((*SENT, "required"), ["title", "fabric"], "body now requires fabric."),
        ((*SENT, "properties", "title"), None, "body has no title any more."),
        ((*LOOM, "properties", "title"), None, "200 has no title any more."),
        ((*LOOM, "properties", "title", "type"), "integer", "200.title is integer and not string any more."),
        ((*LOOM, "properties", "title", "nullable"), True, "200.title may be null now."),
        ((*LOOM, "required"), [], "200 may lack title now."),
        ((*LOOM, "properties", "parts", "items"), {"type": "string"}, "200.parts[] is string"),
        ((*LOOM, "properties", "example"), {"type": "object"}, "200.example has no title any more."),
    ],
)
def test_what_breaks_is_told(path, value, told):
    assert any(told in sentence for sentence in breaking(document(), changed(path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("paths", "/api/looms"), {"get": {"responses": {}}}),
        ((*CALL, "parameters", 1, "schema", "enum"), ["a", "b", "c"]),
        ((*CALL, "responses", "404"), {}),
        ((*SENT, "required"), []),
        ((*SENT, "properties", "title", "nullable"), True),
        ((*LOOM, "properties", "fabric"), {"type": "string"}),
        ((*LOOM, "properties", "parts", "description"), "Its parts"),
    ],
)
def test_what_adds_or_allows_breaks_nothing(path, value):
    assert breaking(document(), changed(path, value)) == []


def test_texts_are_left_out_and_fields_of_their_names_are_not():
    document = {"description": "x", "properties": {"description": {"type": "string", "description": "x"}}}
    assert without_texts(document) == {"properties": {"description": {"type": "string"}}}
