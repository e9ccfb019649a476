"""The gallery's original design: FastAPI reads the user, the count and the page from D1's REST API at each request.

benchmarks/bench.py compares the project with it on the same tables. It is written like such services are: async, one
shared httpx client with kept connections, answers validated by Pydantic. It uses the gallery's environment.
"""

import asyncio
import hashlib
import json
import math
import os
import time
from binascii import hexlify
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import bcrypt
import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

ACCOUNT, DATABASE = os.environ["CLOUDFLARE_ACCOUNT_ID"], os.environ["CLOUDFLARE_D1_DATABASE_ID"]
BASE_URL = os.environ.get("CLOUDFLARE_D1_BASE_URL", "https://api.cloudflare.com/client/v4")
URL = f"{BASE_URL}/accounts/{ACCOUNT}/d1/database/{DATABASE}/query"
SECRET, TOKEN = os.environ["JWT_SECRET"], os.environ["CLOUDFLARE_API_TOKEN"]
MEDIA = "https://images.example/"
FACETS = ("category", "style", "colour", "fabric", "occasion", "season", "designer_name", "collection_name")

Row = dict[str, Any]
client: httpx.AsyncClient


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    global client
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield


app = FastAPI(lifespan=lifespan)


async def ask(sql: str, *params: str | int) -> list[Row]:
    """Run one statement with one call of the API, and return its rows."""
    response = await client.post(URL, json={"sql": sql, "params": params})
    if response.status_code != 200:
        raise HTTPException(503, "The database is out of reach.")
    rows: list[Row] = response.json()["result"][0]["results"]
    return rows


class ImageOut(BaseModel):
    width: int
    height: int
    dominant_colour: str
    thumbhash: str
    renditions: list[Row]


class DesignOut(BaseModel):
    id: int
    title: str
    description: str
    image_url: str
    r2_object_key: str
    category: str
    style: str
    colour: str
    fabric: str
    occasion: str
    featured: bool
    status: str
    view_count: int
    like_count: int
    designer_name: str
    collection_name: str
    season: str
    created_at: str
    updated_at: str
    is_favorite: bool
    image: ImageOut


class PageOut(BaseModel):
    items: list[DesignOut]
    total: int
    page: int
    per_page: int
    pages: int


class Credentials(BaseModel):
    username: str
    password: str


async def current_user(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Row:
    try:
        claims = jwt.decode(sent.credentials, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "The token is not valid.") from None
    found = await ask("SELECT * FROM users WHERE id = ?", claims["user_id"])
    if not found or not found[0]["is_approved"]:
        raise HTTPException(401, "There is no such user.")
    return found[0]


User = Annotated[Row, Depends(current_user)]
COLUMNS = (
    "d.*, i.width, i.height, i.dominant_colour, i.thumbhash, i.renditions, EXISTS (SELECT 1 FROM user_favorites f "
    "WHERE f.user_id = ? AND f.design_id = d.id) AS is_favorite"
)
TABLES = "designs d JOIN images i ON i.object_key = d.r2_object_key"


def design_out(row: Row) -> Row:
    image = {name: row[name] for name in ("width", "height", "dominant_colour", "thumbhash")}
    renditions = [{**one, "url": MEDIA + one.pop("key")} for one in json.loads(row["renditions"])]
    image, url = {**image, "renditions": renditions}, MEDIA + row["r2_object_key"]
    cover = {"object_key": row["r2_object_key"], "url": url, "alt": row["image_alt"], **image}
    return {**row, "image_url": url, "image": image, "images": [cover]}


async def page_of(
    user: Row, tables: str, where: str, params: list[str | int], order: str, page: int, per_page: int
) -> Row:
    counted = await ask(f"SELECT count(*) AS total FROM {tables} WHERE {where}", *params)
    total = counted[0]["total"]
    rows = await ask(
        f"SELECT {COLUMNS} FROM {tables} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        *(user["id"], *params, per_page, (page - 1) * per_page),
    )
    return {
        "items": [design_out(row) for row in rows],
        "total": total,
        "page": page,
        "per_page": per_page,
        "pages": math.ceil(total / per_page),
    }


def conditions(filters: dict[str, str | None], search: str | None) -> tuple[str, list[str | int]]:
    where = ["d.status = 'published'"]
    params: list[str | int] = []
    for name, value in filters.items():
        if value:
            where.append(f"d.{name} = ?")
            params.append(value)
    if search:
        where.append("(d.title LIKE ? OR d.description LIKE ?)")
        params += [f"%{search}%"] * 2
    return " AND ".join(where), params


Page = Annotated[int, Query(ge=1)]
PerPage = Annotated[int, Query(ge=1, le=100)]


@app.get("/api/designs")
async def designs(
    user: User,
    page: Page = 1,
    per_page: PerPage = 20,
    category: str | None = None,
    colour: str | None = None,
    fabric: str | None = None,
    search: str | None = None,
) -> PageOut:
    where, params = conditions({"category": category, "colour": colour, "fabric": fabric}, search)
    return PageOut(
        **await page_of(user, TABLES, where, params, "d.created_at DESC, d.id DESC", page, per_page)
    )


@app.get("/api/designs/facets")
async def facets(user: User, category: str | None = None, colour: str | None = None) -> Row:
    filters = {"category": category, "colour": colour}

    async def counts(name: str) -> list[Row]:
        where, params = conditions({**filters, name: None}, None)
        return await ask(
            f"SELECT {name} AS value, count(*) AS count FROM designs d WHERE {where} AND {name} <> '' "
            f"GROUP BY {name} ORDER BY 2 DESC, 1",
            *params,
        )

    where, params = conditions(filters, None)
    total = await ask(f"SELECT count(*) AS total FROM designs d WHERE {where}", *params)
    found = await asyncio.gather(*(counts(name) for name in FACETS))
    return {"total": total[0]["total"], "facets": dict(zip(FACETS, found, strict=True))}


@app.get("/api/designs/featured")
async def featured(user: User, page: Page = 1, per_page: PerPage = 20) -> PageOut:
    where = "d.status = 'published' AND d.featured = 1"
    return PageOut(**await page_of(user, TABLES, where, [], "d.created_at DESC, d.id DESC", page, per_page))


@app.get("/api/designs/user/favorites")
async def favourites(user: User, page: Page = 1, per_page: PerPage = 20) -> PageOut:
    tables = f"{TABLES} JOIN user_favorites u ON u.design_id = d.id"
    where = "d.status = 'published' AND u.user_id = ?"
    return PageOut(
        **await page_of(user, tables, where, [user["id"]], "u.created_at DESC, u.id DESC", page, per_page)
    )


@app.get("/api/designs/{design_id}")
async def design(user: User, design_id: int) -> DesignOut:
    found = await ask(f"SELECT {COLUMNS} FROM {TABLES} WHERE d.id = ?", user["id"], design_id)
    if not found:
        raise HTTPException(404, "There is no such design.")
    await ask("UPDATE designs SET view_count = view_count + 1 WHERE id = ?", design_id)
    return DesignOut(**design_out(found[0]))


@app.post("/api/designs/{design_id}/favorite")
async def favourite(user: User, design_id: int) -> Row:
    if not await ask("SELECT id FROM designs WHERE id = ?", design_id):
        raise HTTPException(404, "There is no such design.")
    await ask(
        "INSERT OR IGNORE INTO user_favorites (user_id, design_id, created_at) VALUES (?, ?, ?)",
        *(user["id"], design_id, str(datetime.now(UTC).replace(tzinfo=None))),
    )
    counted = await ask("SELECT count(*) AS total FROM user_favorites WHERE design_id = ?", design_id)
    return {"success": True, "is_favorite": True, "like_count": counted[0]["total"]}


@app.post("/api/auth/login")
async def login(sent: Credentials) -> Row:
    found = await ask("SELECT * FROM users WHERE username = ?", sent.username)
    if not found or not await run_in_threadpool(holds, sent.password, found[0]["password_hash"]):
        raise HTTPException(401, "The username or the password is wrong.")
    expires = datetime.now(UTC) + timedelta(minutes=30)
    claims = {"user_id": found[0]["id"], "exp": expires, "iat": int(time.time())}
    return {"access_token": jwt.encode(claims, SECRET, "HS256"), "token_type": "bearer"}


def holds(password: str, stored: str) -> bool:
    """Return whether a hash of Django's BCryptSHA256PasswordHasher belongs to the password."""
    digest = hexlify(hashlib.sha256(password.encode()).digest())
    return bcrypt.checkpw(digest, stored.removeprefix("bcrypt_sha256$").encode())
