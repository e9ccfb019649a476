"""The releases that bench-cold deploys: copies of this tree with other designs, and the migrations between them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import requests

from benchmarks import systems

COLUMN = "shelf"
BEFORE = "    featured = models.BooleanField("
FIELD = f"    {COLUMN} = models.CharField(max_length=40, null=True, blank=True)\n"
# By the migration of designs that each needs: a file, its text in this tree, and that in the release. Whatever lists
# the fields of a design is derived from designs/fields.py, so a host of "0002" reads and shows the column.
RELEASES: dict[str, list[tuple[str, str, str]]] = {
    "0002": [("designs/fields.py", BEFORE, FIELD + BEFORE)],
    "0003": [("designs/triggers.py", "prefix='2 3'", "prefix='2 3 4'")],
}
NEWEST = max(RELEASES)
LEFT_OUT = (".*", "__pycache__", "node_modules", "data", "tests", "conformance")


def make_releases(folder: Path) -> dict[str, Path]:
    """Make the trees of the releases in `folder`, each with all migrations; returns them by name.

    Raises ValueError when this tree's text is another than a release replaces.
    """
    trees = {}
    for name, changes in RELEASES.items():
        trees[name] = tree = folder / f"release-{name}"
        shutil.copytree(systems.ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for file in (systems.ROOT / "benchmarks/release/migrations").glob("0*.py"):
            shutil.copy(file, tree / "designs/migrations")
        for file_name, old, new in changes:
            text = (tree / file_name).read_text()
            if text.count(old) != 1:
                raise ValueError(f"{file_name} does not have {old!r} once, which release {name} replaces.")
            (tree / file_name).write_text(text.replace(old, new))
    return trees


def require_column(url: str, token: str) -> None:
    """Raise ValueError unless the host at `url` lists designs with the column, as the next release does."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{url}/api/designs", headers=headers, timeout=10)
    if f'"{COLUMN}":' not in answer.text:
        raise ValueError(f"The host lists designs without {COLUMN}: it does not run the new release.")


def has_column(replica: Path) -> bool | None:
    """Return whether the copy in use has the column; None when there is no copy to look at."""
    try:
        name = (replica / "current").read_text()
        uri = f"{(replica / name).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            columns = db.execute("SELECT name FROM pragma_table_info('designs')").fetchall()
    except (OSError, sqlite3.Error):
        return None
    return (COLUMN,) in columns
