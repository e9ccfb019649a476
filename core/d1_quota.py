"""How much of D1's quota this host has used: 1,200 calls in five minutes for each account.

One small file counts the calls of all processes of the host, in slots of ten seconds.
Limit: https://developers.cloudflare.com/fundamentals/api/reference/limits/
"""

import logging
import os
import struct
import time

from django.conf import settings
from django.core.files import locks
from django.dispatch import Signal

from d1backend.protocol.api import Api

logger = logging.getLogger("gallery.d1_quota")

CALLS, SECONDS = 1200, 300
SLOT = 10  # seconds
SLOTS = SECONDS // SLOT
CELL = struct.Struct("<qq")  # the number of the slot since 1970, and its calls


def count(sender: type[Api], **signal: Signal) -> None:
    """Count one call: a receiver of d1backend.protocol.api.request_sent. Never makes the call fail."""
    try:
        increment_slot()
    except OSError as error:
        logger.warning("a call to D1 could not be counted: %s", error)


def increment_slot() -> None:
    slot = int(time.time()) // SLOT
    place = slot % SLOTS * CELL.size
    with open(os.open(settings.DATA / "d1-calls", os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        locks.lock(file, locks.LOCK_EX)  # closing the file unlocks it
        stored, calls = parse_cell(os.pread(file.fileno(), CELL.size, place))
        os.pwrite(file.fileno(), CELL.pack(slot, calls + 1 if stored == slot else 1), place)


def used() -> int:
    """Return the calls of the last five minutes, to within one slot."""
    path = settings.DATA / "d1-calls"
    if not path.exists():
        return 0
    cells, oldest = path.read_bytes(), int(time.time()) // SLOT - SLOTS
    found = [parse_cell(cells[at : at + CELL.size]) for at in range(0, len(cells), CELL.size)]
    return sum(calls for slot, calls in found if slot > oldest)


def parse_cell(cell: bytes) -> tuple[int, int]:
    """Return the slot and the calls of a cell. A cell that was never written has no calls."""
    slot, calls = CELL.unpack(cell) if len(cell) == CELL.size else (0, 0)
    return slot, calls
