"""The triggers and the full-text index that the database keeps for designs.

The index of searches (designs.search), like counts, the catalogue's version (designs.catalogue), and the totals of
designs.totals. They are SQLite's: the catalogue runs there and on D1. core.triggers says how migrations hold them.
"""

from designs import totals
from designs.fields import COLUMNS, COUNTERS, INDEX_WEIGHTS

# The full-text table has a copy of these names: another list takes a migration that remakes it.
SEARCHED = ", ".join(INDEX_WEIGHTS)
OLD = ", ".join(f"old.{column}" for column in INDEX_WEIGHTS)
NEW = ", ".join(f"new.{column}" for column in INDEX_WEIGHTS)

# The categories make vowel signs and joiners of Indian scripts part of their words (unicode61 would split there).
SEARCH_TABLE = (
    f"CREATE VIRTUAL TABLE designs_search USING fts5({SEARCHED}, content='designs', content_rowid='id', "
    """prefix='2 3', tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc Cf'")"""
)
SEARCH_SETUP = [
    "INSERT INTO designs_search (designs_search, rank) VALUES "
    f"('rank', 'bm25({', '.join(map(str, INDEX_WEIGHTS.values()))})')",
    "INSERT INTO designs_search (designs_search) VALUES ('rebuild')",
]
REMOVE_FROM_INDEX = (
    f"INSERT INTO designs_search (designs_search, rowid, {SEARCHED}) VALUES ('delete', old.id, {OLD})"
)
ADD_TO_INDEX = f"INSERT INTO designs_search (rowid, {SEARCHED}) VALUES (new.id, {NEW})"

LISTED = ", ".join(("id", *(column for column in COLUMNS if column not in COUNTERS)))


CHANGES_KEPT = 800  # characters of `recent`, about 30 changes


def new_version(*columns: str, design: str = "0") -> str:
    """The statements that give columns of the catalogue's version new values.

    They are random, so that none comes back: neither after a rollback nor with a backup of an older state. The row
    is made by an INSERT of its own, not by an upsert: the OR IGNORE of an outer statement would apply to that, too.
    A new `listing` puts the one that it replaces and the id of the design that changed, 0 for none, before `recent`.
    """
    values = ", ".join(f"{column} = lower(hex(randomblob(8)))" for column in columns)
    if "listing" in columns:
        values += f", recent = substr(listing || ':' || {design} || ',' || recent, 1, {CHANGES_KEPT})"
    return (
        "INSERT INTO catalogue_version (id, listing, content, recent) "
        "SELECT 1, '', '', '' WHERE NOT EXISTS (SELECT 1 FROM catalogue_version); "
        f"UPDATE catalogue_version SET {values}"
    )


NEW_VERSION, NEW_CONTENT = new_version("listing", "content"), new_version("content")
WITH_NEW, WITH_OLD = (new_version("listing", "content", design=f"{row}.id") for row in ("new", "old"))

# An update of the counters, which are frequent, must not touch the index.
BODIES = {
    "designs_search_insert": f"AFTER INSERT ON designs BEGIN {ADD_TO_INDEX}; END",
    "designs_search_delete": f"AFTER DELETE ON designs BEGIN {REMOVE_FROM_INDEX}; END",
    "designs_search_update": f"AFTER UPDATE OF {SEARCHED} ON designs BEGIN {REMOVE_FROM_INDEX}; {ADD_TO_INDEX}; END",
    "catalogue_version_insert": f"AFTER INSERT ON designs BEGIN {WITH_NEW}; END",
    "catalogue_version_delete": f"AFTER DELETE ON designs BEGIN {WITH_OLD}; END",
    "catalogue_version_update": f"AFTER UPDATE OF {LISTED} ON designs BEGIN {WITH_NEW}; END",
    "catalogue_version_likes": f"AFTER UPDATE OF like_count ON designs BEGIN {NEW_CONTENT}; END",
    "catalogue_version_images": f"AFTER UPDATE ON images BEGIN {NEW_VERSION}; END",
    **{
        f"catalogue_version_pictures_{event.lower()}": f"AFTER {event} ON design_images BEGIN {NEW_VERSION}; END"
        for event in ("INSERT", "UPDATE", "DELETE")
    },
    **{
        f"catalogue_version_synonyms_{event.lower()}": f"AFTER {event} ON synonyms BEGIN {NEW_VERSION}; END"
        for event in ("INSERT", "UPDATE", "DELETE")
    },
    "favorites_count_insert": (
        "AFTER INSERT ON user_favorites BEGIN "
        "UPDATE designs SET like_count = like_count + 1 WHERE id = new.design_id; END"
    ),
    "favorites_count_delete": (
        "AFTER DELETE ON user_favorites BEGIN "
        "UPDATE designs SET like_count = like_count - 1 WHERE id = old.design_id; END"
    ),
    **totals.BODIES,
}

TRIGGERS = {name: f"CREATE TRIGGER {name} {body}" for name, body in BODIES.items()}
OBJECTS = {"designs_search": SEARCH_TABLE, **TRIGGERS}
COUNT_LIKES = "(SELECT count(*) FROM user_favorites AS f WHERE f.design_id = designs.id)"
RECOUNT = [
    f"UPDATE designs SET like_count = {COUNT_LIKES} WHERE like_count <> {COUNT_LIKES}",
    *totals.RECOUNT,
    "INSERT INTO designs_search (designs_search) VALUES ('rebuild')",
    *NEW_VERSION.split("; "),
]
