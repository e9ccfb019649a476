"""JSON objects and arrays of more members than a function of D1 takes arguments."""

import json
from collections.abc import Sequence
from typing import Any

from django.db.models.functions import JSONArray, JSONObject

from d1backend.functions.maths import MAX_ARGUMENTS
from d1backend.functions.registry import compiles
from d1backend.functions.sql import balanced


@compiles(JSONObject)
def json_object(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    sources = node.get_source_expressions()
    if len(sources) <= MAX_ARGUMENTS:
        return node.as_sqlite(compiler, connection)
    labels = [json.dumps(key.value, ensure_ascii=False) + ":" for key in sources[::2]]
    return _text("{", labels, sources[1::2], "}", compiler)


@compiles(JSONArray)
def json_array(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    sources = node.get_source_expressions()
    if len(sources) <= MAX_ARGUMENTS:
        return node.as_sqlite(compiler, connection)
    return _text("[", [""] * len(sources), sources, "]", compiler)


def _text(
    opening: str, labels: list[str], sources: Sequence[Any], closing: str, compiler: Any
) -> tuple[str, Sequence[Any]]:
    """The members' own JSON text, joined; ``json()`` marks the whole as JSON for a function around it."""
    parts, params = [], []
    for index, (label, source) in enumerate(zip(labels, sources, strict=True)):
        sql, source_params = compiler.compile(source)
        parts.append(f"%s || json_quote({sql})")
        params += [("," if index else opening) + label, *source_params]
    return "json({})".format(balanced([*parts, f"'{closing}'"], "||")), params
