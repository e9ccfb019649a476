"""After the soak: every acknowledged write is read back, from the service, from D1 itself and from the store."""

import asyncio
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

import urllib3
from PIL import Image, ImageChops, ImageStat

from benchmarks.soak.client import Answer, Json, Log
from benchmarks.soak.judge import Judge
from benchmarks.soak.model import values_of
from benchmarks.soak.people import PREFIX, People
from benchmarks.soak.pictures import Picture, Pictures
from benchmarks.soak.reads import Reader
from benchmarks.soak.session import Session
from benchmarks.soak.world import World

CLOSE = 12.0  # mean difference of a channel between a picture and its rendition, of 255
MADE_BY_SOAK = "SELECT id, title, status, version, like_count FROM designs WHERE category LIKE 'Soak %'"
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

    def wrong(self, what: str) -> None:
        self.log.violations.append(f"    end    {what}")

    async def all(self, before: Json) -> None:
        """Check everything; `before` are the analytics from before the soak."""
        await self.designs()
        await self.fixed()
        await self.favourites()
        await self.avatars()
        await self.users()
        await self.images()
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
        model, now = self.judge.model, self.log.now()
        status = "published,draft,archived,deleted"
        items = await self.pages("/api/designs", category="Soak 0,Soak 1", status=status, sort="oldest")
        there = {item["id"]: item for item in items}
        self.check_titles(items)
        for number, register in model.designs.items():
            item = there.pop(number, None)
            if item is None:
                self.wrong(f"design {number}, which was acknowledged, is lost")
                continue
            able = [one for one in register.possible(now, now) if one is not None]
            if not any(values_of(item) == values_of(one) for one in able):
                self.wrong(
                    f"design {number} is {values_of(item)}, and was acknowledged as {values_of(able[0])}"
                )
            least, most = model.likes[number].bounds(now, now)
            if not least <= item["like_count"] <= most:
                self.wrong(f"design {number} has {item['like_count']} likes, not {least} to {most}")
            versions = await self.pages(f"/api/designs/{number}/versions")
            if [one["version"] for one in versions] != list(range(item["version"], 0, -1)):
                self.wrong(f"design {number} has the versions {[one['version'] for one in versions]}")
            self.checked["designs"] += 1
        for item in there.values():
            if item["title"] not in model.coming:
                self.wrong(f"design {item['id']}, {item['title']!r}, was never acknowledged, or refused")

    def check_titles(self, items: list[Json]) -> None:
        for title, count in Counter(item["title"] for item in items).items():
            if count > 1:
                self.wrong(f"{title!r} is there {count} times")

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
        there = Counter(item["username"] for item in items)
        states = {item["username"]: item["state"] for item in items}
        for name, able in self.people.states.items():
            if states.get(name, "") not in able or there[name] > 1:
                self.wrong(
                    f"{name} is there {there[name]} times, {states.get(name, 'lost')}, not {sorted(able)}"
                )
            self.checked["people"] += 1
        if strange := set(there) - set(self.people.states):
            self.wrong(f"nobody registered {sorted(strange)}")

    async def images(self) -> None:
        """Each picture is listed once, and the store has its bytes and those of its renditions."""
        sizes = Counter[tuple[int, int]]()
        for item in await self.pages("/api/upload/images"):
            sizes[item["width"], item["height"]] += item["object_key"] in self.pictures.stored
            if self.is_strange(item):
                self.wrong(f"the image {item['object_key']} was never acknowledged")
        with urllib3.PoolManager(timeout=20) as store:
            for key, (picture, told) in self.pictures.stored.items():
                if sizes[picture.size] != 1:
                    self.wrong(f"the image {key} is listed {sizes[picture.size]} times")
                for fault in await asyncio.to_thread(faults_of, store, picture, told):
                    self.wrong(f"the image {key}: {fault}")
                self.checked["images"] += 1

    def is_strange(self, item: Json) -> bool:
        """Whether a picture of the soak is listed that nobody was told of, and that was not left in doubt."""
        size = (item["width"], item["height"])
        known = {picture.size for picture, _ in self.pictures.stored.values()}
        return size in known and item["object_key"] not in self.pictures.stored

    async def counters(self, before: Json) -> None:
        """What the analytics count has grown by what was acknowledged."""
        after = await self.analytics()
        now, model = self.log.now(), self.judge.model
        grown = {
            "published": model.published(now, now),
            "draft": model.counted(now, now, lambda one: one["status"] == "draft"),
            "deleted": model.counted(now, now, lambda one: one["status"] == "deleted"),
        }
        for name, (least, most) in grown.items():
            found = after["designs"][name] - before["designs"][name]
            if not least <= found <= most:
                self.wrong(f"analytics count {found} more designs that are {name}, not {least} to {most}")
        states = self.people.states.values()
        for name in ("approved", "pending", "rejected"):
            found = after["users"][name] - before["users"][name]
            least, most = sum(one == {name} for one in states), sum(name in one for one in states)
            if not least <= found <= most:
                self.wrong(f"analytics count {found} more users who are {name}, not {least} to {most}")
        self.checked["counters"] += 6

    async def analytics(self) -> Json:
        answer, _ = await self.admin.call("analytics", "GET", "/api/admin/analytics")
        if answer.status != 200:
            raise RuntimeError(f"No analytics: {answer.body[:200]!r}")
        return answer.json()

    def on_d1(self) -> None:
        """D1 itself holds what the service has told, and every count of likes is right."""
        model, now = self.judge.model, self.log.now()
        there: dict[int, tuple[Any, ...]] = {int(str(row[0])): row for row in self.world.ask(MADE_BY_SOAK)}
        for number, register in model.designs.items():
            able = [one for one in register.possible(now, now) if one is not None]
            told = [(number, one["title"], one["status"], one["version"]) for one in able]
            if number not in there or there[number][:4] not in told:
                self.wrong(f"D1 has {there.get(number)} in place of {told}")
        if (count := self.world.ask(MISCOUNTED)[0][0]) != 0:
            self.wrong(f"like_count of {count} designs is not their number of favourites")
        self.checked["designs on D1"] += len(there)


def faults_of(store: urllib3.PoolManager, picture: Picture, told: Json) -> list[str]:
    """Return what is wrong with the stored bytes of a picture and of its renditions."""
    sent = Image.open(io.BytesIO(picture.content)).convert("RGB")
    found = []
    whole = {"url": told["url"], "width": picture.size[0], "height": picture.size[1]}
    for place in (whole, *told["renditions"]):
        answer = store.request("GET", place["url"])
        if answer.status != 200:
            found.append(f"{place['url']} is a {answer.status}")
            continue
        image = Image.open(io.BytesIO(answer.data)).convert("RGB")
        if image.size != (place["width"], place["height"]):
            found.append(f"{place['url']} has {image.size} pixels")
            continue
        difference = ImageStat.Stat(ImageChops.difference(image, sent.resize(image.size))).mean
        if max(difference) > (0 if place is whole else CLOSE):
            found.append(f"{place['url']} is another picture")
    return found
