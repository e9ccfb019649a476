"""Where backups lie and which ones stay: a folder, the private bucket."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from operations.backups import contents, newest, places, retention
from operations.backups.errors import BackupError
from operations.backups.names import moment_of, name_of
from operations.backups.pictures import missing_pictures

moments = st.lists(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(
        lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
    ),
    max_size=60,
)


@given(moments)
def test_the_newest_of_days_weeks_and_months_are_kept(taken):
    kept = retention.kept(taken)
    assert kept <= set(taken)
    older = {moment for moment in kept if max(kept) - moment >= retention.RECENT}
    assert len(older) <= retention.DAYS + retention.WEEKS + retention.MONTHS
    if taken:
        assert max(taken) in kept
    for period, most in (
        (lambda m: m.date(), retention.DAYS),
        (lambda m: m.isocalendar()[:2], retention.WEEKS),
        (lambda m: (m.year, m.month), retention.MONTHS),
    ):
        newest_periods = sorted({period(moment) for moment in taken}, reverse=True)[:most]
        for one in newest_periods:
            assert max(moment for moment in taken if period(moment) == one) in kept


@given(moments)
def test_thinning_again_deletes_nothing(taken):
    kept = retention.kept(taken)
    assert retention.kept(kept) == kept


def test_one_more_after_a_mistake_costs_none_of_before_it():
    """The last good one is of the same morning, or of last night where the day is another one by UTC."""
    taken = {datetime(2026, 12, 31, 20, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 3, 7, 8)}
    assert retention.kept(taken) == taken


def test_a_backup_a_day_for_two_years():
    start, kept = datetime(2025, 1, 1, 3, 17, tzinfo=UTC), set()
    for day in range(730):
        kept = retention.kept({*kept, start + timedelta(days=day)})
    ages = sorted((start + timedelta(days=729) - moment).days for moment in kept)
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert 18 <= len(kept) <= 23
    assert 300 < ages[-1] < 366


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_name_says_the_moment(moment):
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    assert moment_of(name_of(moment)) == moment


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gallery-20261129T031700Z.backup.part",
        "gallery-20261399T031700Z.backup",
        "x-20261129T031700Z.backup",
    ],
)
def test_other_names_are_of_no_backup(name):
    assert moment_of(name) is None


@pytest.fixture
def private(bucket_store, settings):
    """The private bucket."""
    options = {
        name: value for name, value in bucket_store.settings["OPTIONS"].items() if name != "public_url"
    }
    backend = {"BACKEND": "core.r2.PrivateBucket", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "private": backend}
    settings.BACKUP_KEY = ""
    yield storages["private"]
    bucket_store.empty()


def quiet(*arguments, **options):
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_backups_in_the_bucket_are_found_read_and_thinned(gallery, private, tmp_path, target):
    assert newest(private) is None
    for day in range(20):
        name = name_of(datetime(2026, 10, 5, tzinfo=UTC) + timedelta(days=day))
        place = places.place_of("r2:")
        with place.writing(name) as path:
            path.write_bytes(b"an older one")
    said = quiet("backup", to="r2:")
    assert said.count("Deleted ") > 8
    moment = newest(private)
    assert datetime.now(UTC) - moment < timedelta(minutes=10)
    assert "can be restored" in quiet("backup", verify=f"r2:{name_of(moment)}")
    with pytest.raises(CommandError, match="The private bucket has no backups/none"):
        quiet("restore", "r2:none")


@pytest.mark.parametrize("fault", ["refuse", "throttle", "cut", "lose"])
@pytest.mark.parametrize("method", ["PUT", "HEAD", "GET", "DELETE"])
@pytest.mark.django_db(transaction=True)
def test_a_bucket_that_fails_midway_costs_no_backup(db_of_commits, private, bucket_store, fault, method):
    """What fails is a sentence; those that were there stay, and what the bucket lists is whole."""
    older = [name_of(datetime(2026, 10, 5, tzinfo=UTC) + timedelta(days=day)) for day in range(3)]
    bucket = places.place_of("r2:")
    for name in older:
        with bucket.writing(name) as path:
            path.write_bytes(b"an older one")
    bucket_store.proxy.fault = lambda called, path: fault if called == method else ""
    said = ""
    try:
        quiet("backup", to="r2:")
    except CommandError as error:
        said = str(error)
    finally:
        bucket_store.proxy.fault = lambda called, path: ""
    assert not said or said.startswith("The private bucket could not be ")
    assert "127.0.0.1" not in said
    found = bucket.names()
    assert found[:3] == older
    for name in found[3:]:
        assert "can be restored" in quiet("backup", verify=f"r2:{name}")


def test_a_bucket_without_a_name_names_the_newest(private):
    with pytest.raises(CommandError, match=r"Name a backup of the private bucket, r2:NAME: there is none"):
        quiet("restore", "r2:")
    for day in range(1, 9):
        with places.place_of("r2:").writing(name_of(datetime(2026, 10, day, tzinfo=UTC))) as path:
            path.write_bytes(b"an older one")
    with pytest.raises(CommandError, match=r"r2:NAME: gallery-20261008T000000Z.backup, .*-20261004T"):
        quiet("restore", "r2:")


def test_a_bucket_that_fails_is_a_sentence_without_its_address(private, bucket_store):
    with pytest.raises(BackupError, match=r"The private bucket could not be listed \(\w+\)\.") as error:
        newest(type("Broken", (), {"listdir": lambda self, path: 1 / 0})())
    assert "127.0.0.1" not in str(error.value)


def test_without_a_private_bucket(settings):
    with pytest.raises(CommandError, match="CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"):
        call_command("backup", to="r2:")


def test_neither_a_place_nor_a_file():
    with pytest.raises(CommandError, match="--to FOLDER or --to r2:"):
        call_command("backup")


@pytest.mark.django_db(transaction=True)
def test_pictures_that_are_gone_or_others_are_named(gallery, media, tmp_path, settings):
    settings.BACKUP_KEY = ""
    for name in "abc":
        (media / f"{name}.jpg").write_bytes(name.encode() * 9)
    quiet("backup", to=str(tmp_path / "b"))
    (media / "a.jpg").unlink()
    (media / "b.jpg").write_bytes(b"another one")
    (media / "new.jpg").write_bytes(b"later")
    (path,) = (tmp_path / "b").iterdir()
    with contents.opened(path) as backup:
        missing = missing_pictures(backup)
    assert (missing.gone, missing.changed, missing.keys) == (1, 1, ["a.jpg", "b.jpg"])
