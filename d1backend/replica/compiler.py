"""Django's SQL compilers for the copy."""

from django.db.models.sql import compiler

from d1backend.compilers.partial_reads import NotesPartialReads

SQLInsertCompiler = compiler.SQLInsertCompiler
SQLDeleteCompiler = compiler.SQLDeleteCompiler
SQLUpdateCompiler = compiler.SQLUpdateCompiler
SQLAggregateCompiler = compiler.SQLAggregateCompiler


class SQLCompiler(NotesPartialReads, compiler.SQLCompiler):
    pass
