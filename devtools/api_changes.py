"""What breaks clients between two OpenAPI documents of the API.

`python -m devtools.api_changes` writes docs/released-api.json, the document of this version without texts and examples;
`make release-check` compares it with that of the last release.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RELEASED = "docs/released-api.json"
METHODS = ("get", "put", "post", "delete", "patch")
TEXTS = ("example", "examples", "description", "summary", "headers", "tags", "operationId")

Json = dict[str, Any]
Pair = tuple[str | None, str | None]  # names of schemas that are compared


def of_this_code() -> Json:
    """Return the document of this code, without texts and examples."""
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    document: Json = without_texts(json.loads(done.stdout))
    return document


def without_texts(value: Any, *, is_names: bool = False) -> Any:
    """Return the value without the members TEXTS; below `properties` these are names of fields."""
    if isinstance(value, list):
        return [without_texts(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_texts(one, is_names=key == "properties" and not is_names)
        for key, one in value.items()
        if is_names or key not in TEXTS
    }


def written(document: Json) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def breaking(old: Json, new: Json) -> list[str]:
    """Return a sentence for each change after which a client of the old document may fail."""
    return list(dict.fromkeys(Comparison(old, new).calls()))


class Comparison:
    """Compares two documents. `sends` says that clients send a value, and not that they receive it."""

    def __init__(self, old: Json, new: Json) -> None:
        self.old, self.new = old, new

    def calls(self) -> Iterator[str]:
        for path, operations in self.old["paths"].items():
            for method in METHODS:
                if method not in operations:
                    continue
                name, other = f"{method.upper()} {path}", self.new["paths"].get(path, {}).get(method)
                if other is None:
                    yield f"{name} is gone."
                else:
                    yield from self.call(name, operations[method], other)

    def call(self, name: str, old: Json, new: Json) -> Iterator[str]:
        olds, news = ({one["name"]: one for one in side.get("parameters", ())} for side in (old, new))
        for parameter in olds:
            if parameter not in news:
                yield f"{name} does not take the parameter {parameter} any more."
            else:
                pair = olds[parameter].get("schema", {}), news[parameter].get("schema", {})
                yield from self.schema(f"{name}, parameter {parameter}", *pair, sends=True)
        for parameter, one in news.items():
            if one.get("required") and not olds.get(parameter, {}).get("required"):
                yield f"{name} now requires the parameter {parameter}."
        if "requestBody" not in old and new.get("requestBody", {}).get("required"):
            yield f"{name} now requires a body."
        yield from self.contents(f"{name}, body", old.get("requestBody"), new.get("requestBody"), sends=True)
        for status, answer in old.get("responses", {}).items():
            if status not in new.get("responses", {}):
                yield f"{name} does not answer {status} any more."
            else:
                yield from self.contents(f"{name}, {status}", answer, new["responses"][status], sends=False)

    def contents(self, place: str, old: Json | None, new: Json | None, *, sends: bool) -> Iterator[str]:
        for kind, one in (old or {}).get("content", {}).items():
            other = (new or {}).get("content", {}).get(kind)
            if other is None:
                yield f"{place} is not {kind} any more."
            else:
                yield from self.schema(place, one.get("schema", {}), other.get("schema", {}), sends=sends)

    def schema(
        self, place: str, old: Json, new: Json, *, sends: bool, seen: frozenset[Pair] = frozenset()
    ) -> Iterator[str]:
        pair = (old.get("$ref"), new.get("$ref"))
        if any(pair):
            if pair in seen:
                return
            seen |= {pair}
        old, new = whole(self.old, old), whole(self.new, new)
        if old.get("type") != new.get("type"):
            yield f"{place} is {new.get('type')} and not {old.get('type')} any more."
            return
        if bool(old.get("nullable")) != bool(new.get("nullable")) and bool(old.get("nullable")) == sends:
            yield f"{place} may {'not ' if sends else ''}be null now."
        yield from self.values(place, old.get("enum"), new.get("enum"), sends=sends)
        yield from self.properties(place, old, new, sends=sends, seen=seen)
        if "items" in old:
            yield from self.schema(f"{place}[]", old["items"], new.get("items", {}), sends=sends, seen=seen)

    def values(
        self, place: str, old: list[Any] | None, new: list[Any] | None, *, sends: bool
    ) -> Iterator[str]:
        if sends and new is not None:
            gone = [value for value in old or () if value not in new]
            if old is None:
                yield f"{place} takes certain values only now."
            elif gone:
                yield f"{place} does not take {', '.join(map(repr, gone))} any more."

    def properties(
        self, place: str, old: Json, new: Json, *, sends: bool, seen: frozenset[Pair]
    ) -> Iterator[str]:
        olds, news = old.get("properties", {}), new.get("properties", {})
        required, required_now = set(old.get("required", ())), set(new.get("required", ()))
        for name, one in olds.items():
            if name not in news:
                yield f"{place} has no {name} any more."
            else:
                yield from self.schema(f"{place}.{name}", one, news[name], sends=sends, seen=seen)
        if sends:
            yield from (f"{place} now requires {name}." for name in sorted(required_now - required))
        else:
            yield from (
                f"{place} may lack {name} now." for name in sorted(required - required_now) if name in news
            )


def whole(document: Json, schema: Json) -> Json:
    """Return a schema without $ref and allOf at its top."""
    merged: Json = {}
    if (reference := schema.get("$ref")) is not None:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        merged = whole(document, target)
    for part in schema.get("allOf", ()):
        other = whole(document, part)
        merged = {
            **merged,
            **other,
            "properties": {**merged.get("properties", {}), **other.get("properties", {})},
            "required": [*merged.get("required", ()), *other.get("required", ())],
        }
    return merged | {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}


if __name__ == "__main__":
    (ROOT / RELEASED).write_text(written(of_this_code()))
    print(f"{RELEASED} is that of this code.")
