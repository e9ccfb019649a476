"""The last step of drf-spectacular: system calls, names of path parameters, codes of errors, examples, summaries."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from core.api.errors import DEFAULTS
from core.api.schema import ERROR_MEANINGS, limit_headers
from gallery_project.openapi import Node
from gallery_project.openapi.codes import codes_of
from gallery_project.openapi.examples import example_of
from gallery_project.openapi.system import COMPONENTS, PATHS

JSON = "application/json"
ENVELOPE = {"$ref": "#/components/schemas/Error"}
# What the URLs call {design_id} is the {id} of docs/api.md: a path has one at most.
ROW_ID = re.compile(r"[a-z_]+_id")
NO_NUL = r"^[^\u0000]*$"  # what every text is held to; serializers do not say it
# One of them is enough, which no serializer says.
PICTURES_OF_A_NEW_DESIGN = ("r2_object_key", "image_keys")


def finish(result: Node, **context: object) -> Node:
    """drf-spectacular's hook: return the finished document."""
    result["paths"] = {
        **{plain_path(path): calls for path, calls in result["paths"].items()},
        **{path: {"get": dict(call)} for path, call in PATHS.items()},
    }
    components = result["components"]["schemas"]
    components.update(COMPONENTS)
    for method, path, operation in operations(result):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                parameter["name"] = plain_name(parameter["name"])
            elif parameter["schema"] == {"type": "string"}:
                parameter["schema"]["pattern"] = NO_NUL
        operation.setdefault("summary", first_sentence(operation.get("description", "")))
        set_errors(operation, codes_of(method, path, operation), components)
        answers = operation["responses"].values()
        for holder in (operation.get("requestBody", {}), *answers):
            set_examples(holder, components)
        require_form(operation.get("requestBody", {}))
        if path.startswith("/api/"):
            for answer in answers:
                answer["headers"] = limit_headers()
    components["DesignInputRequest"]["anyOf"] = [{"required": [name]} for name in PICTURES_OF_A_NEW_DESIGN]
    return result


def operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    """The method, the path and the description of every operation."""
    for path, calls in document["paths"].items():
        for method, operation in calls.items():
            yield method.upper(), path, operation


def plain_path(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda found: f"{{{plain_name(found[1])}}}", path)


def plain_name(name: str) -> str:
    return "id" if ROW_ID.fullmatch(name) else name


def first_sentence(text: str) -> str:
    return re.split(r"\.(?:\s|$)", text.strip(), maxsplit=1)[0]


def set_errors(operation: Node, codes: dict[int, tuple[str, ...]], components: Node) -> None:
    """Leave the statuses that the operation can have, each with its codes."""
    answers = operation["responses"]
    kept = {str(status) for status in codes}
    for status in [status for status in answers if status in ERROR_MEANINGS and status not in kept]:
        if is_envelope(answers[status]):
            del answers[status]
    for status, names in codes.items():
        answer = answers.get(str(status))
        envelope = ENVELOPE if answer is None else schema_of(answer)
        if "code" in components.get(name_of(envelope), {}).get("properties", {}):
            answers[str(status)] = {**(answer or {}), **refusal(status, names, envelope, components)}


def require_form(body: Node) -> None:
    """Require a form that has required fields: drf-spectacular does so for serializers only."""
    if any("required" in media["schema"] for media in body.get("content", {}).values()):
        body["required"] = True


def schema_of(answer: Node) -> Node:
    schema: Node = answer.get("content", {}).get(JSON, {}).get("schema", {})
    return schema


def name_of(schema: Node) -> str:
    """Return the name of the component that the schema refers to."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def is_envelope(answer: Node) -> bool:
    return schema_of(answer) == ENVELOPE


def refusal(status: int, codes: tuple[str, ...], envelope: Node, components: Node) -> Node:
    """The response of an error: the envelope, or one with more fields, with one of these codes."""
    code = {"type": "object", "properties": {"code": {"type": "string", "enum": list(codes)}}}
    more = {} if envelope == ENVELOPE else example_of(envelope, components)
    return {
        "description": ERROR_MEANINGS.get(str(status), f"{HTTPStatus(status).phrase}."),
        "content": {
            JSON: {
                "schema": {"allOf": [envelope, code]},
                "examples": {name: {"value": {**more, **envelope_of(status, name)}} for name in codes},
            }
        },
    }


def envelope_of(status: int, code: str) -> Node:
    default, sentence = DEFAULTS.get(status, ("", ""))
    message = sentence if code == default else f"{code.replace('_', ' ').capitalize()}."
    return {"success": False, "message": message, "code": code}


def set_examples(holder: Node, components: Node) -> None:
    """Give each body of a request or a response an example."""
    for media in holder.get("content", {}).values():
        if "example" not in media and "examples" not in media:
            media["example"] = example_of(media["schema"], components)
