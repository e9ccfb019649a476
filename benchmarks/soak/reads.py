"""What people read: each function sends one read and lets it be judged."""

import asyncio
import random
import time
import traceback
from dataclasses import dataclass, field
from itertools import islice

from benchmarks.soak.client import Answer, Client, Json, Log
from benchmarks.soak.judge import Judge
from benchmarks.workloads import PAGES, VARIETY
from demo.plan import plan

SHARES = {
    "list": 24,
    "detail": 24,
    "new detail": 8,
    "filtered list": 8,
    "sorted list": 4,
    "search": 8,
    "new search": 4,
    "facets": 5,
    "featured": 3,
    "favourites": 5,
    "similar": 2,
    "suggest": 2,
    "revalidation": 8,
}
MOST_OUTSTANDING = 256  # people who wait for an answer ask for nothing else
PATIENT = 90.0  # seconds: an outage, and a restart
BUSY = 24  # connections of the calibration


@dataclass
class Reader:
    """Somebody who reads: the number of their account, and their token."""

    user: int
    name: str
    token: str


@dataclass
class Reads:
    """Readers of the catalogue, whose answers `judge` judges."""

    client: Client
    judge: Judge
    readers: list[Reader]
    size: int
    published: int  # designs that nobody changes
    by_category: dict[str, int]
    chance: random.Random = field(default_factory=lambda: random.Random(2))
    kept: dict[tuple[int, str], Answer] = field(
        default_factory=dict
    )  # bodies with an ETag, by user and address
    sent: int = 0
    held_back: int = 0

    def __post_init__(self) -> None:
        self.known = list(islice(plan(self.size, seed=1), VARIETY))

    async def get(
        self, call: str, path: str, due: float | None = None, **query: str | int
    ) -> tuple[Reader, Answer, Json | None]:
        """Send a GET of some reader until it is no refusal, and return its judged content; None for a 404."""
        reader = self.chance.choice(self.readers)
        first = due

        async def once() -> Answer:
            nonlocal first
            answer = await self.client.once(call, "GET", path, token=reader.token, query=query, due=first)
            first = None
            return answer

        answer, _ = await self.client.patiently(call, once, PATIENT)
        if answer.status == 404 and call == "detail":
            return reader, answer, None
        return reader, answer, self.judge.read(answer, reader.user)

    async def any(self, due: float | None = None) -> None:
        """Send one of the reads, by their shares."""
        (name,) = self.chance.choices(list(SHARES), list(SHARES.values()))
        await getattr(self, name.replace(" ", "_"))(due)

    async def list(self, due: float | None) -> None:
        number = self.chance.randrange(PAGES) + 1
        reader, answer, content = await self.get("list", "/api/designs", due, page=number)
        if content:
            self.judge.page(answer, content, self.published)
            if number == 1:
                self.judge.newest(answer, content)
            self.keep(reader, f"/api/designs?page={number}", answer)

    async def sorted_list(self, due: float | None) -> None:
        sort = self.chance.choice(["popular", "oldest", "title", "most_viewed"])
        _, answer, content = await self.get("sorted list", "/api/designs", due, sort=sort, per_page=50)
        if content:
            self.judge.page(answer, content, self.published)

    async def filtered_list(self, due: float | None) -> None:
        names = [*self.by_category, "Soak 0", "Soak 1"]
        name = self.chance.choice(names)
        _, answer, content = await self.get("filtered list", "/api/designs", due, category=name)
        if content:
            self.judge.page(answer, content, self.by_category.get(name, 0), category=name)

    async def detail(self, due: float | None) -> None:
        await self.one(self.chance.randrange(self.size) + 1, due)

    async def new_detail(self, due: float | None) -> None:
        numbers = list(self.judge.model.designs)
        await self.one(self.chance.choice(numbers) if numbers else 1, due)

    async def one(self, number: int, due: float | None) -> None:
        path = f"/api/designs/{number}"
        reader, answer, content = await self.get("detail", path, due)
        if content:
            self.judge.design(answer, content, reader.user)
            self.keep(reader, path, answer)
        elif answer.status == 404:
            self.judge.gone(answer, number)

    async def search(self, due: float | None) -> None:
        word = self.chance.choice(self.chance.choice(self.known).title.lower().split())
        await self.get("search", "/api/designs", due, search=word)

    async def new_search(self, due: float | None) -> None:
        """Search for the word that one design of the soak alone has, or had."""
        made = [(number, one.value) for number, one in self.judge.model.designs.items() if one.value]
        if not made:
            return
        number, design = self.chance.choice(made[-50:])
        word = str(design["title"]).split()[-1] if design else ""
        _, answer, content = await self.get("new search", "/api/designs", due, search=word, match="all")
        if content:
            self.judge.found(answer, content, number, word)

    async def facets(self, due: float | None) -> None:
        _, answer, content = await self.get("facets", "/api/designs/facets", due)
        if content:
            self.judge.facets(answer, content, self.published)

    async def featured(self, due: float | None) -> None:
        await self.get("featured", "/api/designs/featured", due, page=self.chance.randrange(3) + 1)

    async def favourites(self, due: float | None) -> None:
        reader, answer, content = await self.get(
            "favourites", "/api/designs/user/favorites", due, per_page=100
        )
        if content:
            self.judge.favourites(answer, content, reader.user)

    async def similar(self, due: float | None) -> None:
        number = self.chance.randrange(self.size) + 1
        await self.get("similar", f"/api/designs/{number}/similar", due)

    async def suggest(self, due: float | None) -> None:
        word = self.chance.choice(self.known).title.lower()[: self.chance.randrange(2, 8)]
        await self.get("suggest", "/api/designs/suggest", due, q=word)

    async def me(self) -> None:
        """Ask who one is, which the copy does not know: it is a call to D1."""
        reader, answer, content = await self.get("me", "/api/auth/me")
        if content and content["username"] != reader.name:
            self.judge.log.wrong(answer, f"{reader.name} is {content['username']}")

    def keep(self, reader: Reader, path: str, answer: Answer) -> None:
        if not answer.header("etag"):
            self.judge.log.wrong(answer, "no ETag")
        self.kept[reader.user, path] = answer

    async def revalidation(self, due: float | None) -> None:
        """Ask whether a body is current; a 304 is judged as if it had brought that body."""
        if not self.kept:
            return
        user, path = self.chance.choice(list(self.kept))
        before, reader = self.kept.pop((user, path)), next(one for one in self.readers if one.user == user)
        answer = await self.client.once(
            "revalidation", "GET", path, token=reader.token, due=due,
            headers=f"If-None-Match: {before.header('etag')}\r\n",
        )  # fmt: skip
        if answer.status == 404:
            self.judge.gone(answer, int(path.rpartition("/")[2]))
            return
        content = self.judge.read(answer, user, before)
        if content and "items" in content:
            self.judge.page(answer, content, self.published)
        elif content:
            self.judge.design(answer, content, user)

    async def calibrate(self, seconds: float) -> float:
        """Return how many reads a second the service answers to a few connections that are always busy."""
        until, count = time.monotonic() + seconds, 0

        async def be_busy() -> None:
            nonlocal count
            while time.monotonic() < until:
                await self.any()
                count += 1

        await asyncio.gather(*(be_busy() for _ in range(BUSY)))
        return count / seconds

    async def pace(self, rate: float, is_over: asyncio.Event) -> None:
        """Send reads at random times, on average `rate` a second, whatever the service answers."""
        due, tasks = self.client.log.now(), set[asyncio.Task[None]]()
        while not is_over.is_set():
            due += self.chance.expovariate(rate)
            await asyncio.sleep(max(0.0, due - self.client.log.now()))
            if len(tasks) >= MOST_OUTSTANDING:
                self.held_back += 1
                continue
            self.sent += 1
            task = asyncio.create_task(self.any(due))
            tasks.add(task)
            task.add_done_callback(lambda task: ended(task, tasks, self.client.log))
        await asyncio.gather(*tasks, return_exceptions=True)


def ended(task: asyncio.Task[None], tasks: set[asyncio.Task[None]], log: Log) -> None:
    """Forget a task that ended; that an answer was not as any code expects it is wrong, too."""
    tasks.discard(task)
    if not task.cancelled() and (error := task.exception()):
        log.violations.append("".join(traceback.format_exception(error))[-1500:])
