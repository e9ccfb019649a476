"""Bringing the copy forward: a sync, or a fill when there is no copy or it does not fit."""

import logging
import sqlite3
from typing import TYPE_CHECKING

from d1backend.replica.fill import Progress, advance, fill, is_damage
from d1backend.replica.source import Source, UnfitError

if TYPE_CHECKING:
    from d1backend.replica.host import Host

log = logging.getLogger(__name__)


def bring_forward(host: "Host", source: Source, progress: Progress | None = None) -> None:
    """Sync the copy, or fill a new one; the folder must be locked.

    A copy that does not fit is read until the new one is complete. Raises what D1 raises, and UnfitError when it
    must be begun again.
    """
    generation = host.follow()
    if generation is not None:
        try:
            started = advance(generation.copy, source)
        except UnfitError as error:
            log.warning("The replica %s is filled anew: %s.", host.options.alias, error)
            generation.copy.abandon()
            if error.back:
                source.install(exactly=False, anew=True)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            host.discard(generation)
        else:
            host.folder.confirm(generation.fd, started)
            return
    _fill(host, source, progress)


def _fill(host: "Host", source: Source, progress: Progress | None) -> None:
    def told(table: str, rows: int) -> None:
        before = host.filling[1] if host.filling and host.filling[0] == table else 0
        host.filling = (table, before + rows)
        if progress is not None:
            progress(table, rows)

    try:
        path = fill(host.folder, source, host.options, told)
    finally:
        host.filling = None
    host.folder.publish(path)
    generation = host.follow()
    if generation is not None:
        # Only what begins after the pointer has moved holds every write that was taken into the file before.
        host.folder.confirm(generation.fd, advance(generation.copy, source))
