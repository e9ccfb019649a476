"""The demo gallery's plan: enough true kinds, every design different, the same for everyone."""

import hashlib
import subprocess
import sys
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest

from demo.colours import COLOURS
from demo.drawing import FAMILIES
from demo.drawing.style import MOTIFS
from demo.names import COLLECTIONS, DESIGNERS, PHRASES
from demo.plan import plan
from demo.vocabulary import KINDS

ROOT = Path(__file__).resolve().parents[3]
SEED = 20250101
SHORT_FIELDS = ("style", "colour", "fabric", "occasion", "season", "designer_name", "collection_name")


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def row(design):
    """What goes into the database of a design."""
    return {name: value for name, value in vars(design).items() if name != "kind"}


@pytest.fixture(scope="module")
def gallery():
    return list(plan(240, SEED))


def test_there_are_at_least_seventy_two_distinct_kinds():
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 72


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_described_by_a_sentence_of_its_own_and_can_be_drawn(kind):
    assert kind.sentence.endswith(".")
    assert kind.sentence[0].isupper()
    assert len(kind.sentence.split()) >= 10
    assert [other.name for other in KINDS if other.sentence == kind.sentence] == [kind.name]
    assert kind.family in FAMILIES
    assert kind.metal in COLOURS
    assert all(motif in PHRASES for motif in kind.motifs)
    assert kind.garments
    assert kind.occasions
    assert kind.seasons
    for way in kind.colourways:
        assert len(way) == 5
        assert all(name in COLOURS for name in way)


def test_every_figure_that_is_drawn_has_a_phrase():
    assert set(MOTIFS) <= set(PHRASES)


def test_240_designs_have_240_titles_and_use_every_kind(gallery):
    assert len({design.title for design in gallery}) == 240
    assert {design.kind.name for design in gallery} == {kind.name for kind in KINDS}


def test_titles_stay_distinct_when_the_variants_of_a_kind_run_out():
    titles = [design.title for design in plan(5000, SEED)]
    assert len(set(titles)) == len(titles)


def test_a_design_is_the_same_whatever_the_count():
    assert [row(d) for d in plan(30, SEED)] == [row(d) for d in islice(plan(5000, SEED), 30)]


def test_another_seed_makes_another_gallery():
    assert [d.title for d in plan(30, SEED)] != [d.title for d in plan(30, SEED + 1)]


def test_every_field_fits_its_column_and_its_filter(gallery):
    for design in gallery:
        assert 0 < len(design.title) <= 200
        assert 0 < len(design.category) <= 50
        assert len(design.description) > 60
        for name in SHORT_FIELDS:
            assert 0 < len(getattr(design, name)) <= 100
        # A comma separates the values of a filter, so a value that holds one could not be asked for.
        assert not any("," in getattr(design, name) for name in ("category", *SHORT_FIELDS))


def test_what_is_said_of_a_design_is_true_of_its_kind(gallery):
    for design in gallery:
        kind = design.kind
        assert design.category in kind.garments
        assert design.fabric == kind.fabric
        assert design.occasion in kind.occasions
        assert design.season in kind.seasons
        assert design.description.startswith(kind.sentence)
        assert kind.region in design.description
        assert kind.name in design.title


def test_the_gallery_is_spread_over_half_a_year_and_a_few_are_featured():
    designs = list(plan(1000, SEED))
    assert all(timedelta(0) <= design.created_offset < timedelta(days=180) for design in designs)
    assert len({design.created_offset.days for design in designs}) > 150
    assert 50 <= sum(design.featured for design in designs) <= 110
    assert {design.designer_name for design in designs} == set(DESIGNERS)
    assert {design.collection_name for design in designs} == set(COLLECTIONS)
    assert all(0 <= weight <= 1 for design in designs for weight in (design.view_weight, design.like_weight))


def test_no_two_of_240_pictures_are_the_same_and_none_is_a_flat_area(gallery):
    seen = set()
    for design in gallery:
        picture = design.draw()
        assert picture.mode == "RGB"
        assert picture.size == (900, 1200)
        assert len(picture.reduce(4).getcolors(300 * 225)) > 2000, design.title
        seen.add(digest(picture))
    assert len(seen) == 240


def test_a_picture_is_the_same_in_another_process(gallery):
    code = (
        "import hashlib\n"
        "from demo.plan import plan\n"
        f"for design in list(plan(240, {SEED}))[::40]:\n"
        "    print(hashlib.sha256(design.draw().tobytes()).hexdigest())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == [digest(design.draw()) for design in gallery[::40]]
