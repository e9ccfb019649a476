"""What production knows of textile traditions agrees with the kinds of the demo gallery."""

from demo.vocabulary import KINDS
from designs.regions import REGION_OF_TRADITION


def test_each_tradition_of_the_demo_has_its_region_in_production():
    assert {kind.name.lower(): kind.region.rsplit(", ", 1)[-1] for kind in KINDS} == REGION_OF_TRADITION
