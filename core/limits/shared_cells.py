"""Cells in Redis, which several hosts share. While it is away, this host's own file counts."""

from collections.abc import Sequence
from typing import cast

from django.core.cache import caches
from redis.commands.core import Script
from redis.exceptions import RedisError

from core.cache import SteadyRedisCache
from core.limits.cells import Cell, HostCells, Taken
from d1backend.waiting import about_to_wait

# Both read Redis' own clock, so the hosts' clocks do not matter. A key is gone when its moment has passed.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {1}
for i, key in ipairs(KEYS) do
  local step, most = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local ahead = math.max(tonumber(redis.call('GET', key) or 0) - now, 0)
  if ahead + step > step * most then answer[1] = 0 end
  answer[i + 1] = ahead
end
if answer[1] == 1 then
  for i, key in ipairs(KEYS) do
    local ahead = answer[i + 1] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
    answer[i + 1] = ahead
  end
end
return answer
"""
SHIFT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lies = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) - now, 0)
local ahead = math.max(lies + tonumber(ARGV[1]), tonumber(ARGV[2]), 0)
if ahead == 0 then redis.call('DEL', KEYS[1])
elseif ahead ~= lies then
  redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
end
return ahead
"""


class SharedCells:
    """The cells of all hosts, in the Redis of CACHE_URL."""

    def __init__(self, host: HostCells) -> None:
        self.host = host

    def take(self, cells: Sequence[Cell]) -> Taken:
        numbers = [number for cell in cells for number in (cell.step, cell.most)]
        answer = run(TAKE, cells, numbers)
        if answer is None:
            return self.host.take(cells)
        allowed, *ahead = cast("list[int]", answer)
        return Taken(bool(allowed), ahead)

    def shift(self, cell: Cell, by: int = 0, least: int = 0) -> int:
        answer = run(SHIFT, [cell], [by, least])
        return self.host.shift(cell, by, least) if answer is None else cast("int", answer)


def run(script: str, cells: Sequence[Cell], numbers: list[int]) -> list[int] | int | None:
    """Return what the script answers; None while Redis is away."""
    if SteadyRedisCache.is_away():
        return None
    about_to_wait()
    cache = caches["default"]
    try:
        client = cache._cache.get_client(None, write=True)  # type: ignore[attr-defined]
        keys = [cache.make_key(f"limit:{cell.key:x}") for cell in cells]
        answer: list[int] | int = Script(client, script)(keys, numbers)
        return answer
    except RedisError as error:
        SteadyRedisCache.note_away(error)
        return None
