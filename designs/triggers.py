"""What the database itself keeps: the full-text index of designs, their like counts, the
catalogue's stamp, and the totals of designs.totals.

The first migration runs these statements. A later one that remakes `designs`, `images` or `user_favorites`, as SQLite
does for most changes of a column, begins with `RunPython(suspend, restore)` and ends with `RunPython(restore,
suspend)`: SQLite drops a table's triggers with the table, and refuses to rename one while the trigger of
another refers to what is missing. They are SQLite's: the catalogue runs there and on D1.
"""

from typing import Any

from designs import totals
from designs.models import FACET_FIELDS

# A copy of these names is in the index itself: another list means another migration that rebuilds it.
SEARCH_COLUMNS = ("title", "description", *FACET_FIELDS)
# A word in the title says more than one in an attribute, and that more than one in a sentence.
TITLE_WEIGHT, DESCRIPTION_WEIGHT, ATTRIBUTE_WEIGHT = 10.0, 1.0, 3.0
WEIGHTS = (TITLE_WEIGHT, DESCRIPTION_WEIGHT, *(ATTRIBUTE_WEIGHT for _ in FACET_FIELDS))

COLUMNS = ", ".join(SEARCH_COLUMNS)
OLD = ", ".join(f"old.{column}" for column in SEARCH_COLUMNS)
NEW = ", ".join(f"new.{column}" for column in SEARCH_COLUMNS)

# The categories make vowel signs of Indian scripts part of their words (unicode61 alone would split there).
SEARCH_TABLE = f"""CREATE VIRTUAL TABLE designs_search USING fts5(
    {COLUMNS}, content='designs', content_rowid='id', prefix='2 3',
    tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
)"""
SEARCH_RANK = (
    "INSERT INTO designs_search (designs_search, rank) VALUES "
    f"('rank', 'bm25({', '.join(str(weight) for weight in WEIGHTS)})')"
)
FORGET = f"INSERT INTO designs_search (designs_search, rowid, {COLUMNS}) VALUES ('delete', old.id, {OLD})"
LEARN = f"INSERT INTO designs_search (rowid, {COLUMNS}) VALUES (new.id, {NEW})"

# All columns of designs but the counters.
LASTING_COLUMNS = (
    *("title", "description", "r2_object_key", *FACET_FIELDS),
    *("featured", "status", "created_at", "updated_at"),
)


def stamp(*columns: str) -> str:
    """The statements that give columns of the catalogue's stamp new words.

    They are random, so that none comes again: not after a rollback, nor after a restore of an older state. The row
    is made where there is none; not by an upsert, for which the OR IGNORE of an outer statement would hold too.
    """
    words = ", ".join(f"{column} = lower(hex(randomblob(8)))" for column in columns)
    return (
        "INSERT INTO catalogue_stamp (id, listing, content) "
        "SELECT 1, '', '' WHERE NOT EXISTS (SELECT 1 FROM catalogue_stamp); "
        f"UPDATE catalogue_stamp SET {words}"
    )


STAMP_ALL, STAMP_CONTENT = stamp("listing", "content"), stamp("content")

# Counters change often and are no text: an update of theirs must not touch the index.
TRIGGERS = {
    "designs_search_insert": f"AFTER INSERT ON designs BEGIN {LEARN}; END",
    "designs_search_delete": f"AFTER DELETE ON designs BEGIN {FORGET}; END",
    "designs_search_update": f"AFTER UPDATE OF {COLUMNS} ON designs BEGIN {FORGET}; {LEARN}; END",
    "catalogue_stamp_insert": f"AFTER INSERT ON designs BEGIN {STAMP_ALL}; END",
    "catalogue_stamp_delete": f"AFTER DELETE ON designs BEGIN {STAMP_ALL}; END",
    "catalogue_stamp_update": (
        f"AFTER UPDATE OF {', '.join(('id', *LASTING_COLUMNS))} ON designs BEGIN {STAMP_ALL}; END"
    ),
    "catalogue_stamp_likes": f"AFTER UPDATE OF like_count ON designs BEGIN {STAMP_CONTENT}; END",
    "catalogue_stamp_images": f"AFTER UPDATE ON images BEGIN {STAMP_ALL}; END",
    "favorites_count_insert": (
        "AFTER INSERT ON user_favorites BEGIN "
        "UPDATE designs SET like_count = like_count + 1 WHERE id = new.design_id; END"
    ),
    "favorites_count_delete": (
        "AFTER DELETE ON user_favorites BEGIN "
        "UPDATE designs SET like_count = like_count - 1 WHERE id = old.design_id; END"
    ),
    **totals.TRIGGERS,
}

CREATE = [
    SEARCH_TABLE,
    SEARCH_RANK,
    *(f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()),
]
DROP = [
    *(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS),
    "DROP TABLE IF EXISTS designs_search",
]


def suspend(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away, for the beginning of a migration that remakes their tables."""
    for name in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def restore(apps: Any, schema_editor: Any) -> None:
    """Make the triggers anew, for the end of such a migration."""
    suspend(apps, schema_editor)
    for name, body in TRIGGERS.items():
        schema_editor.execute(f"CREATE TRIGGER {name} {body}")
