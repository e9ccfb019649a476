"""Two members of staff on one page: what one stored is not taken back by a page that the other opened before."""

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts import services as people
from accounts.models import User
from core import app_settings, races
from core.models import AuditEntry
from designs import services, synonyms
from designs.models import Design, Synonym
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, DesignImageFactory, SynonymFactory
from tests.factories.uploads import ImageFactory
from tests.pages import fields_of
from tests.pictures import picture
from tests.races import Meanwhile
from uploads.models import Image

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = reverse("admin:core_appsetting_changelist")
CLEANED = "console.merging.MergingForm._clean_form"  # after the comparison, before the write


@pytest.fixture
def boss():
    return UserFactory(username="asha", admin=True)


@pytest.fixture
def meera():
    return UserFactory(username="meera", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def path_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def opened(staff, row):
    """What the change page of the row would send if nobody touched it."""
    return fields_of(staff.get(path_of(row)), f"{row._meta.model_name}_form")


def save(staff, row, shown, **changed):
    """Send the page with what its reader changed; None is a box that is not ticked."""
    sent = {name: value for name, value in {**shown, **changed}.items() if value is not None}
    return staff.post(path_of(row), sent)


def again(response, row, **changed):
    """What a page that came back with a question would send."""
    return {**fields_of(response, f"{row._meta.model_name}_form"), **changed}


class TestADesign:
    @pytest.fixture
    def design(self):
        return DesignFactory(title="Ikat", occasion="Wedding", description="Two\nlines ", featured=True)

    def test_sent_back_untouched_changes_nothing(self, staff, design):
        assert save(staff, design, opened(staff, design)).status_code == 302
        assert not AuditEntry.objects.exists()

    def test_keeps_what_a_colleague_changed_meanwhile(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"occasion": "Festival", "featured": False})
        assert save(staff, design, shown, description="Soft").status_code == 302
        design.refresh_from_db()
        assert (design.occasion, design.featured, design.description) == ("Festival", False, "Soft")
        assert AuditEntry.objects.order_by("id").last().changes == {"description": ["Two\nlines ", "Soft"]}

    @pytest.mark.parametrize("status", ["archived", "draft"])
    def test_is_not_published_again(self, staff, meera, design, status):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"status": status})
        assert save(staff, design, shown, title="Patola").status_code == 302
        design.refresh_from_db()
        assert (design.status, design.title) == (status, "Patola")

    def test_changed_by_both_is_asked_about_with_both_values_who_and_when(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"title": "Patola", "fabric": "Silk"})
        response = save(staff, design, shown, title="<b>Bandhani</b>", season="Winter")
        page = response.content.decode()
        assert response.status_code == 200
        line = AuditEntry.objects.get()
        when = date_format(localtime(line.created_at, settings.CONSOLE_TIME_ZONE), "DATETIME_FORMAT")
        assert f"meera changed this on {when}." in page
        assert "<q>Patola</q>" in page
        assert "<q>&lt;b&gt;Bandhani&lt;/b&gt;</q>" in page
        assert 'value="Silk"' in page
        assert Design.objects.get().title == "Patola"

        assert save(staff, design, again(response, design)).status_code == 200  # no choice is none
        assert Design.objects.get().season == ""

        sent = again(response, design, **{"choose-title": "theirs"})
        assert save(staff, design, sent).status_code == 302
        found = Design.objects.get()
        assert (found.title, found.fabric, found.season) == ("Patola", "Silk", "Winter")

    def test_changed_by_both_is_stored_as_chosen(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"status": "archived", "featured": False})
        design.refresh_from_db()
        response = save(staff, design, shown, status="draft", title="Bandhani")
        sent = again(response, design, **{"choose-status": "mine"})
        assert save(staff, design, sent).status_code == 302
        found = Design.objects.get()
        assert (found.status, found.featured, found.title) == ("draft", False, "Bandhani")

    def test_is_asked_about_anew_if_it_changes_before_the_choice(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"title": "Patola"})
        response = save(staff, design, shown, title="Bandhani")
        services.design_update(meera, Design.objects.get(), {"title": "Leheriya"})
        sent = again(response, design, **{"choose-title": "mine"})
        response = save(staff, design, sent)
        assert "<q>Leheriya</q>" in response.content.decode()
        assert Design.objects.get().title == "Leheriya"

    def test_changed_by_both_to_the_same_is_no_question(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"title": "Patola"})
        assert save(staff, design, shown, title="Patola").status_code == 302
        assert AuditEntry.objects.count() == 1

    def test_shows_what_it_takes_over_beside_another_fault(self, staff, meera, design):
        shown = opened(staff, design)
        services.design_update(meera, Design.objects.get(), {"occasion": "Festival"})
        response = save(staff, design, shown, title="")
        sent = again(response, design, title="Patola")
        assert sent["occasion"] == "Festival"
        assert save(staff, design, sent).status_code == 302
        assert (Design.objects.get().title, Design.objects.get().occasion) == ("Patola", "Festival")

    def test_keeps_its_pictures(self, staff, meera):
        further = DesignImageFactory(alt="The border")
        design, other = further.design, ImageFactory()
        shown = opened(staff, design)
        keys = [other.object_key, design.image_id]
        services.design_update(meera, Design.objects.get(), {"image_keys": keys})
        assert save(staff, design, shown, title="Patola").status_code == 302
        assert Design.objects.get().image_keys == keys

    @pytest.mark.parametrize("is_purged", [False, True])
    def test_deleted_meanwhile_gives_back_what_was_typed(self, staff, meera, design, is_purged):
        shown = opened(staff, design)
        services.design_delete(meera, Design.objects.get())
        if is_purged:
            services.design_purge(meera, Design.objects.get())
        response = save(
            staff, design, shown, title="<b>Patola</b>", description="Two\r\nlines ", featured=None
        )
        page = response.content.decode()
        assert response.status_code == 409
        assert "<dt>Title</dt><dd>&lt;b&gt;Patola&lt;/b&gt;</dd>" in page
        assert "<dt>Featured</dt><dd>False</dd>" in page
        assert "<dt>Description</dt>" not in page
        assert ("has been deleted. Nothing is saved." if is_purged else "is in the trash.") in page
        assert not AuditEntry.objects.filter(changes__has_key="title", action="design.update").exists()

    def test_gets_no_cover_by_a_file_unasked_after_a_colleague_chose_another(
        self, staff, meera, design, folder
    ):
        shown, other = opened(staff, design), ImageFactory()
        services.design_update(meera, Design.objects.get(), {"r2_object_key": other.object_key})

        def file():
            return SimpleUploadedFile("cloth.jpg", picture(), "image/jpeg")

        response = save(staff, design, shown, picture=file())
        assert "meera changed this" in response.content.decode()
        assert Design.objects.get().image == other
        assert save(staff, design, {**again(response, design), "picture": file()}).status_code == 302
        assert Design.objects.get().image not in (other, design.image)
        assert Image.objects.count() == 3

    def test_changed_between_the_comparison_and_the_write_is_asked_about(
        self, staff, meera, design, monkeypatch
    ):
        shown = opened(staff, design)

        def change():
            services.design_update(meera, Design.objects.get(), {"title": "Patola", "occasion": "Festival"})

        meanwhile = Meanwhile(monkeypatch, CLEANED, change)
        response = save(staff, design, shown, title="Bandhani")
        meanwhile.answer()
        found = Design.objects.get()
        assert found.occasion == "Festival"
        if found.title == "Patola":
            assert response.status_code == 302 or "<q>Patola</q>" in response.content.decode()
        trail = AuditEntry.objects.order_by("id").values_list("changes__title", flat=True)
        assert ["Ikat", "Bandhani"] not in list(trail)[1:]


class TestAPerson:
    @pytest.fixture
    def person(self):
        return UserFactory(username="noor", full_name="Noor Jahan", contact="noor@example.com", admin=True)

    def test_sent_back_untouched_changes_nothing(self, staff, person):
        before = User.objects.values().get(pk=person.pk)
        assert save(staff, person, opened(staff, person)).status_code == 302
        assert User.objects.values().get(pk=person.pk) == before

    def test_who_was_demoted_is_not_admin_again(self, staff, meera, person):
        shown = opened(staff, person)
        people.user_update(meera, person.pk, is_admin=False, contact="n@example.com")
        assert save(staff, person, shown, full_name="Noor J.").status_code == 302
        person.refresh_from_db()
        assert (person.is_admin, person.full_name, person.contact) == (False, "Noor J.", "n@example.com")

    def test_changed_by_both_is_asked_about(self, staff, meera, person):
        shown = opened(staff, person)
        people.user_update(meera, person.pk, username="noor.j", contact="n@example.com", is_admin=False)
        response = save(
            staff, person, shown, username="noor2", contact="x@example.com", is_editor="on", full_name="N."
        )
        page = response.content.decode()
        assert "<q>noor.j</q>" in page
        assert "meera changed this on" in page
        assert "<q>n@example.com</q>" in page
        person.refresh_from_db()
        assert (person.full_name, person.is_editor) == ("Noor Jahan", False)
        choices = {"choose-username": "theirs", "choose-contact": "mine"}
        assert save(staff, person, again(response, person, **choices)).status_code == 302
        person = User.objects.get(pk=person.pk)
        assert (person.username, person.contact, person.full_name) == ("noor.j", "x@example.com", "N.")
        assert (person.is_admin, person.is_editor) == (False, True)

    @pytest.mark.parametrize(
        ("theirs", "mine"),
        [
            ({"username": "noor.j"}, {"username": "noor2"}),
            ({"contact": "n@example.com"}, {"contact": "x@example.com"}),
        ],
    )
    def test_changed_between_the_comparison_and_the_write_is_asked_about(
        self, staff, meera, person, monkeypatch, theirs, mine
    ):
        shown = opened(staff, person)
        meanwhile = Meanwhile(monkeypatch, CLEANED, lambda: people.user_update(meera, person.pk, **theirs))
        response = save(staff, person, shown, **mine)
        meanwhile.answer()
        (field, value), *_ = theirs.items()
        if getattr(User.objects.get(pk=person.pk), field) == value and response.status_code == 200:
            assert f"<q>{value}</q>" in response.content.decode()
        else:  # SQLite holds its file for the whole of the page: the colleague came second
            assert AuditEntry.objects.order_by("id").last().actor_username == "meera"

    def test_made_an_editor_meanwhile_stays_one(self, staff, meera, person, monkeypatch):
        shown = opened(staff, person)
        meanwhile = Meanwhile(
            monkeypatch, CLEANED, lambda: people.user_update(meera, person.pk, is_editor=True)
        )
        assert save(staff, person, shown, full_name="Noor J.").status_code == 302
        meanwhile.answer()
        person = User.objects.get(pk=person.pk)
        assert (person.is_editor, person.full_name) == (True, "Noor J.")

    def test_deleted_meanwhile_gives_back_what_was_typed(self, staff, meera, person):
        shown = opened(staff, person)
        people.user_delete(meera, person.pk)
        response = save(staff, person, shown, full_name="Noor J.")
        assert response.status_code == 409
        assert "<dt>Full name</dt><dd>Noor J.</dd>" in response.content.decode()


class TestTheSettings:
    def send(self, staff, shown, **changed):
        sent = {name: value for name, value in {**shown, **changed}.items() if value is not None}
        return staff.post(SETTINGS, sent)

    def test_keep_what_a_colleague_changed_meanwhile(self, staff, meera):
        shown = fields_of(staff.get(SETTINGS))
        app_settings.settings_update(meera, {"registration_open": False, "support_contact": "call us"})
        assert self.send(staff, shown, terms_url="https://example.com/terms").status_code == 302
        values = app_settings.all_values()
        assert values["registration_open"] is False
        assert (values["support_contact"], values["terms_url"]) == ("call us", "https://example.com/terms")

    def test_changed_by_both_are_asked_about(self, staff, meera):
        shown = fields_of(staff.get(SETTINGS))
        app_settings.settings_update(meera, {"support_contact": "call us"})
        response = self.send(staff, shown, support_contact="write to us")
        assert "<q>call us</q>" in response.content.decode()
        assert "meera changed this on" in response.content.decode()
        assert app_settings.get("support_contact") == "call us"
        sent = fields_of(response) | {"choose-support_contact": "mine"}
        assert self.send(staff, sent).status_code == 302
        assert app_settings.get("support_contact") == "write to us"

    def test_changed_between_the_comparison_and_the_write_are_asked_about(self, staff, meera, monkeypatch):
        shown = fields_of(staff.get(SETTINGS))
        meanwhile = Meanwhile(
            monkeypatch, CLEANED, lambda: app_settings.settings_update(meera, {"support_contact": "call us"})
        )
        response = self.send(staff, shown, support_contact="write to us")
        meanwhile.answer()
        assert "<q>call us</q>" in response.content.decode()
        assert app_settings.get("support_contact") == "call us"


class TestASynonym:
    @pytest.fixture
    def synonym(self):
        return SynonymFactory(kind="same", phrase="bandhej", words="bandhani", source="")

    def change(self, meera, **fields):
        synonyms.synonym_update(meera, Synonym.objects.get(), fields)

    def test_keeps_what_a_colleague_changed_meanwhile(self, staff, meera, synonym):
        shown = opened(staff, synonym)
        self.change(meera, words="bandhani, leheriya")
        assert save(staff, synonym, shown, source="A dyer").status_code == 302
        found = Synonym.objects.get()
        assert (found.words, found.source) == ("bandhani, leheriya", "A dyer")

    def test_changed_by_both_is_asked_about(self, staff, meera, synonym):
        shown = opened(staff, synonym)
        self.change(meera, words="leheriya")
        response = save(staff, synonym, shown, words="tie and dye")
        assert "<q>leheriya</q>" in response.content.decode()
        assert Synonym.objects.get().words == "leheriya"

    def test_changed_between_the_comparison_and_the_write_keeps_both_changes(
        self, staff, meera, synonym, monkeypatch
    ):
        shown = opened(staff, synonym)

        def change():
            races.repeated(lambda _: self.change(meera, words="leheriya"))

        meanwhile = Meanwhile(monkeypatch, CLEANED, change)
        assert save(staff, synonym, shown, source="A dyer").status_code == 302
        meanwhile.answer()
        found = Synonym.objects.get()
        assert (found.words, found.source) == ("leheriya", "A dyer")
