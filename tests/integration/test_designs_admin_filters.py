"""The filters of the admin's list of designs: what each leaves, and how many."""

import pytest
from django.test import Client
from django.urls import reverse

from designs.fields import FACET_FIELDS
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")
FILTERS = reverse("admin:designs_design_filters")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="curator", admin=True))
    return client


@pytest.mark.parametrize("name", FACET_FIELDS)
def test_the_list_filters_by_every_attribute(staff, name):
    DesignFactory(title="wanted one", **{name: "Alpha"})
    DesignFactory(title="other one", **{name: "Beta"})
    page = staff.get(LIST, {name: "Alpha"}).content.decode()
    assert "wanted one" in page
    assert "other one" not in page


class TestFilters:
    def counts(self, client, **wanted):
        """{filter: {choice: count}} as the page shows them."""
        groups = client.get(FILTERS, wanted).context["groups"]
        return {group["title"]: {row["label"]: row["count"] for row in group["values"]} for group in groups}

    def test_tell_how_many_designs_each_choice_leaves(self, staff):
        DesignFactory(category="Saree", fabric="Silk", featured=True)
        DesignFactory(category="Saree", fabric="Cotton", status="draft")
        DesignFactory(category="Lehenga", fabric="Silk")
        counts = self.counts(staff)
        assert counts["status"] == {"Draft": 1, "Published": 2, "Archived": 0, "Deleted": 0}
        assert counts["featured"] == {"Featured": 1, "Not featured": 2}
        assert self.counts(staff, featured="1")["featured"] == counts["featured"]
        assert counts["category"] == {"Saree": 2, "Lehenga": 1}
        assert counts["season"] == {}

    def test_narrow_one_anothers_counts_and_not_their_own(self, staff):
        DesignFactory(category="Saree", fabric="Silk", title="peacock")
        DesignFactory(category="Lehenga", fabric="Cotton", title="peacock", status="draft")
        DesignFactory(category="Lehenga", fabric="Cotton")
        counts = self.counts(staff, fabric="Cotton", q="peac")
        assert counts["fabric"] == {"Silk": 1, "Cotton": 1}
        assert counts["category"] == {"Lehenga": 1}
        assert counts["status"] == {"Draft": 1, "Published": 0, "Archived": 0, "Deleted": 0}
        chosen = self.counts(staff, status="draft", featured="0")
        assert chosen["status"] == {"Draft": 1, "Published": 2, "Archived": 0, "Deleted": 0}
        assert chosen["featured"] == {"Featured": 0, "Not featured": 1}
        assert chosen["category"] == {"Lehenga": 1}

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"status": "draft"}, "b"),
            ({"featured": "1"}, "a"),
            ({"category": "साड़ी"}, "c"),
            ({"category": "sAREE", "featured": "0"}, "b"),
        ],
    )
    def test_narrow_the_list(self, staff, wanted, found):
        DesignFactory(title="gown a", featured=True)
        DesignFactory(title="gown b", status="draft")
        DesignFactory(title="gown c", category="साड़ी")
        page = staff.get(LIST, wanted).content.decode()
        assert [name for name in "abc" if f"gown {name}" in page] == [found]

    def test_lead_to_the_list_that_they_narrow(self, staff):
        DesignFactory(fabric="Silk")
        assert f"{FILTERS}?q=design" in staff.get(LIST, {"q": "design"}).content.decode()
        groups = staff.get(FILTERS, {"q": "design"}).content.decode()
        assert 'href="?fabric=Silk&amp;q=design"' in groups

    def test_are_for_staff_alone(self):
        stranger = Client()
        stranger.force_login(UserFactory())
        assert stranger.get(FILTERS).status_code == 302

    def test_show_the_commonest_values_and_the_one_that_is_chosen(self, staff):
        for number in range(25):
            DesignFactory(designer_name=f"Designer {number:02}")
        assert len(self.counts(staff)["designer"]) == 20
        assert "Designer 24" in self.counts(staff, designer_name="Designer 24")["designer"]
