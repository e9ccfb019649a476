"""Django's SQL compilers with D1's own forms of expressions and its limit on compound SELECTs."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError
from django.db.models.expressions import BaseExpression
from django.db.models.sql import compiler

from d1backend import functions  # noqa: F401 (registers the expressions)
from d1backend.compilers.pages import pages_of
from d1backend.compilers.partial_reads import NotesPartialReads
from d1backend.functions.registry import implementation

MAX_COMPOUND_TERMS = 5

Term = tuple[str, list[str | int]]


class SQLCompiler(NotesPartialReads, compiler.SQLCompiler):
    def compile(self, node: BaseExpression) -> tuple[str, Any]:
        """An expression's SQL and parameters: ours where one is registered for its class, else Django's."""
        kind: Any = type(node)
        own = implementation(kind)
        # Django adds up the parameters of expressions: what is a list or a tuple there must stay one here.
        return own(node, self, self.connection) if own else super().compile(node)

    def execute_sql(self, *args: Any, **options: Any) -> Any:
        """Run the query; QuerySet.iterator(), which fetches in chunks, reads page by page where that is possible."""
        pages = pages_of(self, options.get("chunk_size", 0)) if options.get("chunked_fetch") else None
        return super().execute_sql(*args, **options) if pages is None else pages

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
        terms = self._terms(combinator)
        while len(terms) > MAX_COMPOUND_TERMS:
            terms = [_nested(terms[:MAX_COMPOUND_TERMS], operator), *terms[MAX_COMPOUND_TERMS:]]
        return [f" {operator} ".join(sql for sql, _ in terms)], [p for _, params in terms for p in params]

    def _terms(self, combinator: str) -> list[Term]:
        """Each combined query's SQL and parameters, as in Django; those known to be empty are left out."""
        terms: list[Term] = []
        for query in self.query.combined_queries:
            part = query.get_compiler(self.using, self.connection, self.elide_empty)  # type: ignore[attr-defined]
            if part.query.is_sliced:
                raise DatabaseError("LIMIT/OFFSET not allowed in subqueries of compound statements.")
            if part.get_order_by():
                raise DatabaseError("ORDER BY not allowed in subqueries of compound statements.")
            try:
                terms.append(self._get_combinator_part_sql(part))  # type: ignore[attr-defined]
            except EmptyResultSet:
                if combinator == "intersection" or (combinator == "difference" and not terms):
                    raise
        if not terms:
            raise EmptyResultSet
        return terms


def _nested(terms: list[Term], operator: str) -> Term:
    joined = f" {operator} ".join(sql for sql, _ in terms)
    return f"SELECT * FROM ({joined})", [p for _, params in terms for p in params]


class SQLInsertCompiler(compiler.SQLInsertCompiler, SQLCompiler):
    pass


class SQLDeleteCompiler(compiler.SQLDeleteCompiler, SQLCompiler):
    pass


class SQLUpdateCompiler(compiler.SQLUpdateCompiler, SQLCompiler):
    pass


class SQLAggregateCompiler(compiler.SQLAggregateCompiler, SQLCompiler):
    pass
