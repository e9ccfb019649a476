"""How far the fill of a host's copy has come, read by any process from the unpublished file."""

import sqlite3
from contextlib import closing

from d1backend.replica.directory import ReplicaDirectory

_SHARE_OF_TABLES = "SELECT total(done) / max(count(*), 1) FROM _replica_tables"


def fill_progress(directory: ReplicaDirectory) -> float:
    """The part of the tables that the fullest unpublished copy has completely, 0 to 1."""
    return max((_progress_of(path.resolve().as_uri()) for path in directory.files()), default=0.0)


def _progress_of(uri: str) -> float:
    """The part of one file; 0 for one that is not a copy yet."""
    try:
        with closing(sqlite3.connect(f"{uri}?mode=ro", uri=True)) as db:
            return float(db.execute(_SHARE_OF_TABLES).fetchone()[0])
    except sqlite3.Error:
        return 0.0
