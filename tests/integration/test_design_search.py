"""The search under whatever text: never an error, and what is there is found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from designs.models import Design
from designs.search.reading import read_every_word
from designs.search.sql import matching, words_by
from tests.factories.designs import DesignFactory

SCRIPTS = st.sampled_from("abcÉßİñ'\"%_*-():^&अआकखगर्सािीुंாிுதமிழ்ਪੰਜਾਬੀবাংলাગુજ١٢٣42🪷👗।")
NO_NUL = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


class AnyText(TestCase):
    @settings(max_examples=300, deadline=None)
    @given(text=st.text(st.one_of(SCRIPTS, NO_NUL), max_size=60))
    def test_no_text_is_read_as_syntax(self, text):
        list(matching(Design.objects.all(), words_by(read_every_word(text))).values_list("pk", flat=True))

    @settings(max_examples=150, deadline=None)
    @given(words=st.lists(st.text(SCRIPTS, min_size=1, max_size=12), min_size=1, max_size=6))
    def test_a_title_is_found_by_each_of_its_words(self, words):
        design = DesignFactory(title=" ".join(words))
        for text in [*words, design.title]:
            assert matching(Design.objects.all(), words_by(read_every_word(text))).get() == design, text


@pytest.mark.django_db
def test_updates_of_counters_leave_the_index_alone(django_assert_num_queries):
    design = DesignFactory(title="Ikat")
    Design.objects.update(view_count=5, like_count=3)
    assert matching(Design.objects.all(), words_by(read_every_word("ikat"))).get() == design
