"""Time searches in the environment's gallery; print {name: CPU ms of the fastest calls} as JSON.

    python -m benchmarks.search_calls DESIGNS TOKEN SEED

Words are drawn from the seed, so no other run has asked for them.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import islice
from urllib.parse import urlencode

from benchmarks.scale_calls import caller
from demo.plan import plan
from designs.models import Design

CALLS, FIRSTS, VARIETY = 150, 5, 2000


def main() -> None:
    size, token, chance = int(sys.argv[1]), sys.argv[2], random.Random(int(sys.argv[3]))
    words = sorted(
        {word for each in islice(plan(size, seed=1), VARIETY) for word in each.title.lower().split()}
    )
    long = [word for word in words if len(word) > 6 and word.isalpha()]

    def ask(question: str) -> float:
        call = caller(question, token)
        start = time.process_time()
        call()
        return (time.process_time() - start) * 1000

    def pair() -> str:
        return " ".join(chance.sample(words, 2))

    def mistyped() -> str:
        word, place = chance.choice(long), chance.randrange(2, 5)
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    def timed(question: Callable[[], str], calls: int = CALLS) -> float:
        ask(question())
        taken = sorted(ask(question()) for _ in range(calls))
        return round(taken[len(taken) // 2], 3)

    found = {
        "new words": timed(lambda: urlencode({"search": pair(), "match": "all"})),
        "facets of new words": timed(lambda: "facets?" + urlencode({"search": pair(), "match": "all"})),
        "corrected": timed(lambda: urlencode({"search": mistyped()})),
        "first facets": first(lambda: ask("facets")),
        "first facets, filtered": first(lambda: ask("facets?category=Saree&fabric=Cotton")),
        "first facets of a search": first(lambda: ask("facets?search=silk")),
    }
    json.dump(found, sys.stdout)


def first(call: Callable[[], float]) -> float:
    """The fastest first call after a change of a design."""
    taken = []
    for number in range(FIRSTS):
        call()
        Design.objects.filter(pk=1).update(description=f"Changed for the {number}th time.")
        taken.append(call())
    return round(min(taken), 3)


if __name__ == "__main__":
    main()
