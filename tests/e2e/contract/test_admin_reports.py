"""Analytics, settings and the audit trail."""

import secrets
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.e2e.contract.calls import until
from tests.e2e.contract.shapes import (
    ADMIN_USER,
    ANALYTICS,
    AUDIT,
    DESIGN,
    SETTING,
    granted,
    items_of,
    page_of,
    refused,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def analytics(boss):
    return lambda **query: granted(boss.get("/api/admin/analytics", params=query), ANALYTICS)


@pytest.fixture
def settings(boss):
    def read():
        items = granted(boss.get("/api/admin/settings"), items_of(SETTING))["items"]
        return {one["key"]: one["value"] for one in items}

    return read


def test_analytics_agree_with_the_lists(boss, analytics, catalogue):
    body = analytics()
    users = body["users"]
    assert users["total"] == users["approved"] + users["pending"] + users["rejected"]
    for state in ("approved", "pending", "rejected"):
        page = granted(
            boss.get("/api/admin/users", params={"state": state, "per_page": 1}), page_of(ADMIN_USER)
        )
        assert page["total"] == users[state]
    page = granted(boss.get("/api/admin/users", params={"is_admin": "true"}), page_of(ADMIN_USER))
    assert page["total"] == users["admins"]
    designs = body["designs"]
    assert designs["total"] == designs["published"] + designs["draft"] + designs["archived"]
    for status in ("published", "draft", "archived"):
        page = granted(boss.get("/api/designs", params={"status": status, "per_page": 1}), page_of(DESIGN))
        assert page["total"] == designs[status]
    counts = [one["count"] for one in designs["by_category"]]
    assert counts == sorted(counts, reverse=True)
    assert 0 < sum(counts) <= designs["total"]
    for name, key in (("by_views", "view_count"), ("by_likes", "like_count")):
        values = [one[key] for one in body["top_designs"][name] if key in one]
        assert values == sorted(values, reverse=True)


def test_the_series_has_one_entry_for_each_day(analytics):
    assert len(analytics()["series"]) == 30
    for days in (1, 7, 90):
        body = analytics(days=days)
        found = [date.fromisoformat(one["date"]) for one in body["series"]]
        assert found == [found[0] + timedelta(days=n) for n in range(days)]
        assert abs(found[-1] - datetime.now(UTC).date()) <= timedelta(days=1)
        last = body["series"][-1]
        assert last["signups"] > 0 or days == 1


def test_a_new_favourite_and_a_new_design_are_counted(analytics, create, join, boss):
    before = analytics(days=1)
    person = join()
    made = create()
    assert person.client.post(f"/api/designs/{made['id']}/favorite").status_code == 200
    assert person.client.get(f"/api/designs/{made['id']}").status_code == 200

    def counted():
        after = analytics(days=1)
        old, new = before["series"][-1], after["series"][-1]
        if old["date"] != new["date"]:
            return True
        return (
            after["users"]["total"] == before["users"]["total"] + 1
            and after["designs"]["total"] == before["designs"]["total"] + 1
            and after["engagement"]["favorites"] == before["engagement"]["favorites"] + 1
            and after["engagement"]["views"] > before["engagement"]["views"]
            and new["signups"] == old["signups"] + 1
            and new["designs"] == old["designs"] + 1
            and new["favorites"] == old["favorites"] + 1
            and new["views"] > old["views"]
        )

    until(counted, 20)


@pytest.mark.parametrize("days", ["0", "-1", "abc", "1.5", "9" * 30, "\0"])
def test_days_that_are_none_are_refused(boss, days):
    refused(boss.get("/api/admin/analytics", params={"days": days}), 400, field="days")


def test_the_settings_and_their_defaults(settings):
    values = settings()
    assert values["public_catalogue"] is False
    assert values["registration_open"] is True


def test_a_bad_setting_is_named_and_nothing_is_changed(boss, settings):
    before = settings()
    assert before["registration_open"] is True
    bad = [("no_such_key", True)]
    bad += [("public_catalogue", one) for one in ("true", 1, 0, None, [], {}, "")]
    for key, value in bad:
        body = refused(
            boss.put("/api/admin/settings", json={"settings": {"registration_open": False, key: value}}), 400
        )
        assert key in str(body.get("errors")), body
        assert settings() == before
    for wrong in ({}, {"settings": None}, {"settings": []}, {"settings": "x"}, {"settings": 5}):
        refused(boss.put("/api/admin/settings", json=wrong), 400, field="settings")
    assert settings() == before


def test_every_setting_takes_its_own_value_again(boss, settings):
    before = settings()
    answer = boss.put("/api/admin/settings", json={"settings": before, "nope": 1})
    assert {one["key"]: one["value"] for one in granted(answer, items_of(SETTING))["items"]} == before
    assert settings() == before


def test_registering_while_closed(anyone, boss):
    def turn(value):
        body = granted(
            boss.put("/api/admin/settings", json={"settings": {"registration_open": value}}),
            items_of(SETTING),
        )
        assert {one["key"]: one["value"] for one in body["items"]}["registration_open"] is value

    def register():
        body = {"username": f"late-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(9)}
        return anyone.post("/api/auth/register", json=body)

    turn(False)
    try:
        refused(register(), 403, "registration_closed")
    finally:
        turn(True)
    assert register().status_code == 200


def test_what_admins_do_is_in_the_audit(boss, create, join):
    person = join(approved=False)
    secret = f"hidden-{secrets.token_hex(8)}"
    steps = [
        lambda: boss.post(f"/api/admin/users/{person.id}/approve"),
        lambda: boss.post(f"/api/admin/users/{person.id}/reject", json={"reason": "why"}),
        lambda: boss.put(f"/api/admin/users/{person.id}", json={"username": f"edit-{secrets.token_hex(4)}"}),
        lambda: boss.put(f"/api/admin/users/{person.id}", json={"password": secret}),
        lambda: boss.put("/api/admin/settings", json={"settings": {"public_catalogue": True}}),
        lambda: boss.put("/api/admin/settings", json={"settings": {"public_catalogue": False}}),
        lambda: boss.delete(f"/api/admin/users/{person.id}"),
    ]
    design = create(title="Before")
    path = f"/api/designs/{design['id']}"
    steps += [lambda: boss.put(path, json={"title": "After"}), lambda: boss.delete(path)]

    def newest():
        return granted(boss.get("/api/admin/audit", params={"per_page": 100}), page_of(AUDIT))

    for number, step in enumerate(steps):
        before = newest()
        assert step().status_code == 200
        after = newest()
        assert after["total"] > before["total"], f"step {number} left no entry"
        fresh = after["items"][: after["total"] - before["total"]]
        assert all(one["actor"] and one["actor"]["id"] == boss.token["user"]["id"] for one in fresh)
    items = newest()["items"]
    moments = [one["created_at"] for one in items]
    assert moments == sorted(moments, reverse=True)
    for one in items:
        assert all(isinstance(pair, list) and len(pair) == 2 for pair in one["changes"].values()), one
    assert ["Before", "After"] in [one["changes"].get("title") for one in items]
    text = str(items)
    assert secret not in text
    assert "bcrypt" not in text


def test_the_filters_of_the_audit(boss, reader):
    sample = granted(boss.get("/api/admin/audit", params={"per_page": 100}), page_of(AUDIT))["items"]
    for name in ("action", "object_type"):
        for value in {one[name] for one in sample}:
            found = granted(boss.get("/api/admin/audit", params={name: value}), page_of(AUDIT))["items"]
            assert found
            assert {one[name] for one in found} == {value}
    actor = next(one["actor"] for one in sample if one["actor"])
    answers = [
        boss.get("/api/admin/audit", params={"actor": value}) for value in (actor["id"], actor["username"])
    ]
    found = [granted(answer, page_of(AUDIT))["items"] for answer in answers if answer.status_code == 200]
    assert any(found)
    for items in found:
        assert all(one["actor"]["id"] == actor["id"] for one in items)
    for name in ("action", "object_type", "actor"):
        answer = boss.get("/api/admin/audit", params={name: "no-such-thing' OR 1=1"})
        if answer.status_code == 200:
            assert granted(answer, page_of(AUDIT))["items"] == []
        else:
            refused(answer, 400, field=name)


@pytest.mark.parametrize("name", ["action", "object_type", "actor"])
def test_a_filter_of_the_trail_that_no_text_can_be_is_named(boss, name):
    refused(boss.get("/api/admin/audit", params={name: "a\0b"}), 400, field=name)
    assert granted(boss.get("/api/admin/audit", params={name: ""}), page_of(AUDIT))["total"] > 0
