"""The functions that compile expressions differently from Django's SQLite backend, by class."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from d1backend.functions.sql import Compiled

Node = TypeVar("Node")
Compile = Callable[[Node, SQLCompiler, BaseDatabaseWrapper], Compiled]
Implementation = Callable[..., Compiled]
_implementations: dict[type, Implementation] = {}


def compiles(*classes: type[Node]) -> Callable[[Compile[Node]], Compile[Node]]:
    """Register ``function(node, compiler, connection) -> (sql, params)`` for expression classes.

    ``vendor`` is "sqlite", so the method ``as_sqlite`` is Django's and a registry is needed beside it.
    """

    def register(function: Compile[Node]) -> Compile[Node]:
        for cls in classes:
            _implementations[cls] = function
        return function

    return register


@cache
def implementation(cls: type) -> Implementation | None:
    """Return the function registered for the class, or for the ancestor that it inherits its SQL from.

    A subclass that defines ``as_sql`` or ``as_sqlite`` itself keeps it, as on SQLite: the answer is None.
    """
    for ancestor in cls.__mro__:
        if ancestor in _implementations:
            return _implementations[ancestor]
        if "as_sqlite" in vars(ancestor) or "as_sql" in vars(ancestor):
            return None
    return None
