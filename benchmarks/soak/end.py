"""After the soak: every acknowledged write is read back, from the service, from D1 itself and from the store."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

from benchmarks.soak import compare
from benchmarks.soak.client import Answer, Json, Log
from benchmarks.soak.judge import Judge
from benchmarks.soak.people import PREFIX, People
from benchmarks.soak.pictures import Pictures
from benchmarks.soak.reads import Reader
from benchmarks.soak.session import Session
from benchmarks.soak.world import World

MADE_BY_SOAK = "SELECT id, title, status, version FROM designs WHERE category LIKE 'Soak %'"
MISCOUNTED = """
    SELECT count(*) FROM designs WHERE like_count <> (
        SELECT count(*) FROM user_favorites WHERE user_favorites.design_id = designs.id)
"""


@dataclass
class End:
    """Compares what is there with what was acknowledged."""

    world: World
    judge: Judge
    admin: Session
    readers: list[Reader]
    pictures: Pictures
    people: People
    checked: Counter[str]

    @property
    def log(self) -> Log:
        return self.judge.log

    def note(self, faults: list[str]) -> None:
        self.log.violations += [f"    end    {fault}" for fault in faults]

    async def all(self, before: Json, say: Callable[[str], None]) -> None:
        """Check everything, and say what is done; `before` are the analytics from before the soak."""
        for check in (self.designs, self.fixed, self.favourites, self.avatars, self.users, self.images):
            await check()
            say(f"{self.log.now():6.0f} s  read back: {check.__name__}")
        await self.counters(before)
        await asyncio.to_thread(self.on_d1)

    async def pages(self, path: str, token: str = "", **query: str | int) -> list[Json]:
        """Return the items of all pages of a list."""
        found: list[Json] = []
        session = Session(self.admin.client, "", "", token) if token else self.admin
        for number in range(1, 100_000):
            answer, _ = await session.call(
                "end", "GET", path, query={**query, "page": number, "per_page": 100}
            )
            if answer.status != 200:
                self.log.wrong(answer, f"at the end, when all is well: {answer.body[:200]!r}")
                break
            content = answer.json()
            found += content["items"]
            if number >= content["pages"]:
                break
        return found

    async def designs(self) -> None:
        """Each design of the soak is there, once, as acknowledged, with one version for each edit."""
        status = "published,draft,archived,deleted"
        items = await self.pages("/api/designs", category="Soak 0,Soak 1", status=status, sort="oldest")
        self.note(compare.designs(self.judge.model, items, self.log.now()))
        for item in items:
            lines = await self.pages(f"/api/designs/{item['id']}/versions")
            self.note(compare.versions(item, lines))
            self.checked["designs"] += 1

    async def fixed(self) -> None:
        """What nobody changed is as it was, and each like of it is counted."""
        reader, answer = self.readers[0], self.ending()
        for item in await self.pages("/api/designs", reader.token, sort="oldest"):
            self.judge.design(answer, item, reader.user)
            self.checked["designs that nobody changed"] += item["id"] in self.judge.model.fixed

    def ending(self) -> Answer:
        return Answer("end", "-", self.log.now(), self.log.now(), 200)

    async def favourites(self) -> None:
        for reader in self.readers:
            items = await self.pages("/api/designs/user/favorites", reader.token)
            content = {"items": items, "total": len(items), "pages": 1}
            self.judge.favourites(self.ending(), content, reader.user)
            self.checked["favourites"] += len(items)

    async def avatars(self) -> None:
        for reader in self.readers:
            if (register := self.pictures.avatars.get(reader.user)) is None:
                continue
            session = Session(self.admin.client, "", "", reader.token)
            answer, _ = await session.call("end", "GET", "/api/auth/me")
            able = register.possible(self.log.now(), self.log.now())
            if answer.status != 200 or (answer.json()["avatar_url"] or "") not in able:
                self.log.wrong(answer, f"the avatar of {reader.name} is none of {able}")
            self.checked["avatars"] += 1

    async def users(self) -> None:
        """Each newcomer is there, once, in the state that was acknowledged."""
        items = await self.pages("/api/admin/users", search=PREFIX)
        self.note(compare.people(self.people.states, items))
        self.checked["people"] += len(items)

    async def images(self) -> None:
        """Each picture is listed once, and the store has its bytes and those of its renditions."""
        self.note(compare.images(self.pictures.stored, await self.pages("/api/upload/images")))
        with urllib3.PoolManager(timeout=20) as store:

            def fetch(url: str) -> tuple[int, bytes]:
                answer = store.request("GET", url)
                return answer.status, answer.data

            for picture, told in self.pictures.stored.values():
                self.note(await asyncio.to_thread(compare.bytes_of, fetch, picture, told))
                self.checked["images"] += 1

    async def counters(self, before: Json) -> None:
        """What the analytics count has grown by what was acknowledged."""
        after = await self.analytics()
        self.note(compare.counters(self.judge.model, self.people.states, before, after, self.log.now()))

    async def analytics(self) -> Json:
        answer, _ = await self.admin.call("analytics", "GET", "/api/admin/analytics")
        if answer.status != 200:
            raise RuntimeError(f"No analytics: {answer.body[:200]!r}")
        return answer.json()

    def on_d1(self) -> None:
        """D1 itself holds what the service has told, and every count of likes is right."""
        rows, miscounted = self.world.ask(MADE_BY_SOAK), self.world.ask(MISCOUNTED)[0][0]
        self.note(compare.on_d1(self.judge.model, rows, miscounted, self.log.now()))
        self.checked["designs on D1"] += len(rows)
        touched = [number for number, likes in self.judge.model.likes.items() if likes.by_user]
        listed = ",".join(map(str, touched)) or "0"
        favourites = self.world.ask(
            f"SELECT user_id, design_id FROM user_favorites WHERE design_id IN ({listed})"
        )
        pairs = {(int(str(user)), int(str(design))) for user, design in favourites}
        self.note(compare.likes_on_d1(self.judge.model, pairs, self.log.now()))
        self.checked["likes on D1"] += sum(len(likes.by_user) for likes in self.judge.model.likes.values())
