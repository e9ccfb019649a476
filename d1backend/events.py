"""What happens on the way to D1 and in the replica, as signals, for whoever counts it.

A receiver runs in the thread where it happens, often under a lock: it must be quick, raise nothing and not ask the
database. The classes of `spender` are those of protocol/budget.py.
"""

from django.dispatch import Signal

# Before each request to the API.
request_sent = Signal()
# After it: `spender`, `seconds`, and `outcome`: "answered"; "aborted", by an error of SQL or a failed condition;
# "limited", by a 429; "refused", as for a wrong token; "unsent", if it did not run; "lost", if it may have run.
request_ended = Signal()
# An answer to a batch: `rows_read` and `rows_written`, by which D1 bills.
rows_billed = Signal()
# A request is about to be sent again: `reason` is "limited", "unsent" or "lost".
request_repeated = Signal()
# A call was not sent: `spender`, and `reason`: "budget" (no room in this host's share), "block" (after a 429) or
# "breaker" (D1 is out of reach).
call_refused = Signal()
# This host found D1 out of reach, or in reach again. Of its processes the one that finds it sends the signal.
outage_began, outage_ended = Signal(), Signal()
# It is not known whether a write was done, and D1 was asked what became of one: `applied`, None if it did not say.
outcome_lost, outcome_settled = Signal(), Signal()

# A sync of the copy ended: `seconds`, and `outcome`: "done", "filled" (anew), "no_room" (in this host's share), "waits"
# (for a migration) or "failed".
sync_ended = Signal()
# The copy has taken so many changes: `count`.
changes_applied = Signal()
# A snapshot was stored, or a copy was filled from one, or one cannot be used.
snapshot_written, snapshot_restored, snapshot_refused = Signal(), Signal(), Signal()
