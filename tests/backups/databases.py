"""New, empty databases on the engine under test and on SQLite, for restores."""

import uuid
from contextlib import closing, contextmanager

from django.db import connections

from d1backend.creation import id_of
from d1backend.options import settings_of
from d1backend.protocol.api import Api
from operations.backups import schema
from operations.backups.databases import database_of


def is_on_d1():
    return connections.settings["default"]["ENGINE"] == "d1backend"


def sqlite_entry(path):
    return {
        **connections.settings["default"],
        "ENGINE": "core.sqlite",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF;"},
    }


@contextmanager
def new_database(alias, path, *, on_d1=None):
    """A database with that alias, on the engine under test unless `on_d1` says where; deleted at the end."""
    default = connections.settings["default"]
    api = identifier = None
    if is_on_d1() if on_d1 is None else on_d1:
        api = Api(settings_of("default", default))
        identifier = api.create(f"restored-{uuid.uuid4().hex}")
        entry = {**default, "NAME": identifier}
    else:
        entry = sqlite_entry(path)
    connections.settings[alias] = entry
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]
        if api is not None:
            api.delete(identifier)
            api.close()


def contents_of(alias, *, but=("catalogue_version",)):
    """All rows of the tables of this version, by table; the versions of a catalogue are never equal."""
    with closing(database_of(alias, print)) as database:
        found = schema.parse(database.ask(schema.questions()))
        return {
            name: [tuple(map(typed, row)) for page in database.pages(table) for row in page]
            for name, table in found.tables.items()
            if name not in but
        }


def typed(value):
    return type(value).__name__, repr(value)


def count(alias, table):
    with closing(database_of(alias, print)) as database:
        return database.ask([f"SELECT count(*) FROM {table}"])[0][0][0]


def database_id():
    """The id of the test's database on D1."""
    default = connections.settings["default"]
    return id_of(settings_of("default", default), default["NAME"])
