"""A process that writes numbered pairs until it is done or killed: worker URL DATABASE LOG MOVES FIRST END.

It notes "begin N" in the log before a transaction, then "done N" when it was acknowledged, else the error's
name; each time down to the disk.
"""

import os
import sys
from pathlib import Path

from django.db.utils import DatabaseError

from tests.d1.faults.process import configure


def main(url: str, database: str, log: str, moves: str, first: str, end: str) -> None:
    configure(url, database, os.environ["D1_TOKEN"])
    from tests.d1.faults.trials import SETS

    alias, turns = SETS[moves]
    with Path(log).open("a") as file:

        def note(word: str, number: int) -> None:
            file.write(f"{word} {number}\n")
            file.flush()
            os.fsync(file.fileno())

        for number in range(int(first), int(end)):
            note("begin", number)
            try:
                turns[number % len(turns)].run(alias, number)
            except DatabaseError as error:
                note(type(error).__name__, number)
            else:
                note("done", number)


if __name__ == "__main__":
    main(*sys.argv[1:])
