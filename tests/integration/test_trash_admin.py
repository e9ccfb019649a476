"""The trash of designs in the console: what is in it, restored, deleted for good; and what deletions count."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core.models import AuditEntry
from designs import services
from designs.fields import Status
from designs.models import Design, Favourite
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, DesignImageFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")
TRASH = reverse("admin:designs_design_show_trash")


@pytest.fixture
def boss():
    return UserFactory(username="curator", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def page_of(response):
    return response.content.decode()


def trashed(title, likes=0, **fields):
    design = DesignFactory(title=title, **fields)
    FavouriteFactory.create_batch(likes, design=design)
    services.design_delete(None, Design.objects.get(pk=design.pk))
    return design


def act(staff, action, *designs, **more):
    return staff.post(TRASH, {"action": action, "design": [design.pk for design in designs], **more})


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_the_trash_lists_what_was_deleted_until_when_and_nothing_else(staff):
    DesignFactory(title="Living")
    design = trashed("Gone", status="draft")
    Design.objects.filter(pk=design.pk).update(deleted_at=timezone.now() - timedelta(days=29, hours=12))
    page = page_of(staff.get(TRASH))
    until = timezone.localtime(
        timezone.now() + timedelta(hours=12), timezone.zoneinfo.ZoneInfo("Asia/Kolkata")
    )
    assert "Gone" in page
    assert "Living" not in page
    assert "draft" in page
    assert f"{until.day} {until:%b %Y}" in page


def test_it_comes_in_pages_and_says_when_it_is_empty(staff):
    assert "The trash is empty." in page_of(staff.get(TRASH))
    for number in range(26):
        trashed(f"gown {number:02}.")
    first, second = (page_of(staff.get(TRASH, {"page": page})) for page in (1, 2))
    assert ("gown 25." in first, "gown 00." in first) == (True, False)
    assert ("gown 25." in second, "gown 00." in second) == (False, True)


def test_chosen_designs_are_taken_out_as_they_were(staff):
    first, second, third = (trashed(name, likes=2, status="archived") for name in "abc")
    assert act(staff, "restore", first, second).status_code == 302
    assert dict(Design.objects.values_list("title", "status")) == {
        "a": "archived", "b": "archived", "c": "deleted",
    }  # fmt: skip
    assert Favourite.objects.count() == 6
    assert actions()[-2:] == ["design.restore"] * 2
    assert "2 designs are taken out" in page_of(staff.get(TRASH))
    assert third.title in page_of(staff.get(TRASH))


def test_a_purge_asks_first_and_counts_what_goes(staff):
    design = trashed("Gone", likes=42)
    Design.objects.filter(pk=design.pk).update(view_count=1203)
    page = page_of(act(staff, "purge", design))
    for words in ("Delete “Gone” for good?", "42 likes", "1,203 views", "2 versions", "pictures stay"):
        assert words in page
    assert "likes design" not in page
    assert Design.objects.filter(pk=design.pk).exists()


def test_who_deletes_a_design_is_told_where_it_is(staff):
    design = DesignFactory(title="<Ikat>")
    address = reverse("admin:designs_design_delete", args=[design.pk])
    page = page_of(staff.post(address, {"post": "yes"}, follow=True))
    assert "“&lt;Ikat&gt;” is in <a" in page
    assert f'href="{TRASH}">the trash</a> for 30 days.' in page


def test_a_confirmed_purge_deletes_for_good_and_keeps_pictures(staff):
    first, second = trashed("a", likes=2), trashed("b")
    DesignImageFactory(design=first)
    assert act(staff, "purge", first, second, confirmed=1).status_code == 302
    assert not Design.objects.exists()
    assert not Favourite.objects.exists()
    assert Image.objects.count() == 3
    assert actions()[-2:] == ["design.purge"] * 2


def test_what_is_not_in_the_trash_is_never_purged_there(staff):
    living = DesignFactory()
    act(staff, "purge", living, confirmed=1)
    assert Design.objects.filter(pk=living.pk).exists()


@pytest.mark.parametrize("sent", ["", "abc", "-1", "9" * 30, "\0", "9223372036854775808"])
@pytest.mark.parametrize("action", ["restore", "purge", "", "burn"])
def test_odd_choices_change_nothing(staff, sent, action):
    trashed("Gone")
    before = Design.objects.values().get()
    assert staff.post(TRASH, {"action": action, "design": sent, "confirmed": 1}).status_code == 302
    assert Design.objects.values().get() == before


def test_the_page_of_a_deleted_design_shows_it_and_leads_out(staff):
    design = trashed("Gone", status="draft")
    page = page_of(staff.get(reverse("admin:designs_design_change", args=[design.pk])))
    assert "This design is in the trash since" in page
    assert 'name="_save"' not in page
    assert reverse("admin:designs_design_restore", args=[design.pk]) in page


def test_the_page_before_a_deletion_says_that_it_is_none_and_lists_no_like(staff):
    design = DesignFactory(title="Kanjivaram")
    FavouriteFactory.create_batch(3, design=design)
    Design.objects.filter(pk=design.pk).update(view_count=7)  # so that a copy of D1 has the likes at once
    pages = [
        page_of(staff.get(reverse("admin:designs_design_delete", args=[design.pk]))),
        page_of(staff.post(LIST, {"action": "delete_selected", "_selected_action": [design.pk]})),
    ]
    for page in pages:
        assert "3 likes" in page
        assert "into the trash" in page
        assert "30 days" in page
        assert "user_favorites" not in page.lower()
        assert "favourite:" not in page.lower()


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 design is in <a"), (2, "2 designs are in <a"), (0, "is in the trash already")]
)
def test_a_deletion_of_several_says_how_many_are_in_the_trash_now(staff, count, said):
    there = DesignFactory(status=Status.DELETED)
    chosen = [there.pk, *(design.pk for design in DesignFactory.create_batch(count))]
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    page = page_of(staff.post(LIST, sent, follow=True))
    assert said in page
    assert "Successfully deleted" not in page
    assert Design.objects.filter(status=Status.DELETED).count() == count + 1
    assert "Put the selected designs into the trash" in page_of(staff.get(f"{LIST}?status=deleted"))


def test_a_deletion_of_too_many_puts_none_into_the_trash(staff, monkeypatch):
    monkeypatch.setattr("console.designs.admin.MAX_SELECTED", 1)
    chosen = [design.pk for design in DesignFactory.create_batch(2)]
    answer = staff.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert not Design.objects.filter(status=Status.DELETED).exists()
    assert "at most 1 designs" in page_of(answer)


def test_the_page_before_a_person_is_deleted_counts_what_goes(staff):
    person = UserFactory(username="meera")
    FavouriteFactory.create_batch(42, user=person)
    SignInFactory(user=person)
    pages = [
        page_of(staff.get(reverse("admin:accounts_user_delete", args=[person.pk]))),
        page_of(
            staff.post(
                reverse("admin:accounts_user_changelist"),
                {"action": "delete_selected", "_selected_action": [person.pk]},
            )
        ),
    ]
    for page in pages:
        assert "42 likes" in page
        assert "1 sign-in<" in page
        assert "likes design" not in page
    assert User.objects.filter(pk=person.pk).exists()


def test_the_page_before_images_are_deleted_says_what_is_in_use(staff):
    used, free = DesignFactory().image, ImageFactory()
    chosen = {"action": "delete_selected", "_selected_action": [used.pk, free.pk]}
    page = page_of(staff.post(reverse("admin:uploads_image_changelist"), chosen))
    assert "In use: 1 of 2." in page
    assert Image.objects.count() == 2


def test_a_deletion_page_costs_no_query_for_each_like(staff, django_assert_max_num_queries):
    design = DesignFactory()
    FavouriteFactory.create_batch(10, design=design)
    with django_assert_max_num_queries(9):
        staff.get(reverse("admin:designs_design_delete", args=[design.pk]))


def test_who_may_only_look_changes_nothing(boss):
    from django.contrib.auth.models import Group, Permission

    editor, design = UserFactory(editor=True), trashed("Gone")
    for name in ("change_design", "delete_design"):
        Group.objects.get(name="Editors").permissions.remove(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(editor)
    assert client.get(TRASH).status_code == 200
    for action in ("restore", "purge"):
        assert act(client, action, design, confirmed=1).status_code == 403
    address = reverse("admin:designs_design_restore", args=[design.pk])
    assert client.post(address).status_code == 403
    assert Design.objects.get().is_deleted
