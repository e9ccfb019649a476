"""Judges what reads answer, by what was acknowledged before they were sent."""

from dataclasses import dataclass
from typing import Any

from benchmarks.soak.client import Answer, Log
from benchmarks.soak.model import FIELDS, Model, fingerprint, is_published, values_of

Json = dict[str, Any]


@dataclass
class Judge:
    """Notes in `log` what answers say that `model` does not allow."""

    model: Model
    log: Log

    def read(self, answer: Answer, user: int, of: Answer | None = None) -> Json | None:
        """Judge a read that must be a 200; return its content. `of` is the answer whose body a 304 confirms."""
        if answer.is_refusal or answer.status >= 500:
            return None
        if answer.status not in (200, 304):
            self.log.wrong(answer, f"a read is a {answer.status}: {answer.body[:200]!r}")
            return None
        if answer.status == 304 and (of is None or answer.body):
            self.log.wrong(answer, "a 304 that was not asked for, or with a body")
            return None
        try:
            content = (of if answer.status == 304 and of else answer).json()
        except ValueError:
            self.log.wrong(answer, f"no JSON: {answer.body[-100:]!r}")
            return None
        for item in content.get("items", ()) if isinstance(content.get("items"), list) else ():
            if "like_count" in item:
                self.design(answer, item, user)
        return content

    def design(self, answer: Answer, item: Json, user: int) -> None:
        """Judge a design as a reader sees it."""
        number, window = item["id"], (answer.begun, answer.ended)
        if number in self.model.designs:
            seen = self.model.designs[number].possible(*window)
            able = [one for one in seen if one is not None and is_published(one)]
            if not any(values_of(item) == values_of(one) for one in able):
                self.log.wrong(answer, f"design {number} is {told(item, able)}")
        elif number not in self.model.fixed and item["title"] in self.model.coming:
            return
        elif number not in self.model.fixed:
            self.log.wrong(answer, f"design {number} was never acknowledged: {item['title']!r}")
            return
        elif self.model.fixed[number] != fingerprint(item):
            self.log.wrong(answer, f"design {number}, which nobody changes, has changed: {item['title']!r}")
        if number in self.model.likes:
            least, most = self.model.likes[number].bounds(*window)
            if not least <= item["like_count"] <= most:
                self.log.wrong(
                    answer, f"design {number} has {item['like_count']} likes, not {least} to {most}"
                )
        if item["is_favorite"] not in self.model.may_be_favourite(user, number, *window):
            self.log.wrong(answer, f"is_favorite of design {number} is {item['is_favorite']} for user {user}")

    def gone(self, answer: Answer, number: int) -> None:
        """Judge the 404 of a design."""
        if number in self.model.fixed:
            self.log.wrong(answer, f"design {number}, which nobody changes, is not there")
            return
        if self.is_shown(number, answer.begun, answer.ended):
            self.log.wrong(answer, f"design {number} is not there")

    def is_shown(self, number: int, begin: float, end: float) -> bool:
        """Whether people certainly see the design."""
        if number not in self.model.designs:
            return True
        seen = self.model.designs[number].possible(begin, end)
        return all(one is not None and is_published(one) for one in seen)

    def page(self, answer: Answer, content: Json, before: int, **equal: str) -> None:
        """Judge a numbered page of published designs, of which there were so many `before` with these values."""
        least, most = self.model.published(answer.begun, answer.ended, **equal)
        if not before + least <= content["total"] <= before + most:
            self.log.wrong(answer, f"total is {content['total']}, not {before + least} to {before + most}")
        if content["pages"] != -(-content["total"] // content["per_page"]):
            self.log.wrong(answer, f"{content['pages']} pages for {content['total']} designs")
        ids = [item["id"] for item in content["items"]]
        if len(ids) != len(set(ids)):
            self.log.wrong(answer, f"a design is on the page twice: {ids}")
        for name, value in equal.items():
            others = [item["id"] for item in content["items"] if item[name].lower() != value.lower()]
            if others:
                self.log.wrong(answer, f"designs {others} have another {name} than {value!r}")

    def newest(self, answer: Answer, content: Json) -> None:
        """Judge that the first page of the newest designs has all that belong there, in their order."""
        items = content["items"]
        places = [(item["created_at"], item["id"]) for item in items]
        if places != sorted(places, reverse=True):
            self.log.wrong(answer, "the newest designs are not in their order")
        shown = {item["id"] for item in items}
        for number, register in self.model.designs.items():
            seen = register.possible(answer.begun, answer.ended)
            if (
                number not in shown
                and self.is_shown(number, answer.begun, answer.ended)
                and any(
                    one is not None and places and (one["created_at"], number) > places[-1] for one in seen
                )
            ):
                self.log.wrong(answer, f"design {number}, which was acknowledged, is missing")

    def facets(self, answer: Answer, content: Json, before: int) -> None:
        """Judge the counts of all published designs."""
        least, most = self.model.published(answer.begun, answer.ended)
        if not before + least <= content["total"] <= before + most:
            self.log.wrong(
                answer, f"facets count {content['total']}, not {before + least} to {before + most}"
            )
        categories = sum(one["count"] for one in content["facets"]["category"])
        if categories != content["total"]:
            self.log.wrong(answer, f"categories count {categories} of {content['total']}")

    def found(self, answer: Answer, content: Json, number: int, word: str) -> None:
        """Judge the search for a word that only this design has, or had."""
        seen = self.model.designs[number].possible(answer.begun, answer.ended)
        has = [one is not None and is_published(one) and word in one["title"].split() for one in seen]
        ids = [item["id"] for item in content["items"]]
        if (ids and ids != [number]) or (ids and not any(has)) or (not ids and all(has)):
            self.log.wrong(answer, f"the search for {word!r} finds {ids}, and design {number} has it: {has}")

    def favourites(self, answer: Answer, content: Json, user: int) -> None:
        """Judge the first page of a user's favourites."""
        window = (answer.begun, answer.ended)
        shown = {item["id"] for item in content["items"]}
        touched = {
            number: one.by_user[user] for number, one in self.model.likes.items() if user in one.by_user
        }
        fixed = self.model.favourites.get(user, set()) - set(touched)
        sure = {
            number
            for number, register in touched.items()
            if all(register.possible(*window)) and self.is_shown(number, *window)
        }
        perhaps = {number for number, register in touched.items() if any(register.possible(*window))}
        if not len(fixed) + len(sure) <= content["total"] <= len(fixed) + len(perhaps):
            self.log.wrong(
                answer,
                f"user {user} has {content['total']} favourites, not {len(fixed) + len(sure)} "
                f"to {len(fixed) + len(perhaps)}",
            )
        if strange := shown - fixed - perhaps:
            self.log.wrong(answer, f"user {user} never liked {sorted(strange)}")
        if content["pages"] <= 1 and (lost := (fixed | sure) - shown):
            self.log.wrong(answer, f"user {user} has lost the favourites {sorted(lost)}")


def told(item: Json, able: list[Json]) -> str:
    """Return how a design differs from what it may be."""
    if not able:
        return f"shown, and is not published: version {item['version']}"
    last = able[0]
    names = [name for name in FIELDS if item[name] != last[name]]
    return (
        ", ".join(f"{name} {item[name]!r} in place of {last[name]!r}" for name in names)
        or "with other pictures"
    )
