"""Compares what is there at the end with what was acknowledged; each function returns what is wrong."""

import io
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PIL import Image, ImageChops, ImageStat

from benchmarks.soak.model import Json, Model, values_of
from benchmarks.soak.pictures import Picture

CLOSE = 12.0  # mean difference of a channel between a picture and its rendition, of 255
Stored = Mapping[str, tuple[Picture, Json]]  # by key


def designs(model: Model, items: list[Json], now: float) -> list[str]:
    """Compare all designs of the soak, in the trash too, as staff see them."""
    found = [
        f"{title!r} is there {count} times"
        for title, count in Counter(item["title"] for item in items).items()
        if count > 1
    ]
    there = {item["id"]: item for item in items}
    for number, register in model.designs.items():
        item = there.pop(number, None)
        if item is None:
            found.append(f"design {number}, which was acknowledged, is lost")
            continue
        able = [one for one in register.possible(now, now) if one is not None]
        if not any(values_of(item) == values_of(one) for one in able):
            found.append(
                f"design {number} is {values_of(item)}, and was acknowledged as {values_of(able[0])}"
            )
        least, most = model.likes[number].bounds(now, now)
        if not least <= item["like_count"] <= most:
            found.append(f"design {number} has {item['like_count']} likes, not {least} to {most}")
    for item in there.values():
        if item["title"] not in model.coming:
            found.append(f"design {item['id']}, {item['title']!r}, was never acknowledged, or refused")
    return found


def versions(item: Json, lines: list[Json]) -> list[str]:
    """Compare the version of a design with its history, which has one line for each."""
    numbers = [line["version"] for line in lines]
    if numbers == list(range(item["version"], 0, -1)):
        return []
    return [f"design {item['id']} of version {item['version']} has the versions {numbers}"]


def people(states: Mapping[str, set[str]], items: list[Json]) -> list[str]:
    """Compare the newcomers with the states that each may have; "" is one who may not be there."""
    there = Counter(item["username"] for item in items)
    now = {item["username"]: item["state"] for item in items}
    found = [
        f"{name} is there {there[name]} times, {now.get(name, 'lost')}, not {sorted(able)}"
        for name, able in states.items()
        if now.get(name, "") not in able or there[name] > 1
    ]
    return [*found, *(f"nobody registered {name}" for name in there if name not in states)]


def images(stored: Stored, items: list[Json]) -> list[str]:
    """Compare the listed images with those acknowledged. A picture of the soak is known by its size."""
    keys = Counter(item["object_key"] for item in items)
    found = [f"the image {key} is listed {keys[key]} times" for key in stored if keys[key] != 1]
    sizes = {picture.size: key for key, (picture, _) in stored.items()}
    for item in items:
        key = sizes.get((item["width"], item["height"]))
        if key and item["object_key"] != key:
            found.append(f"the image {key} is there again as {item['object_key']}")
    return found


def bytes_of(fetch: Callable[[str], tuple[int, bytes]], picture: Picture, told: Json) -> list[str]:
    """Compare the stored bytes of a picture and of its renditions with what was sent."""
    sent = Image.open(io.BytesIO(picture.content)).convert("RGB")
    whole = {"url": told["url"], "width": picture.size[0], "height": picture.size[1]}
    found = []
    for place in (whole, *told["renditions"]):
        status, content = fetch(place["url"])
        if status != 200:
            found.append(f"{place['url']} is a {status}")
            continue
        image = Image.open(io.BytesIO(content)).convert("RGB")
        if image.size != (place["width"], place["height"]):
            found.append(f"{place['url']} has {image.size} pixels")
            continue
        difference = ImageStat.Stat(ImageChops.difference(image, sent.resize(image.size))).mean
        if max(difference) > (0 if place is whole else CLOSE):
            found.append(f"{place['url']} is another picture")
    return found


def counters(
    model: Model, states: Mapping[str, set[str]], before: Json, after: Json, now: float
) -> list[str]:
    """Compare how the analytics have grown with what was acknowledged."""
    grown: dict[tuple[str, str], tuple[int, int]] = {
        ("designs", name): model.counted(now, now, partial(has_status, name))
        for name in ("published", "draft", "deleted")
    }
    for name in ("approved", "pending", "rejected"):
        able = [one for one in states.values() if name in one]
        grown["users", name] = sum(one == {name} for one in able), len(able)
    grown["engagement", "favorites"] = model.new_likes(now)
    found = []
    for (part, name), (least, most) in grown.items():
        more = after[part][name] - before[part][name]
        if not least <= more <= most:
            found.append(f"analytics count {more} more of {part}, {name}, not {least} to {most}")
    return found


def likes_on_d1(model: Model, rows: set[tuple[int, int]], now: float) -> list[str]:
    """Compare D1's favourites (user, design) with what each like and unlike was acknowledged as."""
    return [
        f"user {user} {'likes' if (user, number) in rows else 'does not like'} design {number}, on D1; was told "
        f"{[(step.value, round(step.sent, 2), round(step.sure, 2)) for step in register.steps]}"
        for number, likes in model.likes.items()
        for user, register in likes.by_user.items()
        if ((user, number) in rows) not in register.possible(now, now)
    ]


def has_status(status: str, design: Json) -> bool:
    return bool(design["status"] == status)


def on_d1(model: Model, rows: list[tuple[Any, ...]], miscounted: object, now: float) -> list[str]:
    """Compare D1's rows (id, title, status, version) with the model; `miscounted` designs have wrong likes."""
    there = {row[0]: tuple(row[:4]) for row in rows}
    found = (
        [] if miscounted == 0 else [f"like_count of {miscounted} designs is not their number of favourites"]
    )
    for number, register in model.designs.items():
        able = [one for one in register.possible(now, now) if one is not None]
        told = [(number, one["title"], one["status"], one["version"]) for one in able]
        if there.get(number) not in told:
            found.append(f"D1 has {there.get(number)} in place of {told}")
    return found
