"""JSON objects and arrays with more members than a D1 function takes arguments."""

import json
from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Value
from django.db.models.functions import JSONArray, JSONObject
from django.db.models.sql.compiler import SQLCompiler

from d1backend.functions.maths import MAX_ARGUMENTS
from d1backend.functions.registry import compiles
from d1backend.functions.sql import Compiled, Parameter, balanced


@compiles(JSONObject)
def json_object(node: JSONObject, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    sources = node.get_source_expressions()
    if len(sources) <= MAX_ARGUMENTS:
        return node.as_sqlite(compiler, connection)
    keys = [key.value for key in sources[::2] if isinstance(key, Value)]
    labels = [json.dumps(key, ensure_ascii=False) + ":" for key in keys]
    return _text("{", labels, sources[1::2], "}", compiler)


@compiles(JSONArray)
def json_array(node: JSONArray, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    sources = node.get_source_expressions()
    if len(sources) <= MAX_ARGUMENTS:
        return node.as_sqlite(compiler, connection)
    return _text("[", [""] * len(sources), sources, "]", compiler)


def _text(
    opening: str, labels: list[str], sources: Sequence[Expression], closing: str, compiler: SQLCompiler
) -> Compiled:
    """Join the members' JSON texts; ``json()`` marks the whole as JSON for a function around it."""
    parts: list[str] = []
    params: list[Parameter] = []
    for index, (label, source) in enumerate(zip(labels, sources, strict=True)):
        sql, source_params = compiler.compile(source)
        parts.append(f"%s || json_quote({sql})")
        params += [("," if index else opening) + label, *source_params]
    return "json({})".format(balanced([*parts, f"'{closing}'"], "||")), params
