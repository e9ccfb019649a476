"""Which expressions this backend compiles in its own way, by class."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

Implementation = Callable[[Any, Any, Any], tuple[str, Sequence[Any]]]
_implementations: dict[type, Implementation] = {}


def compiles(*classes: type) -> Callable[[Implementation], Implementation]:
    """Register ``function(node, compiler, connection) -> (sql, params)`` for expression classes.

    A registry, because ``vendor`` is "sqlite" and so ``as_sqlite`` is Django's own.
    """

    def register(function: Implementation) -> Implementation:
        for cls in classes:
            _implementations[cls] = function
        return function

    return register


@cache
def implementation(cls: Any) -> Implementation | None:
    """The function registered for the class or for the ancestor that it takes its SQL from, if any.

    A subclass with an ``as_sql`` or ``as_sqlite`` of its own has its say, as it would on SQLite.
    """
    for ancestor in cls.__mro__:
        if ancestor in _implementations:
            return _implementations[ancestor]
        if "as_sqlite" in vars(ancestor) or "as_sql" in vars(ancestor):
            return None
    return None
