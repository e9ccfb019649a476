"""The synonyms that the gallery ships: each is valid, names its source, and leads to designs of the demo."""

import pytest

from demo.plan import plan
from designs import synonym_csv, synonyms
from designs.fields import FACET_FIELDS
from designs.search.tokens import fold, split

SHIPPED = synonym_csv.shipped()
TEXTS = ("title", *FACET_FIELDS)


@pytest.fixture(scope="module", params=[240, 2000])
def catalogue(request):
    """The searched fields of a demo catalogue, each as its words between spaces."""
    return [
        {name: f" {' '.join(split(fold(getattr(design, name))))} " for name in TEXTS}
        for design in plan(request.param, seed=1)
    ]


def test_each_is_valid_as_it_stands():
    for row in SHIPPED:
        assert {name: value for name, value in synonyms.checked(row)._asdict().items() if value} == row


def test_each_phrase_stands_once_for_each_kind():
    keys = [(row["kind"], row["phrase"]) for row in SHIPPED]
    assert len(set(keys)) == len(keys)


def test_each_names_its_source():
    assert {row["phrase"] for row in SHIPPED if ": " not in row.get("source", "")} == set()


def test_what_means_something_leads_to_designs(catalogue):
    for row in SHIPPED:
        if row["kind"] == "means":
            fields = [row["field"]] if "field" in row else TEXTS
            words = [f" {word} " for word in row["words"].split(", ")]
            assert any(word in design[name] for design in catalogue for name in fields for word in words), row


def test_one_of_several_spellings_stands_in_a_large_catalogue():
    texts = [f" {' '.join(split(fold(f'{design.title} {design.category} {design.colour} {design.fabric}')))} "
             for design in plan(2000, seed=1)]  # fmt: skip
    for row in SHIPPED:
        if row["kind"] == "same":
            words = (row["phrase"], *row["words"].split(", "))
            assert any(f" {word} " in text for text in texts for word in words), row
