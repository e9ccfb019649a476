"""Tables that are copied: designs with a search and counters, tags that must be unique, people with a secret."""

from django.db import models


class Design(models.Model):
    title = models.CharField(max_length=200)
    body = models.TextField(default="")
    view_count = models.BigIntegerField(default=0)
    weight = models.FloatField(default=0.0)
    picture = models.BinaryField(null=True)
    seen = models.BigIntegerField(null=True)

    class Meta:
        app_label = "d1replica"
        db_table = "designs"
        indexes = [models.Index(fields=["title"], name="designs_title")]


class Tag(models.Model):
    design = models.ForeignKey(Design, models.CASCADE, related_name="tags")
    label = models.CharField(max_length=40, unique=True)

    class Meta:
        app_label = "d1replica"
        db_table = "tags"


class Person(models.Model):
    name = models.CharField(max_length=40)
    password = models.CharField(max_length=100, db_column="password_hash")

    class Meta:
        app_label = "d1replica"
        db_table = "people"


class Note(models.Model):
    """A table that is not copied."""

    design = models.ForeignKey(Design, models.CASCADE, related_name="notes")
    text = models.TextField()

    class Meta:
        app_label = "d1replica"
        db_table = "notes"


MODELS = (Design, Tag, Person, Note)
SEARCH = (
    "CREATE VIRTUAL TABLE designs_search USING fts5(title, body, content='designs', content_rowid='id', prefix='2 3')",
    "INSERT INTO designs_search (designs_search, rank) VALUES ('rank', 'bm25(10.0, 1.0)')",
    "CREATE TRIGGER designs_search_insert AFTER INSERT ON designs BEGIN "
    "INSERT INTO designs_search (rowid, title, body) VALUES (new.id, new.title, new.body); END",
    "CREATE TRIGGER designs_search_delete AFTER DELETE ON designs BEGIN "
    "INSERT INTO designs_search (designs_search, rowid, title, body) "
    "VALUES ('delete', old.id, old.title, old.body); END",
    "CREATE TRIGGER designs_search_update AFTER UPDATE OF title, body ON designs BEGIN "
    "INSERT INTO designs_search (designs_search, rowid, title, body) "
    "VALUES ('delete', old.id, old.title, old.body); "
    "INSERT INTO designs_search (rowid, title, body) VALUES (new.id, new.title, new.body); END",
    "CREATE TRIGGER tags_count AFTER INSERT ON tags BEGIN "
    "UPDATE designs SET view_count = view_count + 1 WHERE id = new.design_id; END",
)
OPTIONS = {
    "tables": ["designs", "tags", "people"],
    "search": ["designs_search"],
    "hide": {"people": ["password_hash"]},
    "unrouted": ["people"],
    "counters": {"designs": ["seen"]},
}
# Inserts so many designs, with that body.
MANY = (
    "INSERT INTO designs (title, body, view_count, weight) WITH RECURSIVE n(i) AS "
    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT 't' || i, '{}', i, 0 FROM n"
)
