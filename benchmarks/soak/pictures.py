"""What people upload: through the server, straight to the store, and as avatars. No two pictures are of one size."""

import asyncio
import io
import itertools
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import urllib3
from PIL import Image

from benchmarks.soak.client import Answer, Client, Json, Log
from benchmarks.soak.model import Register
from benchmarks.soak.reads import Reader
from benchmarks.soak.session import PATIENT, Session

LEAST, MOST = 330, 1400  # pixels, so that most have renditions
BOUNDARY = "soak"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"


@dataclass(frozen=True)
class Picture:
    """A picture that was sent: its size tells it from all others."""

    size: tuple[int, int]
    content: bytes
    category: str


@dataclass
class Pictures:
    """The pictures of the soak: those acknowledged by their key, and those that may be stored or not."""

    log: Log
    client: Client
    covers: list[str]
    stored: dict[str, tuple[Picture, Json]] = field(default_factory=dict)
    perhaps: list[Picture] = field(default_factory=list)
    avatars: dict[int, Register[str]] = field(default_factory=dict)  # the address, by user
    changing: set[int] = field(default_factory=set)  # users who change their avatar now
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(0))
    store: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=10))

    def new(self, category: str) -> Picture:
        """Draw a picture of a size that no other has."""
        number = next(self.numbers)
        span = MOST - LEAST
        size = (LEAST + number % span, LEAST + (number * 7 + number // span) % span)
        colours = [tuple(self.chance.randbytes(3)) for _ in range(6)]
        small = Image.new("RGB", (3, 2))
        small.putdata(colours)
        out = io.BytesIO()
        small.resize(size, Image.Resampling.NEAREST).save(out, "PNG")
        return Picture(size, out.getvalue(), category)

    def take(self, answer: Answer, picture: Picture, status: int, *, unsure: bool) -> str | None:
        """Note the answer to an upload, and return the key of the image."""
        if answer.status == status:
            told = answer.json()
            if (told["width"], told["height"]) != picture.size:
                self.log.wrong(
                    answer, f"a picture of {picture.size} pixels is {told['width']} × {told['height']}"
                )
            self.stored[told["object_key"]] = picture, told
            return str(told["object_key"])
        if not answer.is_refusal:
            self.log.wrong(answer, f"an upload: {answer.body[:200]!r}")
        if unsure:
            self.perhaps.append(picture)
        return None

    async def upload(self, session: Session) -> None:
        """Upload a picture of designs through the server."""
        picture = await asyncio.to_thread(self.new, "designs")
        key = await self.sent(session, picture)
        if key:
            self.covers.append(key)

    async def sent(self, session: Session, picture: Picture) -> str | None:
        """Upload a picture, by a key with which it is stored once however often it is sent."""
        body = form(picture)
        headers = f"Idempotency-Key: {uuid.uuid4().hex}\r\n{FORM}Content-Length: {len(body)}\r\n"
        answer, unsure = await session.call("upload", "POST", "/api/upload/image", headers=headers, body=body)
        return self.take(answer, picture, 201, unsure=unsure)

    async def presign(self, session: Session) -> None:
        """Upload a picture of designs straight to the store, and complete it."""
        picture = await asyncio.to_thread(self.new, "designs")
        query: dict[str, str | int] = {
            "content_type": "image/png", "size": len(picture.content), "category": "designs",
        }  # fmt: skip
        answer, _ = await session.call("presign", "GET", "/api/upload/presigned-url", query=query)
        if answer.status != 200:
            if not answer.is_refusal:
                self.log.wrong(answer, f"no address for an upload: {answer.body[:200]!r}")
            return
        told = answer.json()
        if not await self.until_stored(lambda: self.put(told, picture.content)):
            return
        answer, unsure = await session.call(
            "complete", "POST", "/api/upload/complete", {"object_key": told["object_key"]}
        )
        if answer.status == 200 and answer.json()["object_key"] != told["object_key"]:
            self.log.wrong(answer, f"the key {told['object_key']} was promised")
        key = self.take(answer, picture, 200, unsure=unsure)
        if key:
            self.covers.append(key)

    async def put(self, told: Json, content: bytes) -> int:
        """Send the bytes to the store; return its status, 0 if it gave none."""

        def send() -> int:
            try:
                answer = self.store.request("PUT", told["upload_url"], body=content, headers=told["headers"])
            except urllib3.exceptions.HTTPError:
                return 0
            return answer.status

        return await asyncio.to_thread(send)

    async def until_stored(self, put: Callable[[], Awaitable[int]]) -> bool:
        """Send until the store has the bytes (200, or 412 where an earlier answer was lost)."""
        until = self.log.now() + PATIENT
        while (status := await put()) not in (200, 412):
            if self.log.now() > until or status == 403:
                self.log.violations.append(
                    f"{self.log.now():7.1f} s  the store answers {status} to a signed PUT"
                )
                return False
            await asyncio.sleep(2)
        return True

    async def avatar(self, reader: Reader) -> None:
        """Give a reader another avatar."""
        if reader.user in self.changing:
            return
        self.changing.add(reader.user)
        try:
            session = Session(self.client, reader.name, "", reader.token)
            picture = await asyncio.to_thread(self.new, "avatars")
            key = await self.sent(session, picture)
            if key:
                await self.wear(session, reader, self.stored[key][1])
        finally:
            self.changing.discard(reader.user)

    async def wear(self, session: Session, reader: Reader, image: Json) -> None:
        register = self.avatars.setdefault(reader.user, Register(""))
        step = register.begin(image["url"], self.log.now())
        answer, unsure = await session.call(
            "avatar", "PUT", "/api/auth/me", {"avatar_object_key": image["object_key"]}
        )
        if answer.status == 200:
            if answer.json()["avatar_url"] != image["url"]:
                self.log.wrong(answer, f"the avatar is {answer.json()['avatar_url']}")
            register.confirm(step, answer.ended)
        elif not answer.is_refusal:
            self.log.wrong(answer, f"an avatar: {answer.body[:200]!r}")
        if answer.is_refusal and not unsure:
            register.refute(step)


def form(picture: Picture) -> bytes:
    """Return the body of a multipart form with the picture."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="category"\r\n\r\n{picture.category}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return head.encode() + picture.content + f"\r\n--{BOUNDARY}--\r\n".encode()
