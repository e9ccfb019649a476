"""`manage.py doctor` on a database and a bucket that are well, and on each of their faults."""

import io
import json

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from core.models import AppSetting
from devtools.s3_server import s3_client
from operations.doctor import buckets, configuration, copies, database, host
from operations.doctor.findings import Status, Visit
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.stores import ORIGIN

VISIT = Visit()


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def examine(*arguments):
    """The report for programs, and whether the command failed."""
    try:
        call_command("doctor", "--json", *arguments, stdout=(said := io.StringIO()))
    except CommandError:
        return json.loads(said.getvalue()), True
    return json.loads(said.getvalue()), False


@pytest.mark.django_db(transaction=True)
def test_a_development_gallery_without_an_admin_is_well_but_for_a_warning():
    told, failed = examine()
    by_name = {check["name"]: check for check in told["checks"]}
    assert [check for check in told["checks"] if check["status"] == "fault"] == []
    assert by_name["database.admin"]["status"] == "warning"
    assert by_name["bucket.objects"]["sentence"].startswith("R2 is not used")
    assert not failed
    _, failed = examine("--strict")
    assert failed


@pytest.mark.django_db(transaction=True)
def test_a_fault_is_the_status_of_the_command_and_the_rest_is_still_checked():
    UserFactory(is_admin=True, is_approved=True)
    AppSetting.objects.create(key="registration_open", value='"perhaps"')
    told, failed = examine()
    assert failed
    assert told["status"] == "fault"
    by_name = {check["name"]: check["status"] for check in told["checks"]}
    assert by_name["database.app_settings"] == "fault"
    assert by_name["database.triggers"] == by_name["database.admin"] == "ok"


def test_an_address_without_a_scheme_is_refused():
    with pytest.raises(CommandError, match="https://"):
        call_command("doctor", "--url", "gallery.example")


@pytest.mark.django_db
class TestDatabase:
    def test_migrations_that_are_not_applied_are_named(self):
        execute("DELETE FROM django_migrations WHERE app = 'designs'")
        finding = database.migrations(VISIT)
        assert finding.status == Status.FAULT
        assert "designs.0001_initial" in finding.sentence

    def test_migrations_of_a_newer_release_are_a_warning(self):
        execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('designs', '0999_x', '2026-11-29')"
        )
        finding = database.migrations(VISIT)
        assert finding.status == Status.WARNING
        assert "designs.0999_x" in finding.sentence

    def test_missing_changed_and_stray_triggers_are_named(self):
        assert database.triggers_equal(VISIT).status == Status.OK
        execute("CREATE TRIGGER left_over AFTER INSERT ON designs BEGIN SELECT 1; END")
        assert database.triggers_equal(VISIT).status == Status.WARNING
        assert "left_over" in database.triggers_equal(VISIT).sentence
        execute(
            "DROP TRIGGER favorites_count_insert",
            "DROP TRIGGER favorites_count_delete",
            "CREATE TRIGGER favorites_count_delete AFTER INSERT ON user_favorites BEGIN SELECT 1; END",
        )
        finding = database.triggers_equal(VISIT)
        assert finding.status == Status.FAULT
        assert "favorites_count_insert is missing" in finding.sentence
        assert "favorites_count_delete in the database 'default' differs" in finding.sentence

    @pytest.mark.parametrize(
        ("statement", "named"),
        [
            ("UPDATE designs SET like_count = like_count + 1", "designs.like_count"),
            ("UPDATE value_totals SET count = count + 1 WHERE field = 'all'", "value_totals"),
            ("DELETE FROM value_totals WHERE field = 'all'", "value_totals"),
            ("UPDATE image_totals SET bytes = bytes - 1", "image_totals"),
        ],
    )
    def test_a_count_that_differs_is_named(self, statement, named):
        DesignFactory()
        assert database.differing("default") == []
        execute(statement)
        assert database.differing("default") == [named]

    def test_settings_of_staff_that_are_unknown_or_broken_are_named(self):
        assert database.told_settings(VISIT).status == Status.OK
        AppSetting.objects.create(key="colour", value="1")
        assert database.told_settings(VISIT).status == Status.WARNING
        AppSetting.objects.create(key="min_app_version", value="{")
        finding = database.told_settings(VISIT)
        assert finding.status == Status.FAULT
        assert "min_app_version" in finding.sentence

    def test_a_gallery_in_production_needs_an_approved_admin(self, settings):
        settings.PRODUCTION = True
        UserFactory(is_admin=True, is_approved=False)
        assert database.admin(VISIT).status == Status.FAULT
        UserFactory(is_admin=True, is_approved=True)
        assert database.admin(VISIT).status == Status.OK


class TestBucket:
    @pytest.fixture
    def public(self, bucket, settings):
        """The bucket behind an address that serves what the test says."""
        settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
        return bucket

    def test_an_object_is_stored_read_and_removed(self, public):
        assert buckets.public_takes_objects(VISIT).status == Status.OK
        assert public.listed() == []

    def test_an_address_that_serves_something_else_is_a_fault_and_nothing_is_left(self, public, settings):
        options = {**public.settings["OPTIONS"], "public_url": public.server["endpoint"]}
        settings.STORAGES = {**settings.STORAGES, "default": {**public.settings, "OPTIONS": options}}
        finding = buckets.public_address(VISIT)
        assert finding.status == Status.FAULT
        assert finding.sentence.startswith("CLOUDFLARE_R2_PUBLIC_URL does not serve")
        assert public.listed() == []

    def test_a_browser_must_be_allowed_to_upload(self, public):
        public.allow_origin("https://other.example")
        finding = buckets.cors(VISIT)
        assert finding.status == Status.FAULT
        assert ORIGIN in finding.sentence
        public.allow_origin(ORIGIN)
        assert buckets.cors(VISIT).status == Status.OK

    def test_an_origin_that_the_bucket_does_not_know_is_named(self, public, settings):
        public.allow_origin(ORIGIN)
        settings.CORS_ALLOWED_ORIGINS = [ORIGIN, "https://new.example"]
        finding = buckets.cors(VISIT)
        assert finding.status == Status.FAULT
        assert "https://new.example" in finding.sentence
        assert ORIGIN not in finding.sentence

    def test_the_clock_agrees_with_the_store(self, public):
        assert buckets.clock(VISIT).status == Status.OK

    def test_a_private_bucket_that_anybody_can_read_is_a_fault(self, public, settings, monkeypatch):
        options = {name: value for name, value in public.settings["OPTIONS"].items() if name != "public_url"}
        settings.STORAGES = {
            **settings.STORAGES,
            "private": {"BACKEND": "core.r2.PrivateBucket", "OPTIONS": options},
        }
        assert buckets.private_is_private(VISIT).status == Status.OK
        client = s3_client(*(public.server[name] for name in ("endpoint", "access_key", "secret_key")))

        def readable(bucket, key):
            parameters = {"Bucket": public.bucket, "Key": key}
            return [("a link", client.generate_presigned_url("get_object", Params=parameters))]

        monkeypatch.setattr(buckets, "addresses", readable)
        finding = buckets.private_is_private(VISIT)
        assert finding.status == Status.FAULT
        assert "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME" in finding.sentence
        assert public.listed() == []

    def test_the_newest_backup_is_found_in_folders(self, public, settings):
        options = {name: value for name, value in public.settings["OPTIONS"].items() if name != "public_url"}
        settings.STORAGES = {
            **settings.STORAGES,
            "private": {"BACKEND": "core.r2.PrivateBucket", "OPTIONS": options},
        }
        settings.PRODUCTION = True
        assert copies.backup(VISIT).status == Status.WARNING
        storages["private"].save("backups/2026-11-29/part", ContentFile(b"x"))
        assert copies.backup(VISIT).status == Status.OK


def test_a_folder_that_cannot_be_written_is_a_fault_that_names_data(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.DATA = tmp_path / "file" / "data"
    finding = host.data(VISIT)
    assert finding.status == Status.FAULT
    assert "DATA" in finding.sentence


def test_a_folder_that_others_read_is_a_warning_and_nothing_is_left_in_it(settings, tmp_path):
    settings.DATA = tmp_path / "data"
    assert host.data(VISIT).status == Status.OK
    assert list(settings.DATA.iterdir()) == []
    settings.DATA.chmod(0o755)
    assert host.data(VISIT).status == Status.WARNING


def test_render_needs_the_header_that_cloudflare_sets(settings):
    settings.RENDER_HOSTS = ["gallery.onrender.com"]
    assert "CLIENT_ADDRESS_HEADER" in host.proxies(VISIT).sentence
    assert host.proxies(VISIT).status == Status.FAULT
    settings.CLIENT_ADDRESS_HEADER = "CF-Connecting-IP"
    assert host.proxies(VISIT).status == Status.OK


def test_a_secret_that_can_be_guessed_is_a_fault_and_is_not_shown(settings):
    settings.PRODUCTION, settings.JWT_SECRET = True, "ab" * 20
    finding = configuration.secrets(VISIT)
    assert finding.status == Status.FAULT
    assert "JWT_SECRET" in finding.sentence
    assert settings.JWT_SECRET not in finding.sentence + finding.advice
