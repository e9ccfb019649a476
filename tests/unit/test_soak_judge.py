"""The judge of `make soak` finds what is wrong, lost and doubled, and lets pass what may be."""

import io

import orjson
import pytest
from PIL import Image

from benchmarks.soak import compare
from benchmarks.soak.client import Answer, Log, fault_of
from benchmarks.soak.judge import Judge
from benchmarks.soak.model import FIELDS, Model, Register
from benchmarks.soak.pictures import Picture

USER = 7


def design(number=1, **fields):
    item = dict.fromkeys(FIELDS, "")
    item |= {"id": number, "title": f"Saree soak{number}", "category": "Soak 0", "status": "published"}
    item |= {"version": 1, "created_at": f"2026-11-29T00:00:0{number}Z", "featured": False}
    return {**item, "images": [], "like_count": 0, "view_count": 3, "is_favorite": False, **fields}


def answer(begun, ended, content=None, status=200, headers="Retry-After: 1"):
    body = orjson.dumps(content) if content is not None else b""
    head = f"HTTP/1.1 {status} X\r\n{headers}".encode()
    return Answer("list", "soak-1", begun, ended, status, head, body)


def page(*items, total=None):
    total = len(items) if total is None else total
    return {"items": list(items), "total": total, "page": 1, "per_page": 20, "pages": -(-total // 20)}


def refusal(code="unavailable", success=False):
    return {"success": success, "message": "Later.", "code": code}


@pytest.fixture
def judge():
    """A judge who knows design 9, which nobody changes, and design 1, created from 10 to 11 s."""
    model = Model()
    model.learn(design(9, category="Saree", created_at="2026-01-01T00:00:00Z"))
    step = model.expect({"title": "Saree soak1", "status": "published", "category": "Soak 0"}, 10.0)
    model.made(step, design(1), 11.0)
    return Judge(model, Log())


def change(judge, sent, **fields):
    register = judge.model.designs[1]
    after = {**register.value, **fields, "version": register.value["version"] + 1}
    return register, register.begin(after, sent)


# What reads answer


def test_what_was_acknowledged_passes(judge):
    read = answer(12, 13, page(design(1), design(9, category="Saree", created_at="2026-01-01T00:00:00Z")))
    content = judge.read(read, USER)
    judge.page(read, content, before=1)
    judge.newest(read, content)
    assert judge.log.violations == []


def test_the_value_before_a_write_is_wrong_only_after_it_was_acknowledged(judge):
    register, step = change(judge, 20.0, title="Saree new1")
    register.confirm(step, 21.0)
    for begun, ended in ((15, 19), (20.5, 25)):
        judge.design(answer(begun, ended), design(1), USER)
    assert judge.log.violations == []
    judge.design(answer(21.5, 22), design(1), USER)
    assert "title 'Saree soak1' in place of 'Saree new1'" in judge.log.violations[0]
    assert "soak-1" in judge.log.violations[0]


def test_a_write_shows_at_no_time_before_it_was_sent(judge):
    register, step = change(judge, 20.0, title="Saree new1")
    register.confirm(step, 21.0)
    judge.design(answer(15, 19), design(1, title="Saree new1", version=2), USER)
    assert len(judge.log.violations) == 1


def test_a_write_of_unknown_outcome_may_be_either_and_a_refused_one_not(judge):
    register, step = change(judge, 20.0, title="Saree new1")
    new = design(1, title="Saree new1", version=2)
    for item in (design(1), new):
        judge.design(answer(90, 91), item, USER)
    assert judge.log.violations == []
    register.refute(step)
    judge.design(answer(90, 91), new, USER)
    assert len(judge.log.violations) == 1


def test_a_lost_design_is_found_in_lists_and_by_its_number(judge):
    fixed = design(9, category="Saree", created_at="2026-01-01T00:00:00Z")
    read = answer(12, 13, page(fixed))
    judge.page(read, page(fixed), before=1)
    judge.newest(read, page(fixed))
    judge.gone(read, 1)
    judge.found(read, page(), 1, "soak1")
    assert len(judge.log.violations) == 4


def test_a_doubled_design_is_found(judge):
    read = answer(12, 13)
    judge.read(answer(12, 13, page(design(1), design(2, title="Saree soak1"))), USER)
    assert "never acknowledged" in judge.log.violations.pop()
    judge.page(read, page(design(1), design(1)), before=1)
    assert "twice" in judge.log.violations.pop()
    judge.page(read, page(design(1), total=3), before=1)
    assert "total is 3" in judge.log.violations.pop()


def test_a_design_whose_creation_is_not_acknowledged_yet_may_show(judge):
    step = judge.model.expect({"title": "Saree soak2", "status": "published", "category": "Soak 0"}, 20.0)
    for items in ([design(1)], [design(2), design(1)]):
        read = answer(20.1, 20.2, page(*items, total=len(items) + 1))
        judge.page(read, judge.read(read, USER), before=1)
    judge.model.made(step, design(2), 21.0)
    assert judge.log.violations == []
    judge.page(answer(22, 23), page(design(1), total=2), before=1)
    assert len(judge.log.violations) == 1


def test_likes_are_counted_exactly_and_a_lost_or_doubled_one_is_found(judge):
    register = judge.model.is_favourite(USER, 1)
    register.confirm(register.begin(True, 20.0), 21.0)
    liked = {"is_favorite": True}
    judge.design(answer(22, 23), design(1, like_count=1, **liked), USER)
    judge.design(answer(20.5, 23), design(1, like_count=0), USER)
    assert judge.log.violations == []
    for count in (0, 2):
        judge.design(answer(22, 23), design(1, like_count=count, **liked), USER)
    judge.design(answer(22, 23), design(1, like_count=1), USER)
    assert len(judge.log.violations) == 3


def test_a_lost_and_a_strange_favourite_are_found(judge):
    register = judge.model.is_favourite(USER, 1)
    register.confirm(register.begin(True, 20.0), 21.0)
    judge.favourites(answer(22, 23), page(design(1)), USER)
    assert judge.log.violations == []
    judge.favourites(answer(22, 23), page(), USER)
    judge.favourites(answer(22, 23), page(design(9), design(1)), USER)
    assert {"lost", "never liked"} <= {
        word for line in judge.log.violations for word in ("lost", "never liked") if word in line
    }


def test_a_design_that_nobody_changes_may_not_change(judge):
    judge.design(answer(1, 2), design(9, category="Saree"), USER)
    assert "nobody changes" in judge.log.violations[0]


def test_a_304_confirms_the_body_that_it_stands_for(judge):
    kept = answer(12, 13, design(1))
    register, step = change(judge, 20.0, title="Saree new1")
    register.confirm(step, 21.0)
    stale = judge.read(answer(30, 31, status=304), USER, kept)
    judge.design(answer(30, 31, status=304), stale, USER)
    assert len(judge.log.violations) == 1


# What calls may be refused by


def test_only_the_envelopes_503_and_429_are_failures_that_may_be():
    for status, code in ((503, "unavailable"), (503, "outcome_unknown"), (429, "too_many_requests")):
        assert fault_of(answer(1, 2, refusal(code), status)) == ""
    assert fault_of(answer(1, 2, {"success": False}, 409)) == ""
    assert "a 500" in fault_of(answer(1, 2, refusal("server_error"), 500))
    assert "a 502" in fault_of(answer(1, 2, status=502))
    assert "no refusal" in fault_of(answer(1, 2, refusal("too_many_requests"), 503))
    assert "no envelope" in fault_of(answer(1, 2, refusal(success=True), 503))
    assert "no Retry-After" in fault_of(answer(1, 2, refusal(), 503, headers=""))
    assert "no refusal" in fault_of(Answer("list", "soak-1", 1, 2, 503, b"HTTP/1.1 503 X", b"<h1>Away</h1>"))


# What is compared at the end


def test_the_end_finds_lost_doubled_changed_and_strange_designs(judge):
    def wrong(*items):
        return compare.designs(judge.model, list(items), 100.0)

    assert wrong(design(1)) == []
    assert "is lost" in wrong()[0]
    assert "is there 2 times" in wrong(design(1), design(2, title="Saree soak1"))[0]
    assert "was acknowledged as" in wrong(design(1, title="Another"))[0]
    assert "likes" in wrong(design(1, like_count=1))[0]
    assert "never acknowledged" in wrong(design(1), design(3))[0]


def test_the_end_finds_an_edit_that_was_made_twice():
    lines = [{"version": 2}, {"version": 1}]
    assert compare.versions(design(1, version=2), lines) == []
    assert compare.versions(design(1, version=2), [{"version": 2}, *lines]) != []
    assert compare.versions(design(1, version=2), lines[1:]) != []


def test_the_end_finds_lost_doubled_and_strange_people():
    def wrong(*names):
        items = [{"username": name, "state": "approved"} for name in names]
        return compare.people({"a": {"approved"}, "b": {"", "pending"}}, items)

    assert wrong("a") == []
    assert "lost" in wrong()[0]
    assert "2 times" in wrong("a", "a")[0]
    assert "nobody registered c" in wrong("a", "c")[0]
    assert "b is there" in wrong("a", "b")[0]


def png(size, colour):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def test_the_end_finds_lost_and_doubled_images():
    stored = {"k": (Picture((30, 40), b"", "designs"), {})}
    item = {"object_key": "k", "width": 30, "height": 40}
    assert compare.images(stored, [item]) == []
    assert "0 times" in compare.images(stored, [])[0]
    assert "again as other" in compare.images(stored, [item, {**item, "object_key": "other"}])[0]


def test_the_end_finds_lost_and_exchanged_bytes():
    picture = Picture((40, 60), png((40, 60), "red"), "designs")
    told = {"url": "whole", "renditions": [{"url": "small", "width": 20, "height": 30}]}
    files = {"whole": picture.content, "small": png((20, 30), "red")}

    def wrong(**changed):
        there = {**files, **changed}
        return compare.bytes_of(lambda url: (200 if there[url] else 404, there[url]), picture, told)

    assert wrong() == []
    assert "is a 404" in wrong(small=b"")[0]
    assert "another picture" in wrong(whole=png((40, 60), "blue"))[0]
    assert "pixels" in wrong(small=png((30, 20), "red"))[0]


def test_the_end_finds_what_counters_and_d1_have_missed(judge):
    parts = ("published", "draft", "deleted"), ("approved", "pending", "rejected")
    before = {part: dict.fromkeys(names, 0) for part, names in zip(("designs", "users"), parts, strict=True)}
    before["engagement"] = {"favorites": 5}
    after = {**before, "designs": {**before["designs"], "published": 1}}
    assert compare.counters(judge.model, {}, before, after, 100.0) == []
    assert "0 more of designs, published" in compare.counters(judge.model, {}, before, before, 100.0)[0]
    row = (1, "Saree soak1", "published", 1)
    assert compare.on_d1(judge.model, [row], 0, 100.0) == []
    assert "in place of" in compare.on_d1(judge.model, [], 0, 100.0)[0]
    assert "like_count of 2" in compare.on_d1(judge.model, [row], 2, 100.0)[0]


def test_a_register_forgets_what_no_read_can_answer_any_more():
    register = Register(0)
    for number in range(1, 1000):
        register.confirm(register.begin(number, number * 10.0), number * 10.0 + 1)
    assert len(register.steps) < 20
    assert register.possible(9985, 9989) == [998]


def test_the_end_finds_a_lost_and_a_doubled_like_on_d1(judge):
    liked = judge.model.is_favourite(USER, 1)
    liked.confirm(liked.begin(True, 20.0), 21.0)
    assert compare.likes_on_d1(judge.model, {(USER, 1)}, 100.0) == []
    assert "does not like design 1" in compare.likes_on_d1(judge.model, set(), 100.0)[0]
    liked.confirm(liked.begin(False, 30.0), 31.0)
    assert "7 likes design 1" in compare.likes_on_d1(judge.model, {(USER, 1)}, 100.0)[0]
    liked.begin(True, 40.0)
    assert compare.likes_on_d1(judge.model, {(USER, 1)}, 100.0) == []
    assert compare.likes_on_d1(judge.model, set(), 100.0) == []
