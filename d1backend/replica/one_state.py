"""One state of D1, as of one number of its log: the copied rows from the copy, others read along (for backups)."""

import logging
from collections.abc import Callable
from functools import partial

from d1backend.errors import OperationalError
from d1backend.protocol.api import Statement
from d1backend.protocol.budget import Spender, spending
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.fill import patiently
from d1backend.replica.frozen_copy import FrozenCopy
from d1backend.replica.host import Host
from d1backend.replica.source import Source
from d1backend.replica.tables import Rows

log = logging.getLogger(__name__)

# How often the copy may go on, by a commit of this host, between D1's answer and its reading.
_MOST_TRIALS = 10


def read_one_state(
    host: Host, source: Source, statements: list[Statement], note: Callable[[str], None], patience: float
) -> tuple[FrozenCopy, list[Rows]]:
    """The copy as of some number of the log, and the rows that D1 had for `statements` at that number.

    The copy is filled or brought up to date first; `note` gets a line for each page of a fill and each wait. One
    request, besides. The caller closes the copy. A fill goes on for `patience` seconds without a page.
    Raises what Host.fill_now() raises, and OperationalError when this host never stops writing.
    """
    for _ in range(_MOST_TRIALS):
        host.fill_now(
            source,
            lambda table, rows: None,
            lambda seconds, error: note(f"{error} Going on in {seconds:.0f} s."),
            patience=patience,
        )
        frozen = _read_once(host, source, statements)
        if frozen is not None:
            return frozen
    raise OperationalError("The copy of D1 changes without a pause. Run this on a host that serves nobody.")


def _read_once(
    host: Host, source: Source, statements: list[Statement]
) -> tuple[FrozenCopy, list[Rows]] | None:
    """The same, or None when the copy has gone on meanwhile or needs to be filled again."""
    with host.directory.lock(), spending(Spender.FILL):
        opened = host.directory.open_current()
        if opened is None:
            return None
        copy = opened.copy
        try:
            ask = partial(source.fetch_changes_and, copy.shape(), copy.seq, statements)
            change_set, found = patiently(ask)
            if not copy.apply(change_set):
                return None
        except NeedsRefill as reason:
            log.info("The copy of D1 is brought up to date again: %s.", reason)
            return None
        host.directory.mark_fresh(opened, change_set.started)
        frozen = FrozenCopy(opened.path)
        if (frozen.epoch, frozen.seq) == (change_set.state.epoch, change_set.seq):
            return frozen, found
        frozen.close()
        return None
