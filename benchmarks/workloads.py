"""The requests that users send: each workload is a function that returns the next one."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from benchmarks.load import request
from demo.plan import DemoDesign, plan

PASSWORD = "six yards of silk"  # benchmarks.catalogue gives it to every reader
PAGES = 10  # of a list that people look at
VARIETY = 500  # designs whose values filters and searches use


@dataclass
class Readers:
    """Signed-in users of a server's catalogue, with random requests that a seed repeats."""

    host: str
    tokens: list[str]
    designs: int
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.known: list[DemoDesign] = list(islice(plan(self.designs, seed=1), VARIETY))

    def get(self, path: str, **query: str | int) -> bytes:
        path = f"/api/designs{path}" + (f"?{urlencode(query)}" if query else "")
        return request(self.host, "GET", path, token=self.chance.choice(self.tokens))

    def any_design(self) -> int:
        return self.chance.randrange(self.designs) + 1

    def page(self) -> dict[str, str | int]:
        return {"page": self.chance.randrange(PAGES) + 1}

    def list(self) -> bytes:
        return self.get("", **self.page())

    def filtered_list(self) -> bytes:
        like = self.chance.choice(self.known)
        return self.get("", category=like.category, colour=like.colour)

    def search(self) -> bytes:
        return self.get("", search=self.chance.choice(self.chance.choice(self.known).title.lower().split()))

    def facets(self) -> bytes:
        return self.get("/facets", category=self.chance.choice(self.known).category)

    def new_words(self) -> str:
        """Two words of a title, the last one cut: hardly anybody has asked for them before."""
        words = self.chance.choice(self.known).title.lower().split()
        first, last = self.chance.sample(words, 2)
        return f"{first} {last[: self.chance.randrange(3, 9)]}"

    def new_search(self) -> bytes:
        return self.get("", search=self.new_words())

    def new_facets(self) -> bytes:
        return self.get("/facets", search=self.new_words())

    def detail(self) -> bytes:
        return self.get(f"/{self.any_design()}")

    def featured(self) -> bytes:
        return self.get("/featured", **self.page())

    def favourites(self) -> bytes:
        return self.get("/user/favorites")

    def favourite(self) -> bytes:
        path = f"/api/designs/{self.any_design()}/favorite"
        return request(self.host, "POST", path, token=self.chance.choice(self.tokens))

    def unfavourite(self) -> bytes:
        path = f"/api/designs/{self.any_design()}/favorite"
        return request(self.host, "DELETE", path, token=self.chance.choice(self.tokens))

    def login(self) -> bytes:
        name = f"reader{self.chance.randrange(len(self.tokens))}"
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        return request(self.host, "POST", "/api/auth/login", body=body)

    def workloads(self) -> dict[str, Callable[[], bytes]]:
        """Return the workloads of the table, by name."""
        return {
            "list": self.list,
            "filtered list": self.filtered_list,
            "search": self.search,
            "facets": self.facets,
            "detail": self.detail,
            "featured": self.featured,
            "favourites": self.favourites,
            "favourite": self.favourite,
            "login": self.login,
        }
