"""Django's SQL compilers with D1's own forms of expressions and its limit on compound SELECTs."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models.sql import compiler

from . import functions  # noqa: F401 (registers the expressions)
from .functions.registry import implementation

MAX_COMPOUND_TERMS = 5


class SQLCompiler(compiler.SQLCompiler):
    def compile(self, node: Any) -> tuple[str, Sequence[Any]]:
        """An expression's SQL and parameters: ours where one is registered for its class, else Django's."""
        own = implementation(type(node))
        return own(node, self, self.connection) if own else super().compile(node)

    def get_combinator_sql(self, combinator: str, all: bool) -> tuple[list[str], list[Any]]:
        """A union, intersection or difference of any number of queries, five terms in each SELECT.

        The first five become a subquery that takes the place of the first term of the rest, and so on.
        """
        queries = self.query.combined_queries
        if len(queries) <= MAX_COMPOUND_TERMS:
            return super().get_combinator_sql(combinator, all)
        operator = self.connection.ops.set_operators[combinator] + (
            " ALL" if all and combinator == "union" else ""
        )
        terms = self._terms(combinator, all)
        while len(terms) > MAX_COMPOUND_TERMS:
            head, rest = terms[:MAX_COMPOUND_TERMS], terms[MAX_COMPOUND_TERMS:]
            joined = f" {operator} ".join(sql for sql, _ in head)
            terms = [(f"SELECT * FROM ({joined})", [p for _, params in head for p in params]), *rest]
        return [f" {operator} ".join(sql for sql, _ in terms)], [p for _, params in terms for p in params]

    def _terms(self, combinator: str, all: bool) -> list[tuple[str, list[Any]]]:
        """Each combined query's SQL, by Django's own method for one at a time; empty ones are left out."""
        queries = self.query.combined_queries
        terms: list[tuple[str, list[Any]]] = []
        try:
            for query in queries:
                self.query.combined_queries = (query,)
                try:
                    parts, params = super().get_combinator_sql(combinator, all)
                except EmptyResultSet:
                    if combinator == "union" or (combinator == "difference" and terms):
                        continue
                    raise
                terms.append((" ".join(parts), list(params)))
        finally:
            self.query.combined_queries = queries
        if not terms:
            raise EmptyResultSet
        return terms


class SQLInsertCompiler(compiler.SQLInsertCompiler, SQLCompiler):
    pass


class SQLDeleteCompiler(compiler.SQLDeleteCompiler, SQLCompiler):
    pass


class SQLUpdateCompiler(compiler.SQLUpdateCompiler, SQLCompiler):
    pass


class SQLAggregateCompiler(compiler.SQLAggregateCompiler, SQLCompiler):
    pass
