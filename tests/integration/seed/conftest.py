import pytest
from django.conf import settings

from designs.models import DayTotal, Favourite, ValueTotal
from tests.integration.seed.databases import PICTURE, SCHEMA, D1Seed, FileSeed, key
from uploads.models import ImageTotal

ON_D1 = settings.DATABASES["default"]["ENGINE"] == "d1backend"


@pytest.fixture(autouse=True)
def _new_totals(request):
    """The totals of a new database. A flush empties their tables before those whose triggers change them.

    Favourites go before it, because a trigger would note those of users who are gone already for designs to come.
    """
    if not request.node.get_closest_marker("django_db"):
        yield
        return
    request.getfixturevalue("transactional_db")
    for model in (DayTotal, ValueTotal, ImageTotal):
        model.objects.all().delete()
    yield
    Favourite.objects.all().delete()


@pytest.fixture(autouse=True)
def _no_deletions(deletions):
    """Nobody has left this gallery; other tests of this process may have let somebody leave."""


@pytest.fixture(params=["file", "d1"] if ON_D1 else ["file"])
def seed(request, tmp_path):
    """The seed's empty database, in a file, and on D1 too where the gallery is on D1."""
    made = D1Seed() if request.param == "d1" else FileSeed(tmp_path / "seed.sqlite3")
    made.run(*SCHEMA)
    yield made
    if request.param == "d1":
        made.close()


@pytest.fixture
def pictured(folder):
    """A store that has the pictures 1 to 3 of the seed's."""
    for number in (1, 2, 3):
        folder.write(key(number), PICTURE)
    return folder


@pytest.fixture(autouse=True)
def _bcrypt(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "accounts.hashers.PlainBCryptPasswordHasher",
    ]
