"""Pages: the same rules for every paged list."""

import pytest

from tests.e2e.contract.shapes import ADMIN_USER, AUDIT, DESIGN, IMAGE, granted, page_after, page_of, refused

pytestmark = pytest.mark.e2e

LISTS = {
    "/api/designs": DESIGN,
    "/api/designs/featured": DESIGN,
    "/api/designs/user/favorites": DESIGN,
    "/api/admin/users": ADMIN_USER,
    "/api/admin/users/pending": ADMIN_USER,
    "/api/admin/audit": AUDIT,
    "/api/upload/images": IMAGE,
}
every_list = pytest.mark.parametrize(("path", "kind"), LISTS.items(), ids=LISTS)


@every_list
def test_a_page_tells_where_it_stands(boss, catalogue, path, kind):
    body = granted(boss.get(path), page_of(kind))
    assert (body["page"], body["per_page"]) == (1, 20)
    assert len(body["items"]) == min(20, body["total"])
    assert body["pages"] in {-(-body["total"] // 20), max(1, -(-body["total"] // 20))}


@every_list
def test_the_bounds_of_per_page(boss, catalogue, path, kind):
    for size in (1, 100):
        body = granted(boss.get(path, params={"per_page": size}), page_of(kind))
        assert body["per_page"] == size
        assert len(body["items"]) == min(size, body["total"])
    for bad in ("0", "101", "-1", "abc", "1.5", "99999999999999999999", "1e1"):
        refused(boss.get(path, params={"per_page": bad}), 400, field="per_page")


@every_list
def test_the_bounds_of_page(boss, catalogue, path, kind):
    total = granted(boss.get(path), page_of(kind))["total"]
    past = granted(boss.get(path, params={"page": 100_000}), page_of(kind))
    assert (past["items"], past["page"], past["total"]) == ([], 100_000, total)
    for bad in ("0", "-1", "abc", "1.5", "1e1", "\0"):
        refused(boss.get(path, params={"page": bad}), 400, field="page")
    answer = boss.get(path, params={"page": "99999999999999999999"})
    if answer.status_code == 200:
        assert granted(answer, page_of(kind))["items"] == []
    else:
        refused(answer, 400, field="page")


@every_list
def test_pages_neither_repeat_nor_skip(boss, catalogue, path, kind):
    whole = granted(boss.get(path, params={"per_page": 100}), page_of(kind))
    seen = []
    for page in range(1, -(-len(whole["items"]) // 7) + 1):
        seen += granted(boss.get(path, params={"per_page": 7, "page": page}), page_of(kind))["items"]
    name = "object_key" if kind is IMAGE else "id"
    keys = [one[name] for one in seen][: len(whole["items"])]
    assert keys == [one[name] for one in whole["items"]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("path", [path for path, kind in LISTS.items() if kind is DESIGN])
def test_cursors_show_what_pages_show(boss, catalogue, path):
    page = granted(boss.get(path, params={"per_page": 7}), page_of(DESIGN))
    for number in (2, 3):
        if page["next"] is None:
            return
        query = {"per_page": 7, "after": page["next"]}
        page = granted(boss.get(path, params=query), page_after(DESIGN))
        by_number = granted(boss.get(path, params={"per_page": 7, "page": number}), page_of(DESIGN))
        assert [one["id"] for one in page["items"]] == [one["id"] for one in by_number["items"]]
        refused(boss.get(path, params=query | {"page": 1}), 400, field="after")
    for bad in ("", "x", "null"):
        refused(boss.get(path, params={"after": bad}), 400, field="after")
