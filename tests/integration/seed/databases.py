"""The seed's database, made by the SQL that the service before this one made it by: in a file, or on D1."""

import io
import json
import sqlite3
import uuid
from contextlib import closing

import bcrypt
from django.core.management import call_command
from django.db import connection

from d1backend.options import settings_of
from d1backend.protocol.api import Api
from tests.api.client import ApiClient
from tests.pictures import saved, textile

SCHEMA = [
    """
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL,
        password_hash TEXT NOT NULL, is_admin BOOLEAN DEFAULT FALSE, is_approved BOOLEAN DEFAULT FALSE,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
    """,
    """
    CREATE TABLE designs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, description TEXT,
        r2_object_key TEXT NOT NULL, category TEXT NOT NULL, style TEXT, colour TEXT, fabric TEXT, occasion TEXT,
        featured BOOLEAN DEFAULT FALSE, status TEXT DEFAULT 'published', view_count INTEGER DEFAULT 0,
        like_count INTEGER DEFAULT 0, designer_name TEXT, collection_name TEXT, season TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
    """,
    """
    CREATE TABLE user_favorites (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL,
        design_id INTEGER NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
    """,
    """
    CREATE TABLE app_settings (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, value TEXT NOT NULL,
        description TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
    """,
]
COST = 4  # of bcrypt, so that tests are fast
PASSWORD = "six yards of silk"
PICTURE = saved(textile(340, 420))


def hashed(password=PASSWORD, cost=COST):
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode()


def key(number):
    return f"designs/2024/05/{1_715_000_000 + number}_6f9619ff-8b86-4d11-b42d-{number:012x}.jpg"


class Seed:
    """What both kinds share: rows by the names of their columns."""

    def add(self, table, **values):
        """One row."""
        columns = ", ".join(values)
        places = ", ".join(literal(value) for value in values.values())
        self.run(f"INSERT INTO {table} ({columns}) VALUES ({places})")

    def add_many(self, table, rows):
        columns = ", ".join(rows[0])
        lines = (f"({', '.join(map(literal, row.values()))})" for row in rows)
        self.run(f"INSERT INTO {table} ({columns}) VALUES {', '.join(lines)}")

    def user(self, username="asha", **more):
        values = {"password_hash": hashed(), "is_approved": 1, "created_at": "2024-05-01 10:20:30"}
        self.add("users", **{"username": username, **values, **more})

    def design(self, title="Banarasi silk saree", **more):
        values = {"r2_object_key": key(1), "category": "Saree", "created_at": "2024-06-01 08:00:00"}
        self.add("designs", **{"title": title, **values, **more})


class FileSeed(Seed):
    def __init__(self, path):
        self.path = path
        self.name = f"sqlite:///{path}"

    def run(self, *statements):
        with closing(sqlite3.connect(self.path)) as file, file:
            for statement in statements:
                file.execute(statement)

    def dump(self):
        with closing(sqlite3.connect(self.path)) as file:
            return list(file.iterdump())


class D1Seed(Seed):
    """A D1 database of its own, on the engine under test."""

    def __init__(self):
        self.api = Api(settings_of("default", connection.settings_dict))
        self.id = self.api.create(f"seed-{uuid.uuid4().hex}")
        self.name = f"d1:{self.id}"

    def run(self, *statements):
        self.api.batch(self.id, [(statement, []) for statement in statements], writes=True)

    def dump(self):
        tables = ("users", "designs", "user_favorites", "app_settings", "sqlite_sequence")
        return self.api.batch(self.id, [(f"SELECT * FROM {table}", []) for table in tables])

    def close(self):
        self.api.delete(self.id)
        self.api.close()


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return str(value) if isinstance(value, int | float) else "'{}'".format(value.replace("'", "''"))


def adopt(seed, **options):
    """What the command says."""
    out = io.StringIO()
    call_command("adopt_seed", source=seed.name, workers=1, stdout=out, stderr=out, **options)
    return out.getvalue()


def notes(seed, tmp_path, **options):
    """The notes of the command by table and id, and the counts of each table."""
    path = tmp_path / "report.json"
    adopt(seed, report=path, **options)
    found = json.loads(path.read_text())
    by_row = {(note["table"], note["id"]): (note["what"], note["why"]) for note in found["notes"]}
    return by_row, found


def sign_in(username, password=PASSWORD):
    return ApiClient().post("/api/auth/login", {"username": username, "password": password})
