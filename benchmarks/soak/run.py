"""One soak: learns what is there, measures the capacity, sends the load while things fail, and compares at the end."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from benchmarks.soak.client import AFTERMATH, Client, Log, user_of
from benchmarks.soak.end import End
from benchmarks.soak.judge import Judge
from benchmarks.soak.model import Model
from benchmarks.soak.people import Console, People
from benchmarks.soak.pictures import Pictures
from benchmarks.soak.reads import Reader, Reads, ended
from benchmarks.soak.report import Report
from benchmarks.soak.schedule import MINUTE, Event, Place, Window, events
from benchmarks.soak.session import Session
from benchmarks.soak.watch import Watch
from benchmarks.soak.world import World
from benchmarks.soak.writes import Writes
from benchmarks.workloads import PASSWORD

STAFF = 2  # readers who are made admins, beside the first one
COVERS = 3
CALIBRATION, PART = 12.0, 0.8  # seconds, and the part of the capacity that reads use
HEALTHY = 180.0  # seconds
ROWS_ELSEWHERE = 5000
MOST_AT_ONCE = 30  # of one kind of write
# Per second, of what asks D1: together about 550 calls in five minutes, of 1,000 that syncs leave.
RATES = {
    "like": 0.6, "create": 0.1, "edit": 0.25, "upload": 0.06, "presign": 0.04, "avatar": 0.03, "newcomer": 0.03,
    "refresh": 0.06, "leave": 0.01, "login": 0.02, "console": 0.1,
    "me": 0.1,
}  # fmt: skip
Action = Callable[[], Awaitable[None]]


class Run:
    """A soak of `world`, which has `size` designs; the owners of `tokens` read, and the first ones become staff."""

    def __init__(self, world: World, size: int, minutes: float, tokens: list[str]) -> None:
        self.world, self.size, self.minutes, self.tokens = world, size, minutes, tokens
        self.log = Log()
        self.client = Client(world.url, self.log)
        self.model = Model()
        self.judge = Judge(self.model, self.log)
        self.watch = Watch(lambda: world.server.pid, world.data, self.log.now)
        self.windows: list[Window] = []
        self.is_over = asyncio.Event()
        self.kills, self.restart_seconds = 0, 0.0

    async def play(self) -> Report:
        """Run it all; the report says what was wrong."""
        await self.prepare()
        async with asyncio.TaskGroup() as group:
            for name, action in self.actions().items():
                group.create_task(self.repeat(action, RATES[name]))
            say("Calibrating")
            capacity = await self.reads.calibrate(CALIBRATION)
            rate = capacity * PART
            say(f"{capacity:.0f} reads a second; soaking at {rate:.0f}, and {sum(RATES.values()):.2f} writes")
            self.log.answers.clear()
            start = self.log.now()
            self.watch.begin()
            group.create_task(self.watch.run(self.is_over))
            group.create_task(self.reads.pace(rate, self.is_over))
            await self.follow(start)
            self.watch.end()
            self.is_over.set()
        requests, refused = self.world.cloud.counts()
        say("Reading back what was acknowledged")
        checked = await self.compare()
        return Report(
            minutes=self.minutes,
            size=self.size,
            capacity=capacity,
            rate=rate,
            log=self.log,
            windows=self.windows,
            memory=self.watch.figures(),
            held_back=self.reads.held_back,
            reads_sent=self.reads.sent,
            d1_requests=requests,
            d1_refused=refused,
            restart_seconds=self.restart_seconds,
            kills=self.kills,
            checked=checked,
        )

    async def prepare(self) -> None:
        """Sign staff in, learn the catalogue and the readers' favourites, and upload the first pictures."""
        people = [
            Reader(user_of(token), f"reader{number}", token) for number, token in enumerate(self.tokens)
        ]
        admin = Session(self.client, self.world.admin["username"], self.world.admin["password"])
        await admin.sign_in()
        staff, readers = people[:STAFF], people[STAFF:]
        sessions = [admin]
        for one in staff:
            await admin.call("promote", "PUT", f"/api/admin/users/{one.user}", {"is_admin": True})
            session = Session(self.client, one.name, PASSWORD)
            await session.sign_in()
            sessions.append(session)
        self.admin, self.readers = admin, readers
        self.pictures = Pictures(self.log, self.client, [])
        self.people = People(self.client, self.log, admin)
        self.console = Console(self.client, self.log, admin.username, admin.password)
        self.writes = Writes(self.judge, readers, sessions, self.pictures.covers)
        self.end = End(self.world, self.judge, admin, readers, self.pictures, self.people, Counter[str]())
        await self.learn()
        for _ in range(COVERS):
            await self.pictures.upload(admin)
        await self.console.sign_in()

    async def learn(self) -> None:
        categories = Counter[str]()
        for item in await self.end.pages("/api/designs", self.readers[0].token, sort="oldest"):
            self.model.learn(item)
            categories[item["category"]] += 1
        for reader in self.readers:
            items = await self.end.pages("/api/designs/user/favorites", reader.token)
            self.model.favourites[reader.user] = {item["id"] for item in items}
        self.before = await self.end.analytics()
        self.reads = Reads(
            self.client, self.judge, self.readers, self.size, len(self.model.fixed), dict(categories)
        )

    def actions(self) -> dict[str, Action]:
        """Return what is done at the rates of RATES, by name."""
        chance = random.Random(7)
        staff = self.writes.staff
        return {
            "like": self.writes.like,
            "create": self.writes.create,
            "edit": self.writes.edit,
            "upload": lambda: self.pictures.upload(chance.choice(staff)),
            "presign": lambda: self.pictures.presign(chance.choice(staff)),
            "avatar": lambda: self.pictures.avatar(chance.choice(self.readers)),
            "newcomer": self.people.newcomer,
            "refresh": self.people.refresh,
            "leave": self.people.leave,
            "login": self.login,
            "me": self.reads.me,
            "console": self.console.page,
        }

    async def login(self) -> None:
        await Session(self.client, random.choice(self.readers).name, PASSWORD).sign_in()

    async def repeat(self, action: Action, rate: float) -> None:
        """Do it at random times, on average so often a second, and wait for the last ones."""
        chance, tasks = random.Random(rate), set[asyncio.Task[None]]()
        while not self.is_over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.is_over.wait(), chance.expovariate(rate))
            if self.is_over.is_set() or len(tasks) >= MOST_AT_ONCE:
                continue
            task = asyncio.ensure_future(action())
            tasks.add(task)
            task.add_done_callback(lambda task: ended(task, tasks, self.log))
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self, start: float) -> None:
        """Let happen what the schedule says, from `start` on, until the minutes are over."""
        going: dict[str, Window] = {}
        for event in events(self.minutes):
            await asyncio.sleep(max(0.0, start + event.at - self.log.now()))
            if event.place in ("d1", "store"):
                await asyncio.to_thread(self.world.cloud.fail, event.place, event.what)
                self.note_outage(event, going)
            elif event.place == "elsewhere":
                say(f"{self.log.now():6.0f} s  another host writes {ROWS_ELSEWHERE:,} rows")
                await asyncio.to_thread(self.world.write_elsewhere, ROWS_ELSEWHERE)
            else:
                await self.break_off(event)
        await asyncio.sleep(max(0.0, start + self.minutes * MINUTE - self.log.now()))

    def note_outage(self, event: Event, going: dict[str, Window]) -> None:
        now = self.log.now()
        if event.what != "back":
            going[event.place] = Window(now, float("inf"), event.place, event.what)
            self.windows.append(going[event.place])
            say(f"{now:6.0f} s  {event.place} fails: {event.what}")
        else:
            begun = going.pop(event.place)
            self.windows.remove(begun)
            self.windows.append(replace(begun, end=now + AFTERMATH))

    async def break_off(self, event: Event) -> None:
        """Kill a worker, or restart the server; its connections may break until it is back."""
        with self.breaking(event.place, event.what):
            if event.what == "kill":
                await asyncio.to_thread(self.world.kill_worker)
                self.kills += 1
            else:
                self.watch.end()
                self.restart_seconds = await asyncio.to_thread(self.world.restart)
                self.watch.begin()

    @contextlib.contextmanager
    def breaking(self, place: Place, what: str) -> Iterator[None]:
        """Let connections break during the block, and for a while after."""
        window = Window(self.log.now(), float("inf"), place, what)
        self.log.breaks.append(window)
        self.windows.append(window)
        say(f"{window.begin:6.0f} s  {place}: {what}")
        yield
        over = replace(window, end=self.log.now() + AFTERMATH)
        self.log.breaks[self.log.breaks.index(window)] = over
        self.windows[self.windows.index(window)] = over

    async def compare(self) -> Counter[str]:
        """Wait until all is well, and read everything back, without the allowance: that would take a quarter hour."""
        with self.breaking("server", "restart"):
            await asyncio.to_thread(self.world.lift_allowance)
        until = self.log.now() + HEALTHY
        while True:
            answer = await self.client.once("health", "GET", "/health")
            if answer.status == 200 and answer.json()["status"] == "healthy":
                break
            if self.log.now() > until:
                self.log.wrong(
                    answer, f"the host is not healthy {HEALTHY:.0f} s after: {answer.body[:300]!r}"
                )
                break
            await asyncio.sleep(2)
        say(f"{self.log.now():6.0f} s  /health says {answer.status}")
        await self.end.all(self.before, say)
        return self.end.checked


def say(line: str) -> None:
    print(line, flush=True)
