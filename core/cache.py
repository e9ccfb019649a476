"""The caches: files on the embedded default, Redis where several hosts share one; counters lose no count."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.core.files import locks
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

HOST = "host"  # the alias of the cache in files that is there on every host
PAUSE = 5.0  # seconds between two tries to reach a Redis that is away


class FolderCache(FileBasedCache):
    """Django's cache of files; `add` and `incr` of several processes wait for one another.

    Django's own read and write in two steps, so that of many counts at once some would be lost.
    """

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(folder, params)
        self.lock_path = Path(folder).resolve() / "counters.lock"

    def add(self, *args: Any, **kwargs: Any) -> bool:
        with self._alone():
            return super().add(*args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> int:
        with self._alone():
            return super().incr(*args, **kwargs)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.lock_path.open("w") as file:
            locks.lock(file, locks.LOCK_EX)  # closing the file unlocks it
            yield


def steady(name: str) -> Callable[..., Any]:
    """A cache's method of this name, answered by the host's own files while Redis is out of reach."""

    def method(self: "SteadyRedisCache", *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= SteadyRedisCache.away_until:
            try:
                return getattr(RedisCache, name)(self, *args, **kwargs)
            except RedisError as error:
                SteadyRedisCache.away_until = time.monotonic() + PAUSE
                logger.warning("Redis is out of reach, this host counts by itself: %s", type(error).__name__)
        return getattr(caches[HOST], name)(*args, **kwargs)

    return method


class SteadyRedisCache(RedisCache):
    """Redis, and this host's own files while it is out of reach.

    Signing in counts its failures here: it neither ends with Redis nor goes uncounted meanwhile.
    """

    away_until = 0.0  # of time.monotonic(), for all threads of the process

    add = steady("add")
    get = steady("get")
    set = steady("set")
    touch = steady("touch")
    delete = steady("delete")
    get_many = steady("get_many")
    set_many = steady("set_many")
    delete_many = steady("delete_many")
    has_key = steady("has_key")
    incr = steady("incr")
    clear = steady("clear")
