"""A gallery with something in each kind of table, and a new database to restore it into."""

import pytest

from core import audit, restores
from designs.models import DailyCount, Design, Favourite
from tests.backups.databases import new_database
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory, SynonymFactory
from uploads.models import Image

ODD_TEXTS = [
    "",
    "\0nul\0",
    "मैरून साड़ी 🧵",
    "quote ' \" % %s ?1 {}",
    "9223372036854775807",
    "1.0",
    "\u2028 \x7f",
]


@pytest.fixture
def gallery(db_of_commits):
    """Users, designs, likes, views, sign-ins of which some have ended, lines of the audit trail, odd texts."""
    admin = UserFactory(username="asha", admin=True, full_name="Asha", contact="asha@example.com")
    users = [UserFactory() for _ in range(3)]
    designs = [DesignFactory(title=f"Kanjivaram {n}", description=text) for n, text in enumerate(ODD_TEXTS)]
    for place, design in enumerate(designs):
        for user in users[: place % 4]:
            FavouriteFactory(user=user, design=design)
    DailyCountFactory(design=designs[0], day="2026-11-01", views=2**40)
    for user in users:
        SignInFactory(user=user)
        SignInFactory(user=user, ended_at="2026-11-02T10:00:00Z")
    SynonymFactory(phrase="nul", words="a\0b")
    for design in designs:
        audit.record(admin, "design.create", design, {"title": (None, design.title)})
    return admin


@pytest.fixture
def db_of_commits(transactional_db, django_db_blocker):
    """Commits, and databases that the test makes besides its own."""
    with django_db_blocker.unblock():
        yield
        # Django's flush empties totals before the rows that triggers take away from them.
        for model in (Favourite, DailyCount, Design, Image):
            model.objects.using("default").all().delete()


@pytest.fixture
def target(db_of_commits, tmp_path):
    with new_database("target", tmp_path / "target.sqlite3") as alias:
        yield alias


@pytest.fixture(autouse=True)
def _not_known_to_be_whole():
    restores._is_whole[0] = 0


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    options = {"location": tmp_path / "media", "base_url": "/media/"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "uploads.storage.folder.FolderStorage", "OPTIONS": options},
    }
    (tmp_path / "media").mkdir()
    return tmp_path / "media"
