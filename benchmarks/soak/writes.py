"""What people like and what staff write: each function makes one change, and notes what was acknowledged."""

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.soak.client import Answer, Json
from benchmarks.soak.judge import Judge
from benchmarks.soak.model import Register, is_published, values_of
from benchmarks.soak.reads import Reader
from benchmarks.soak.session import PATIENT, Session

HOT = 20  # designs of the old and of the new ones that many people like
LEAVING = 0.3  # of people who do not try again after a refusal
REPEATED = 0.2  # of creations are sent once more, as after a lost answer
CONFLICTING = 0.3  # of edits are followed by one that knows only the version before
CATEGORIES = ("Soak 0", "Soak 1")
FABRICS = ("Mulberry silk", "Cotton", "Linen", "Khadi")


@dataclass
class Writes:
    """Readers who like, and staff who create and edit designs with pictures of `covers`."""

    judge: Judge
    readers: list[Reader]
    staff: list[Session]
    covers: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    busy: set[tuple[int, int]] = field(default_factory=set)  # (user, design); user 0 for edits
    trashed_from: dict[int, str] = field(default_factory=dict)  # the status that a restore gives back

    @contextmanager
    def alone(self, user: int, design: int) -> Iterator[bool]:
        """Say whether nobody else writes this now: a register has one writer at a time."""
        key = (user, design)
        is_free = key not in self.busy
        self.busy.add(key)
        try:
            yield is_free
        finally:
            if is_free:
                self.busy.discard(key)

    def wrong(self, answer: Answer, what: str) -> None:
        self.judge.log.wrong(answer, f"{what}: {answer.body[:200]!r}")

    async def like(self) -> None:
        """Like a design, or take the like back; one in ten does what was done already."""
        model, client = self.judge.model, self.staff[0].client
        reader = self.chance.choice(self.readers)
        number = self.chance.choice([*range(1, HOT + 1), *list(model.designs)[-HOT:]])
        with self.alone(reader.user, number) as is_alone:
            if not is_alone:
                return
            register = model.is_favourite(reader.user, number)
            wanted = register.value if self.chance.random() < 0.1 else not register.value
            step = register.begin(wanted, client.log.now())
            method, path = "POST" if wanted else "DELETE", f"/api/designs/{number}/favorite"
            answer, unsure = await client.patiently(
                "like" if wanted else "unlike",
                lambda: client.once("like" if wanted else "unlike", method, path, token=reader.token),
                PATIENT,
                stays=self.chance.random() > LEAVING,
            )
            if answer.status == 200:
                self.liked(answer, number, wanted)
                register.confirm(step, answer.ended)
            elif answer.status == 404:
                self.judge.gone(answer, number)
            elif not answer.is_refusal:
                self.wrong(answer, "a like")
            # One whose design was hidden meanwhile may have been done before that.
            may_have_run = unsure or (
                answer.status == 404 and self.was_shown(number, step.sent, answer.ended)
            )
            if answer.status != 200 and not may_have_run:
                register.refute(step)

    def was_shown(self, number: int, begin: float, end: float) -> bool:
        """Whether people perhaps saw the design at some time."""
        if number not in self.judge.model.designs:
            return True
        seen = self.judge.model.designs[number].possible(begin, end)
        return any(one is not None and is_published(one) for one in seen)

    def liked(self, answer: Answer, number: int, wanted: bool) -> None:
        told = answer.json()
        least, most = self.judge.model.likes[number].bounds(answer.begun, answer.ended)
        if told["is_favorite"] is not wanted or not least <= told["like_count"] <= most:
            self.wrong(answer, f"after a like that is {wanted}, with {least} to {most} in all")

    async def create(self) -> None:
        """Create a design; sometimes send it again, which must make nothing."""
        if not self.covers:
            return
        model, session, key = self.judge.model, self.chance.choice(self.staff), uuid.uuid4().hex
        fields: Json = {
            "title": f"Soaked saree {new_word()}",
            "description": "Six yards, soaked.",
            "r2_object_key": self.chance.choice(self.covers),
            "category": self.chance.choice(CATEGORIES),
            "fabric": self.chance.choice(FABRICS),
            "status": "published",
        }
        step = model.expect(fields, session.client.log.now())
        header = f"Idempotency-Key: {key}\r\n"
        stays = self.chance.random() > LEAVING
        answer, unsure = await session.call(
            "create", "POST", "/api/designs", fields, headers=header, stays=stays
        )
        if answer.status == 201:
            item = answer.json()
            if any(item[name] != value for name, value in fields.items()):
                self.wrong(answer, "another design than the one that was sent")
            model.made(step, item, answer.ended)
            if self.chance.random() < REPEATED:
                again, _ = await session.call("create again", "POST", "/api/designs", fields, headers=header)
                if not again.is_refusal and (again.body, again.status) != (answer.body, 201):
                    self.wrong(again, "no replay of the first answer")
        elif not answer.is_refusal:
            self.wrong(answer, "a creation")
        if answer.status != 201 and not unsure:
            del model.coming[fields["title"]]

    async def edit(self) -> None:
        """Change a design, put it into the trash or take it out again."""
        numbers = list(self.judge.model.designs)
        if not numbers:
            return
        number = self.chance.choice(numbers)
        with self.alone(0, number) as is_alone:
            register = self.judge.model.designs[number]
            design = register.value
            if not is_alone or not register.is_sure or design is None:
                return
            session = self.chance.choice(self.staff)
            if design["status"] == "deleted":
                await self.restore(session, number, register, design)
            elif self.chance.random() < 0.1:
                await self.trash(session, number, register, design)
            else:
                await self.change(session, number, register, design)

    async def change(
        self, session: Session, number: int, register: Register[Json | None], design: Json
    ) -> None:
        fields: Json = {"title": f"Soaked saree {new_word()}"}
        if self.chance.random() < 0.3:
            fields["category"] = self.chance.choice(CATEGORIES)
        if self.chance.random() < 0.3:
            fields["status"] = "draft" if is_published(design) else "published"
        after = {**design, **fields, "version": design["version"] + 1}
        versioned = {"version": design["version"]} if self.chance.random() < 0.5 else {}
        path = f"/api/designs/{number}"
        is_done = await self.write(session, "edit", "PUT", path, register, after, {**fields, **versioned})
        if is_done and self.chance.random() < CONFLICTING:
            await self.conflict(session, path, design["version"], register.value or {})

    async def conflict(self, session: Session, path: str, version: int, current: Json) -> None:
        """Edit a field by a version after which it was changed: nothing may be written."""
        given = {"title": f"Soaked too late {new_word()}", "version": version}
        answer, _ = await session.call("late edit", "PUT", path, given)
        if answer.is_refusal:
            return
        told = answer.json()
        is_right = (
            answer.status == 409 and told["code"] == "edit_conflict" and list(told["errors"]) == ["title"]
        )
        if not is_right or values_of(told["current"]) != values_of(current):
            self.wrong(answer, "an edit by an old version is no conflict with what is stored")

    async def trash(
        self, session: Session, number: int, register: Register[Json | None], design: Json
    ) -> None:
        self.trashed_from[number] = design["status"]
        after = {**design, "status": "deleted", "version": design["version"] + 1}
        await self.write(session, "trash", "DELETE", f"/api/designs/{number}", register, after)

    async def restore(
        self, session: Session, number: int, register: Register[Json | None], design: Json
    ) -> None:
        after = {**design, "status": self.trashed_from[number], "version": design["version"] + 1}
        await self.write(session, "restore", "POST", f"/api/designs/{number}/restore", register, after, {})

    async def write(
        self, session: Session, call: str, method: str, path: str, register: Register[Json | None], after: Json,
        fields: Json | None = None,
    ) -> bool:  # fmt: skip
        """Send a change until it is acknowledged, and return whether it was; what it leaves must be `after`."""
        step = register.begin(after, session.client.log.now())
        stays = self.chance.random() > LEAVING
        answer, unsure = await session.call(call, method, path, fields, stays=stays)
        if answer.status == 200 and method != "DELETE":
            item = answer.json()
            if values_of(item) != values_of(after):
                self.wrong(answer, f"version {item['version']} of {item['title']!r}, not {after['title']!r}")
            register.confirm(step, answer.ended, item)
        elif answer.status == 200 or (answer.status == 404 and unsure and method == "DELETE"):
            register.confirm(step, answer.ended)
        elif not answer.is_refusal:
            self.wrong(answer, "a change of a design")
        if answer.is_refusal and not unsure:
            register.refute(step)
        return register.is_sure and register.steps[-1] is step


def new_word() -> str:
    """Return a word that no other design has."""
    return "soak" + secrets.token_hex(6)
