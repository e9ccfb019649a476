"""Full text search: words, prefixes, accents, scripts; and no sign of a user's text is an operator."""

import secrets
import unicodedata

import pytest

from tests.e2e.contract.shapes import DESIGN, FACETS, granted, page_of, page_of_search, refused

pytestmark = pytest.mark.e2e

PAGE = page_of_search(DESIGN)
TEXTS = {
    "creme": {"title": "Crème Brûlée Anarkali", "description": "A soft drape."},
    "decomposed": {"title": unicodedata.normalize("NFD", "Jalapeño Angarkha")},
    "saree": {"title": "बनारसी सा\u095cी", "description": "ज\u093cरी का काम और मोती"},
    "mother": {"title": "काञ्जीवरम", "description": "माता का उपहार"},
    "tamil": {"title": "காஞ்சிபுரம் பட்டு", "description": "மணி கோயில்"},
    "split": {"title": unicodedata.normalize("NFD", "கொங்கு நாடு"), "description": "Vowel signs in two parts."},
    "bengali": {"title": "ঢাকাই জামদানি শা\u09a1\u09bcি", "description": "তাঁতের বোনা"},
    "composed": {"title": "বালুচরী শা\u09dcি", "description": unicodedata.normalize("NFD", "মোটিফ")},
    "gurmukhi": {"title": "\u0a2b\u0a3cਰਦ ਫੁਲਕਾਰੀ", "description": "ਜੋ\u0a5c"},
    "ligature": {"title": "पश्मीना क्षेत्र", "description": "\u095e\u0959\u094dर और \u0915\u093cलम"},
    "khadi": {"title": "100% Khadi Tunic", "description": 'The weaver said "never iron"; it\'s hand-spun.'},
    "under": {"title": "Under_score Weave"},
    "either": {"title": "Either Tussar OR Eri", "description": "near and not both"},
    "tussar": {"title": "Tussar Shawl"},
    "eri": {"title": "Eri Shawl"},
    "mirror": {"title": "Mirror 🪞 Ghagra"},
    "once": {"title": "Plain Stole", "description": "A long tale of many things. " * 20 + "Sanganeri."},
    "often": {"title": "Sanganeri Sanganeri Print", "description": "Sanganeri."},
    "fields": {
        "title": "Qatitle",
        "description": "Qbdescription",
        "category": "Qccategory",
        "style": "Qdstyle",
        "colour": "Qecolour",
        "fabric": "Qffabric",
        "occasion": "Qgoccasion",
        "season": "Qhseason",
        "designer_name": "Qidesigner Qilast",
    },
}

NUKTAS = {
    "\u0921\u093c": "\u095c",
    "\u0915\u093c": "\u0958",
    "\u0916\u093c": "\u0959",
    "\u092b\u093c": "\u095e",
} | {
    "\u09a1\u09bc": "\u09dc",
    "\u0a2b\u0a3c": "\u0a5e",
}


def forms_of(words):
    """The words as a keyboard may send them: normal forms C and D, and with letters and nuktas put together."""
    composed = unicodedata.normalize("NFC", words)
    together = composed
    for pair, letter in NUKTAS.items():
        together = together.replace(pair, letter)
    return {words, composed, unicodedata.normalize("NFD", words), together}


@pytest.fixture(scope="module")
def library(create):
    """A collection of texts to search; name → id."""
    collection = f"Library {secrets.token_hex(5)}"
    made = {
        name: create(**{"category": "Cloth"} | row | {"collection_name": collection})
        for name, row in TEXTS.items()
    }
    for name, row in TEXTS.items():
        assert made[name]["title"] == row["title"], "text is stored as sent"
    return collection, {name: one["id"] for name, one in made.items()}


@pytest.fixture
def find(reader, library):
    """The names of the texts that a search for every word as typed finds, best first."""
    collection, numbers = library
    names = {number: name for name, number in numbers.items()}

    def ask(words, parameter="search", **query):
        query = {"collection_name": collection, "per_page": 100, "match": "all", parameter: words} | query
        query = {name: value for name, value in query.items() if value is not None}
        kind = PAGE if words.strip() else page_of(DESIGN)
        body = granted(reader.client.get("/api/designs", params=query), kind)
        assert body["total"] == len(body["items"])
        return [names[one["id"]] for one in body["items"]]

    return ask


def test_every_word_must_match_and_the_last_one_as_a_prefix(find):
    assert find("khadi tunic") == ["khadi"]
    assert find("tunic khadi") == ["khadi"]
    assert find("khadi tun") == ["khadi"]
    assert find("tun khadi") == []
    assert find("khadi nothing") == []
    assert find("hadi") == []
    assert set(find("tuss")) == {"either", "tussar"}
    assert set(find("shawl")) == {"tussar", "eri"}
    assert find("shawl tussar") == ["tussar"]


def test_q_is_another_name_of_search(find):
    assert find("khadi", "q") == ["khadi"]
    assert find("khadi nothing", "q") == []


def test_words_may_stand_in_different_fields(find):
    assert find("Qatitle Qecolour Qilast") == ["fields"]
    assert find("khadi hand") == ["khadi"]


@pytest.mark.parametrize("word", [word for value in TEXTS["fields"].values() for word in value.split()])
def test_every_field_is_searched(find, word):
    assert find(word) == ["fields"]
    assert find(word[:3].upper()) == ["fields"] or word in ("Qidesigner", "Qilast")


def test_the_collections_name_is_searched(find, library):
    assert len(find(library[0])) == len(TEXTS)


@pytest.mark.parametrize(
    "words", ["creme brulee", "CRÈME BRÛLÉE", "Crème", "crÈme brul", "anarkali creme", "CREME"]
)
def test_case_and_accents_do_not_matter(find, words):
    for form in ("NFC", "NFD"):
        assert find(unicodedata.normalize(form, words)) == ["creme"]


@pytest.mark.parametrize("words", ["jalapeno", "JALAPEÑO", "angarkha jalapeñ", "jalapeno ang"])
def test_accents_stored_apart_from_their_letters_do_not_matter(find, words):
    for form in ("NFC", "NFD"):
        assert find(unicodedata.normalize(form, words)) == ["decomposed"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("बनारसी", "saree"),
        ("बनार", "saree"),
        ("ज़री", "saree"),
        ("बनारसी का", "saree"),
        ("काञ्जीवरम", "mother"),
        ("काञ्जी", "mother"),
        ("காஞ்சிபுரம்", "tamil"),
        ("காஞ்சி", "tamil"),
        ("பட்டு", "tamil"),
        ("மணி பட்டு", "tamil"),
        ("கோயில்", "tamil"),
        ("கோயி", "tamil"),
        ("கொங்கு", "split"),
        ("நாடு கொங்", "split"),
        ("জামদানি", "bengali"),
        ("ঢাকাই শাড়ি", "bengali"),
        ("তাঁতের শাড়ি", "bengali"),
        ("তাঁতের বো", "bengali"),
        ("বালুচরী শাড়ি", "composed"),
        ("মোটিফ", "composed"),
        ("মোটিফ শাড়", "composed"),
        ("ਫ਼ਰਦ", "gurmukhi"),
        ("ਫੁਲਕਾਰੀ", "gurmukhi"),
        ("ਫ਼ਰਦ ਫੁਲ", "gurmukhi"),
        ("साड़ी", "saree"),
        ("साड़ी बनारसी", "saree"),
        ("बनारसी साड़", "saree"),
        ("क़लम", "ligature"),
        ("क्षेत्र", "ligature"),
        ("फ़ख़्र क़ल", "ligature"),
    ],
)
def test_indic_scripts_are_found_in_every_form(find, words, name):
    for spelt in forms_of(words):
        assert find(spelt) == [name]


@pytest.mark.parametrize("words", ["शाड़ी", "সাড়ি", "फरद", "ફ", "கங்கு"])
def test_other_letters_of_these_scripts_are_other_words(find, words):
    for spelt in forms_of(words):
        assert find(spelt) == []


def test_a_nukta_does_not_count(find):
    assert find("साडी") == ["saree"]
    assert find("जरी") == ["saree"]
    assert set(find("শাডি")) == set(find("শাড়ি")) == {"bengali", "composed"}


@pytest.mark.parametrize(
    "sign", ["%", "-", "&", "+", '"', "* (", "🪞", "।", "\u0301", "\u093c", "\u200d", "—", "🪷 %"]
)
def test_words_of_signs_alone_narrow_nothing_beside_others(find, sign):
    for words in (f"khadi {sign} tunic", f"{sign} tunic khadi", f"khadi tun {sign}"):
        assert find(words) == ["khadi"]
        assert find(words, sort="newest") == ["khadi"]
    assert find(f"बनारसी {sign} साड़ी") == ["saree"]
    assert find(f"nothing {sign}") == []


def test_words_of_signs_alone_are_found_as_they_stand_where_there_are_no_others(find):
    assert find("🪞") == ["mirror"]
    assert find("%") == ["khadi"]
    assert find("% 🪞") == []
    assert find("_") == ["under"]


def test_vowel_signs_make_different_words(find):
    assert find("मोती") == ["saree"]
    assert find("माता") == ["mother"]
    assert find("मती") == []
    assert find("बनारसा") == []
    assert find("முணி") == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("100%", ["khadi"]),
        ("kh%", ["khadi"]),
        ("kh%di", []),
        ("%hadi", []),
        ("under_score", ["under"]),
        ("Under_sc", ["under"]),
        ("khad_", ["khadi"]),
        ("k_adi", []),
        ('"khadi tunic"', ["khadi"]),
        ('"tunic khadi"', ["khadi"]),
        ('"never iron"', ["khadi"]),
        ('khadi"', ["khadi"]),
        ('"khadi', ["khadi"]),
        ("'khadi'", ["khadi"]),
        ("it's", ["khadi"]),
        ("hand-spun", ["khadi"]),
        ("hand spun", ["khadi"]),
        ("tussar OR eri", ["either"]),
        ("tussar AND eri", ["either"]),
        ("eri NOT both", ["either"]),
        ("shawl OR tunic", []),
        ("shawl AND tussar", []),
        ("shawl NOT tussar", []),
        ("NEAR(shawl tussar)", []),
        ("title:khadi", []),
        ("title : khadi", []),
        ("{title} : khadi", []),
        ("-khadi", ["khadi"]),
        ("khadi -tunic", ["khadi"]),
        ("^tunic", ["khadi"]),
        ("khadi*", ["khadi"]),
        ("tun* khadi", []),
        ("(khadi)", ["khadi"]),
        ("((khadi", ["khadi"]),
        ("khadi;--", ["khadi"]),
        ("khadi/*", ["khadi"]),
        ("mirror 🪞", ["mirror"]),
        ("ghagra mirror", ["mirror"]),
    ],
)
def test_signs_and_operators_are_plain_text(find, words, names):
    assert find(words) == names


@pytest.mark.parametrize(
    "words",
    [
        "%",
        "_",
        '"',
        '""',
        "'",
        "*",
        "(",
        ")",
        "-",
        "^",
        ":",
        "AND",
        "OR",
        "NOT",
        "NEAR",
        "NEAR(",
        "\\",
        "🪞",
        "\u0301",
        "\u200d",
        ",",
    ],
)
def test_a_search_of_signs_alone_breaks_nothing(find, words):
    find(words)
    assert set(find(f"khadi {words} tunic")) <= {"khadi"}


def test_operators_between_words_match_no_more_than_the_words(find):
    assert set(find("NEAR(tussar eri)")) <= {"either"}
    assert set(find("khadi + tunic")) <= {"khadi"}
    assert set(find("NEAR(shawl, 5)")) == set()


def test_an_empty_search_is_none(find):
    assert find("") == find("   ") == find("", sort="newest")
    assert len(find("")) == len(TEXTS)


def test_relevance_is_the_default_order_of_a_search(find):
    assert find("sanganeri") == ["often", "once"]
    assert find("sanganeri") == find("sanganeri", sort="relevance")
    assert find("sanganeri", sort="oldest") == ["once", "often"]
    assert find("sanganeri", sort="newest") == ["often", "once"]


def test_a_search_narrows_with_filters_and_facets(reader, library, find):
    assert find("qatitle", fabric="qffabric") == ["fields"]
    assert find("qatitle", fabric="other") == []
    query = {"collection_name": library[0], "search": "shawl"}
    body = granted(reader.client.get("/api/designs/facets", params=query), FACETS)
    assert body["total"] == 2
    assert body["facets"]["category"] == [{"value": "Cloth", "count": 2}]
    query = {"collection_name": library[0], "q": "shawl tuss"}
    assert granted(reader.client.get("/api/designs/facets", params=query), FACETS)["total"] == 1


def test_without_match_plurals_widen_and_stop_words_need_not_match(find):
    assert set(find("the shawls", match=None)) == {"tussar", "eri"}
    assert find("shawls") == []
    assert find("khadi tunics", match=None) == ["khadi"]


def test_another_match_is_a_400(reader):
    for path in ("/api/designs", "/api/designs/facets"):
        refused(reader.client.get(path, params={"search": "x", "match": "any"}), 400, field="match")


def test_what_nothing_finds_is_corrected(reader, create):
    word = "".join(secrets.choice("bcdfgklmnprst") + secrets.choice("aeiou") for _ in range(6))
    made = create(title=f"Stole {word}")
    typed = f"{word[:5]}{word[4]}{word[5:]}"
    body = granted(reader.client.get("/api/designs", params={"search": f"A {typed}"}), PAGE)
    if body["total"]:  # words for corrections may lag
        assert [one["id"] for one in body["items"]] == [made["id"]]
        assert body["understood"] == {"words": [word], "corrected": {typed: word}, "ignored": ["A"]}


def test_a_change_is_found_at_once(boss, reader, create):
    old, new = f"old{secrets.token_hex(4)}", f"new{secrets.token_hex(4)}"
    made = create(title=f"Word {old}")

    def found(word):
        query = {"search": word, "match": "all"}
        body = granted(reader.client.get("/api/designs", params=query), PAGE)
        return [one["id"] for one in body["items"]]

    assert found(old) == [made["id"]]
    assert boss.put(f"/api/designs/{made['id']}", json={"title": f"Word {new}"}).status_code == 200
    assert (found(old), found(new)) == ([], [made["id"]])
    assert boss.delete(f"/api/designs/{made['id']}").status_code == 200
    assert found(new) == []
