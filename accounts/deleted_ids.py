"""The ids of users who deleted their account, kept outside the database: an object for each, without their name.

A backup or a restored database still has these users. The objects lie in the storage `deletions`: the private bucket,
or a folder of DATA where there is none.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils.dateparse import parse_datetime

from core.errors import Unavailable

ALIAS, FOLDER = "deletions", "deleted-users"


def add(user_id: int, deleted_at: datetime) -> None:
    """Keep the id of a user who left at that moment. Raises Unavailable."""
    with storage_errors():
        record = json.dumps({"deleted_at": deleted_at.isoformat()})
        storages[ALIAS].save(name_of(user_id), ContentFile(record.encode()))


def all_ids() -> set[int]:
    """Return the ids that are kept. Raises Unavailable."""
    with storage_errors():
        try:
            _, names = storages[ALIAS].listdir(FOLDER)
        except FileNotFoundError:
            return set()
    return {int(name) for name in names if name.isascii() and name.isdecimal()}


def deleted_at(user_id: int) -> datetime:
    """Return the moment at which the user of a kept id left. Raises Unavailable."""
    with storage_errors(), storages[ALIAS].open(name_of(user_id)) as file:
        moment = parse_datetime(json.loads(file.read())["deleted_at"])
    if moment is None:
        raise ValueError(f"{name_of(user_id)} in the storage of deletions has no moment.")
    return moment


def name_of(user_id: int) -> str:
    return f"{FOLDER}/{user_id}"


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise Unavailable for each failure, without the name of a host or a key."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BotoCoreError, ClientError, OSError) as error:
        raise Unavailable("The ids of deleted accounts are out of reach. Please try again.") from error
