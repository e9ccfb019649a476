"""How much of D1's allowance this host has used: 1,200 calls in five minutes, for all of an account.

The calls of all processes of the host are counted in one small file, by slots of ten seconds.
Limit: https://developers.cloudflare.com/fundamentals/api/reference/limits/
"""

import logging
import os
import struct
import time
from typing import Any

from django.conf import settings
from django.core.files import locks

logger = logging.getLogger("gallery.d1_quota")

CALLS, SECONDS = 1200, 300
SLOT = 10  # seconds
SLOTS = SECONDS // SLOT
CELL = struct.Struct("<qq")  # which slot of all time it counts, and its calls


def count(**sent: Any) -> None:
    """Count one call; a receiver of d1backend.protocol.api.request_sent. The call goes on where counting it fails."""
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
    """The calls of the last five minutes, to within a slot."""
    path = settings.DATA / "d1-calls"
    if not path.exists():
        return 0
    cells, oldest = path.read_bytes(), int(time.time()) // SLOT - SLOTS
    found = [parse_cell(cells[at : at + CELL.size]) for at in range(0, len(cells), CELL.size)]
    return sum(calls for slot, calls in found if slot > oldest)


def parse_cell(cell: bytes) -> tuple[int, int]:
    """A cell that was never written counts nothing."""
    slot, calls = CELL.unpack(cell) if len(cell) == CELL.size else (0, 0)
    return slot, calls
