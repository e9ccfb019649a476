"""seed_demo: a gallery that is alive, true in its counts, and can be asked for twice."""

import io

import pytest
from django.core.management import call_command
from django.db.models import Sum

from accounts.models import User
from designs.models import DailyCount, Design, Favourite
from tests.api.client import ApiClient
from uploads.models import Image
from uploads.storage.base import configured_store


def seed(designs):
    out = io.StringIO()
    call_command("seed_demo", designs=designs, seed=7, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_seeded_gallery_is_whole_and_a_second_run_changes_nothing():
    assert seed(3) == "Designs drawn: 3; there already: 0.\n"

    for design in Design.objects.select_related("image"):
        assert design.like_count == Favourite.objects.filter(design=design).count()
        assert design.view_count >= sum(design.daily_counts.values_list("views", flat=True))
        assert (design.image.width, design.image.height) == (900, 1200)
        for key in (design.image_id, *(rendition["key"] for rendition in design.image.renditions)):
            assert configured_store().exists(key)
    assert Design.objects.aggregate(views=Sum("view_count"))["views"] > 0
    assert len(set(Design.objects.values_list("created_at", flat=True))) == 3
    assert User.objects.filter(is_approved=False, reviewed_at=None).count() == 5
    assert not any(user.has_usable_password() for user in User.objects.all())
    found = ApiClient.approved().get("/api/designs", search=Design.objects.first().title).json()
    assert found["total"] >= 1

    before = [model.objects.count() for model in (Design, Image, User, Favourite, DailyCount)]
    assert seed(3) == "Designs drawn: 0; there already: 3.\n"
    assert [model.objects.count() for model in (Design, Image, User, Favourite, DailyCount)] == before


@pytest.mark.django_db
def test_a_run_goes_on_where_the_last_one_stopped():
    seed(2)
    titles = set(Design.objects.values_list("title", flat=True))
    assert seed(3) == "Designs drawn: 1; there already: 2.\n"
    assert titles < set(Design.objects.values_list("title", flat=True))
