"""The caches: files by default, Redis if several hosts share one. No count is ever lost."""

import logging
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.core.files import locks
from redis.exceptions import RedisError

from core.json_types import Json
from core.metrics.requests import REDIS_FAILURES
from d1backend.waiting import about_to_wait

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
HOST = "host"  # the alias of the cache in files, which every host has
PAUSE = 5.0  # seconds between two attempts to reach a Redis that is away


def one_at_a_time(
    operation: Callable[Concatenate[FileBasedCache, P], R],
) -> Callable[Concatenate["FolderCache", P], R]:
    """Return the operation with a lock that holds between the processes of this host."""

    def method(self: "FolderCache", *args: P.args, **kwargs: P.kwargs) -> R:
        self.lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.lock_path.open("w") as file:
            locks.lock(file, locks.LOCK_EX)  # closing the file unlocks it
            return operation(self, *args, **kwargs)

    return method


class FolderCache(FileBasedCache):
    """Django's file cache, whose `add` and `incr` wait for those of other processes.

    Django's own read and write in two steps, which would lose some of many counts at once.
    """

    def __init__(self, folder: str, params: dict[str, Json]) -> None:
        super().__init__(folder, params)
        self.lock_path = Path(folder).resolve() / "counters.lock"

    add = one_at_a_time(FileBasedCache.add)
    incr = one_at_a_time(FileBasedCache.incr)


def remove_expired(*, dry_run: bool = False) -> int:
    """Remove what has expired from the files of this host; return how much that is.

    Django removes an entry when it is read again, or some by chance once there are too many.
    """
    count = 0
    for cache in {id(one): one for one in caches.all(initialized_only=False)}.values():
        if isinstance(cache, FolderCache):
            for name in cache._list_cache_files():  # type: ignore[attr-defined]
                count += is_expired(Path(name), removes=not dry_run)
    return count


def is_expired(path: Path, *, removes: bool) -> bool:
    """Return whether a file of a cache holds an entry that has expired, and remove it then, if asked to."""
    try:
        with path.open("rb") as file:
            expires = pickle.load(file)  # noqa: S301  our own file, which begins so; Django reads it likewise
    except (OSError, EOFError, pickle.UnpicklingError):
        return False
    if expires is None or expires >= time.time():
        return False
    if removes:
        path.unlink(missing_ok=True)
    return True


def steady(
    operation: Callable[Concatenate[RedisCache, P], R],
) -> Callable[Concatenate["SteadyRedisCache", P], R]:
    """Return the operation of Redis, which the host's own files replace while Redis is away."""
    name = operation.__name__

    def method(self: "SteadyRedisCache", *args: P.args, **kwargs: P.kwargs) -> R:
        if not SteadyRedisCache.is_away():
            about_to_wait()
            try:
                result: R = getattr(RedisCache, name)(self, *args, **kwargs)
                return result
            except RedisError as error:
                SteadyRedisCache.note_away(error)
        fallback: R = getattr(caches[HOST], name)(*args, **kwargs)
        return fallback

    return method


class SteadyRedisCache(RedisCache):
    """Redis, replaced by this host's own files while it is away.

    Known dead tokens are noted here; core/limits counts in the same Redis, and does without it in the same way.
    """

    away_until = 0.0  # time.monotonic() until which no thread of this process asks Redis

    @classmethod
    def is_away(cls) -> bool:
        return time.monotonic() < cls.away_until

    @classmethod
    def note_away(cls, error: RedisError) -> None:
        """Ask Redis no more for a while."""
        cls.away_until = time.monotonic() + PAUSE
        REDIS_FAILURES.inc()
        logger.warning("Redis is away, this host counts by itself: %s", type(error).__name__)

    add = steady(RedisCache.add)
    get = steady(RedisCache.get)
    set = steady(RedisCache.set)
    touch = steady(RedisCache.touch)
    delete = steady(RedisCache.delete)
    get_many = steady(RedisCache.get_many)
    set_many = steady(RedisCache.set_many)
    delete_many = steady(RedisCache.delete_many)
    has_key = steady(RedisCache.has_key)
    incr = steady(RedisCache.incr)
    clear = steady(RedisCache.clear)
