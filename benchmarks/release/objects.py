"""The trigger and the full-text table of designs in each of the releases, as their migrations make them."""

from designs.triggers import SEARCH_SETUP, SEARCH_TABLE, TRIGGERS

# The column stands before `featured`, as in the list of the new release's fields.
VERSION = TRIGGERS["catalogue_version_update"].replace("shelf, ", "")
VERSION_WITH_COLUMN = VERSION.replace("featured, ", "shelf, featured, ")
DROP_VERSION = "DROP TRIGGER catalogue_version_update"

SEARCH = SEARCH_TABLE.replace("prefix='2 3 4'", "prefix='2 3'")
SEARCH_WITH_LONGER_PREFIX = SEARCH.replace("prefix='2 3'", "prefix='2 3 4'")
DROP_SEARCH = "DROP TABLE designs_search"


def remake_search(table: str) -> list[str]:
    """Return the statements that put this full-text table in the place of the present one."""
    return [DROP_SEARCH, table, *SEARCH_SETUP]
