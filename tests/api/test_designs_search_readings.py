"""How a search is read: exact first, then widened; corrected only where nothing is found."""

import pytest

from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"
FACETS = f"{LIST}/facets"


def asked(client, search, path=LIST, **query):
    response = client.get(path, search=search, **query)
    assert response.status_code == 200, response.content
    return response.json()


def titles(body):
    return [item["title"] for item in body["items"]]


@pytest.fixture
def reader():
    return ApiClient.approved()


SORTS = ["newest", "oldest", "popular", "most_viewed", "title", "relevance"]


@pytest.mark.parametrize("sort", SORTS)
def test_what_holds_the_words_as_typed_comes_first_under_every_sort(reader, sort):
    for title in ("A sarees silk", "M saree silk", "Z saree silk", "B sarees silk"):
        DesignFactory(title=title, category="Drape")
    DesignFactory(title="Kurta of silk", category="Kurta")
    body = asked(reader, "saree silk", sort=sort)
    assert body["total"] == 4
    assert {*titles(body)[:2]} == {"M saree silk", "Z saree silk"}
    if sort == "title":
        assert titles(body) == ["M saree silk", "Z saree silk", "A sarees silk", "B sarees silk"]
    if sort == "oldest":
        assert titles(body) == ["M saree silk", "Z saree silk", "A sarees silk", "B sarees silk"]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_and_cursors_run_on_from_one_group_to_the_next(reader, sort):
    for number in range(5):
        DesignFactory(title=f"{number} sarees silk", category="Drape")
        DesignFactory(title=f"{number} saree silk", category="Drape")
    whole = titles(asked(reader, "saree silk", sort=sort))
    assert len(whole) == 10
    by_number = [
        title
        for page in range(1, 5)
        for title in titles(asked(reader, "saree silk", sort=sort, per_page=3, page=page))
    ]
    assert by_number == whole
    page = asked(reader, "saree silk", sort=sort, per_page=3)
    by_cursor = titles(page)
    while page["next"]:
        page = asked(reader, "saree silk", sort=sort, per_page=3, after=page["next"])
        assert page["total"] is None
        assert page["understood"]["words"] == ["saree", "silk"]
        by_cursor += titles(page)
    assert by_cursor == whole


BESIDE = {"title": "A dress", "colour": "Natural", "fabric": "Mulberry silk"}
APART = {"title": "B dress", "colour": "Mulberry", "fabric": "Silk"}


@pytest.mark.parametrize("designs", [(BESIDE, APART), (APART, BESIDE)])
@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("mulberry silk", {}),
        ("mulberry silk", {"match": "all"}),
        ("mulbery silk", {}),
        ("mulberry silk pajama", {}),
        ("mulberry pajama silk", {}),
    ],
)
def test_words_beside_each_other_come_first_by_relevance_only(reader, designs, search, match):
    first, last = [DesignFactory(**values).title for values in designs]
    DesignFactory(title="Pajama")
    body = asked(reader, search, **match)
    assert (titles(body), body["total"]) == (["A dress", "B dress"], 2)
    assert asked(reader, search, FACETS, **match)["total"] == 2
    assert titles(asked(reader, search, sort="oldest", **match)) == [first, last]
    assert titles(asked(reader, search, sort="newest", **match)) == [last, first]
    page = asked(reader, search, per_page=1, **match)
    following = asked(reader, search, per_page=1, after=page["next"], **match)
    assert titles(page) + titles(following) == ["A dress", "B dress"]


def test_total_and_facets_go_by_the_same_reading(reader):
    DesignFactory(title="Kanjivaram saree", colour="Red", fabric="Silk")
    DesignFactory(title="Kanjivaram stole", colour="Blue", fabric="Silk")
    DesignFactory(title="Kurta", colour="Red", fabric="Cotton")
    body = asked(reader, "kanjeevaram", colour="red")
    assert (titles(body), body["total"]) == (["Kanjivaram saree"], 1)
    counted = asked(reader, "kanjeevaram", FACETS, colour="red")
    assert counted["total"] == 1
    assert counted["facets"]["colour"] == [{"value": "Blue", "count": 1}, {"value": "Red", "count": 1}]
    assert counted["facets"]["fabric"] == [{"value": "Silk", "count": 1}]
    # A filter that leaves nothing of an exact search makes no other reading of it.
    assert titles(asked(reader, "kanjivaram", colour="green")) == []
    assert asked(reader, "kanjivaram", colour="green")["understood"]["corrected"] == {}


def test_a_page_of_a_search_says_how_it_was_read(reader):
    DesignFactory(title="Kanjivaram saree")
    assert asked(reader, "A  Kanjeevaram SAREE")["understood"] == {
        "words": ["kanjivaram", "saree"],
        "corrected": {"Kanjeevaram": "kanjivaram"},
        "ignored": ["A"],
    }
    assert asked(reader, "kanjivaram sarees")["understood"] == {
        "words": ["kanjivaram", "sarees"],
        "corrected": {},
        "ignored": [],
    }
    body = asked(reader, "kanjivaram saree price")
    assert titles(body) == ["Kanjivaram saree"]
    assert body["understood"]["ignored"] == ["price"]
    assert "understood" not in reader.get(LIST).json()
    assert "understood" not in reader.get(LIST, q=" ").json()
    assert "understood" in reader.get(LIST, q="%").json()
    assert "understood" not in reader.get(f"{LIST}/featured").json()
    assert sorted(asked(reader, "saree", FACETS)) == ["facets", "total"]


def test_a_word_that_the_catalogue_has_is_never_corrected(reader):
    DesignFactory(title="Master of the loom", description="A toaster was here")
    DesignFactory(title="Toasted cotton")
    assert titles(asked(reader, "toaster")) == ["Master of the loom"]
    assert titles(asked(reader, "toaster cotton")) != []
    assert asked(reader, "toaster cotton")["understood"]["corrected"] == {}


def test_where_no_word_is_known_nothing_is_found(reader):
    DesignFactory(title="Kanjivaram saree")
    body = asked(reader, "xylophone qwertz")
    assert (body["items"], body["total"], body["pages"], body["next"]) == ([], 0, 0, None)
    assert body["understood"] == {"words": ["xylophone", "qwertz"], "corrected": {}, "ignored": []}


def test_every_word_as_typed_and_nothing_else(reader):
    DesignFactory(title="The stoles of silk")
    DesignFactory(title="Silk stole")
    assert titles(asked(reader, "stole silk", match="all")) == ["Silk stole"]
    assert titles(asked(reader, "the stoles", match="all")) == ["The stoles of silk"]
    assert titles(asked(reader, "a stole", match="all")) == []
    assert titles(asked(reader, "sil", match="all", sort="title")) == ["Silk stole", "The stoles of silk"]
    assert titles(asked(reader, "stoole", match="all")) == []
    assert asked(reader, "stoole", FACETS, match="all")["total"] == 0
    assert asked(reader, "The Stoles", match="all")["understood"] == {
        "words": ["the", "stoles"],
        "corrected": {},
        "ignored": [],
    }


@pytest.mark.parametrize("bad", ["any", "ALL", "all,any", "true"])
@pytest.mark.parametrize("query", [{}, {"search": "silk"}])
def test_another_match_is_named(reader, bad, query):
    for path in (LIST, FACETS):
        assert set(refused(reader.get(path, match=bad, **query), 400, "invalid")) == {"match"}
    assert reader.get(LIST, match="", **query).status_code == 200
    assert reader.get(LIST, match="all", **query).status_code == 200


@pytest.mark.parametrize("match", [{}, {"match": "all"}])
@pytest.mark.parametrize(
    ("stored", "search"),
    [
        ("सिल्\u200dक", "सिल्क"),
        ("सिल्क", "सिल्\u200dक"),
        ("सिल्\u200cक साड़ी", "साडी सिल्क"),
        ("ज़री", "जरी"),
        ("जरी", "ज\u093cरी"),
        ("सा\u095cी", "साडी"),
        ("শাড়ি", "শাডি"),
        ("Αθήνα πάπλωμα", "αθηνα παπλωμα"),
        ("ΑΘΗΝΑ", "Αθήνα"),
        ("Ёлка и йогурт", "елка иогурт"),
        ("елка", "ЁЛК"),
        ("Crème Brûlée", "creme BRULEE"),
        ("Straße", "STRASSE"),
        ("off\u00adwhite", "offwhite"),
        ("ﬁligree", "filigree"),
    ],
)
@pytest.mark.parametrize("field", ["title", "description", "designer_name"])
def test_accents_joiners_and_nuktas_do_not_count(reader, field, stored, search, match):
    DesignFactory(title="सड़क other")
    design = DesignFactory(**{"title": "x", field: stored})
    body = asked(reader, search, **match)
    assert [item["id"] for item in body["items"]] == [design.pk]
    assert body["items"][0][field] == stored


def test_folded_words_follow_every_kind_of_write(reader):
    admin = ApiClient.admin()
    design = DesignFactory(title="x")
    path = f"{LIST}/{design.pk}"

    def found(search):
        return [item["id"] for item in asked(reader, search, match="all")["items"]]

    assert admin.put(path, {"title": "ज़री"}).status_code == 200
    assert found("जरी") == [design.pk]
    assert admin.put(path, {"description": "सिल्\u200dक"}).status_code == 200
    assert found("जरी सिल्क") == [design.pk]
    assert admin.put(path, {"title": "plain"}).status_code == 200
    assert found("जरी") == []
    assert admin.post(f"{path}/restore", {"version": 2}).status_code == 200
    assert found("जरी") == [design.pk]
    admin.delete(path)
    assert found("जरी") == []
    admin.post(f"{path}/restore")
    assert found("जरी") == [design.pk]
    made = admin.post(LIST, {"title": "Ёлка", "category": "Saree", "r2_object_key": design.image_id}).json()
    assert found("елка") == [made["id"]]


def test_only_what_the_caller_sees_gives_words_to_corrections(reader):
    DesignFactory(title="Bandhani saree")
    DesignFactory(title="Paithani shawl", status="draft")
    DesignFactory(title="Sambalpuri stole", status="archived")
    admin = ApiClient.admin()
    for typed, read in (("paithanni", "paithani"), ("sambalpurri", "sambalpuri")):
        assert asked(reader, typed)["understood"]["corrected"] == {}
        assert asked(reader, typed)["total"] == 0
        assert asked(admin, typed)["understood"]["corrected"] == {typed: read}
        assert asked(admin, typed)["total"] == 1
        assert asked(admin, typed, status="published")["total"] == 0
        assert asked(admin, typed, FACETS)["total"] == 1
    assert asked(reader, "bandhanni")["total"] == 1


def test_the_trash_gives_words_to_nobody(reader):
    trashed = DesignFactory(title="Paithani shawl")
    admin = ApiClient.admin()
    admin.delete(f"{LIST}/{trashed.pk}")
    for query in ({}, {"status": "deleted"}, {"status": "deleted,published"}):
        assert asked(admin, "paithanni", **query)["understood"]["corrected"] == {}
        assert asked(admin, "paithanni", **query)["total"] == 0
    assert titles(asked(admin, "paithani", status="deleted")) == ["Paithani shawl"]


def test_a_change_is_found_at_once_by_its_words(reader):
    design = DesignFactory(title="Bandhani saree")
    assert asked(reader, "bandhanni")["total"] == 1
    ApiClient.admin().put(f"{LIST}/{design.pk}", {"title": "Kalamkari"})
    assert asked(reader, "bandhani", match="all")["total"] == 0
    assert titles(asked(reader, "kalamkari")) == ["Kalamkari"]
    assert asked(reader, "kalamkari", FACETS)["total"] == 1


def test_corrections_lag_by_15_seconds_at_most_and_no_304_keeps_them_longer(reader, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("designs.known_words.time.monotonic", lambda: now[0])
    monkeypatch.setattr("designs.readings.vocabularies.held", {})
    DesignFactory(title="Bandhani saree")
    assert asked(reader, "bandhanni")["total"] == 1
    DesignFactory(title="Paithani saree")
    now[0] += 14.0
    response = reader.get(LIST, search="paithanni")
    now[0] += 2.0
    headers = {"If-None-Match": response.headers["ETag"]}
    later = reader.send("GET", f"{LIST}?search=paithanni", headers=headers)
    assert later.status_code == 200
    assert later.json()["understood"]["corrected"] == {"paithanni": "paithani"}


def test_symbols_alone_are_read_as_they_stand(reader):
    DesignFactory(title="100% silk")
    assert asked(reader, "%")["understood"] == {"words": [], "corrected": {}, "ignored": []}
    assert titles(asked(reader, "%")) == ["100% silk"]
    assert titles(asked(reader, "%", match="all")) == ["100% silk"]
    assert titles(asked(reader, "🪷")) == []
