"""Values that are in their range and do not work: the doctor names the variable, and nothing else."""

import pyrage
import pytest
from django.core.checks import Error, Warning

from core.variables import declared
from core.variables.kinds import Number, Whole
from operations.doctor import configuration, copies, values
from operations.doctor.findings import Status, Visit

D1 = {
    "CLOUDFLARE_ACCOUNT_ID": "0" * 32,
    "CLOUDFLARE_D1_DATABASE_ID": "01234567-89ab-cdef-0123-456789abcdef",
    "CLOUDFLARE_API_TOKEN": "token",
}
MB = 1024**2


@pytest.fixture(autouse=True)
def _production(settings, monkeypatch):
    for name in declared.ALL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA", "/srv/data")
    settings.PRODUCTION = True
    settings.RENDER_HOSTS = []
    settings.DATABASES = {
        **settings.DATABASES,
        "default": {"ENGINE": "core.sqlite", "NAME": "/srv/data/g.sqlite3"},
    }
    settings.MAX_MEGAPIXELS, settings.DECODING_MEMORY, settings.MEMORY_LIMIT = 20, 160 * MB, 512 * MB
    settings.MAX_FILE_SIZE = 10 * MB


def said(monkeypatch, **given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = values.values(Visit())
    return found.sentence if found.status == Status.WARNING else ""


def test_the_defaults_and_what_the_guide_sets_are_well(monkeypatch):
    assert said(monkeypatch) == ""
    assert said(monkeypatch, **D1, HOSTS="2", D1_ALLOWANCE="1200", NUM_PROXIES="1", WEB_CONCURRENCY="4") == ""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        *(({limit.calls.name: "1"}, limit.calls.name) for limit in values.LIMITS),
        *(({limit.calls.name: "1000000"}, limit.calls.name) for limit in values.LIMITS),
        *(({limit.seconds.name: "31536000"}, limit.seconds.name) for limit in values.LIMITS),
        *(({limit.seconds.name: "1"}, limit.seconds.name) for limit in values.LIMITS),
        ({"TRASH_DAYS": "0"}, "TRASH_DAYS"),
        ({"MAX_PAGE_SIZE": "1", "DEFAULT_PAGE_SIZE": "1"}, "MAX_PAGE_SIZE"),
        ({"DEFAULT_PAGE_SIZE": "1"}, "DEFAULT_PAGE_SIZE"),
        ({"MAX_FILE_SIZE": "1024"}, "MAX_FILE_SIZE"),
        ({"PRESIGNED_LIFETIME_SECONDS": "1"}, "PRESIGNED_LIFETIME_SECONDS"),
        ({"PRESIGNED_LIFETIME_SECONDS": "604800"}, "PRESIGNED_LIFETIME_SECONDS"),
        ({"ACCESS_TOKEN_MINUTES": "1"}, "ACCESS_TOKEN_MINUTES"),
        ({"ACCESS_TOKEN_MINUTES": "40000"}, "ACCESS_TOKEN_MINUTES"),
        ({"REFRESH_GRACE_SECONDS": "0"}, "REFRESH_GRACE_SECONDS"),
        ({"REFRESH_GRACE_SECONDS": "3600"}, "REFRESH_GRACE_SECONDS"),
        ({"SECURE_HSTS_SECONDS": "60"}, "SECURE_HSTS_SECONDS"),
        ({"VIEW_FLUSH_SECONDS": "3600"}, "VIEW_FLUSH_SECONDS"),
        ({**D1, "VIEW_FLUSH_SECONDS": "0"}, "VIEW_FLUSH_SECONDS"),
        ({**D1, "VIEW_FLUSH_SECONDS": "0.01"}, "VIEW_FLUSH_SECONDS"),
        ({"REPLICA_MAX_AGE": "604800"}, "REPLICA_MAX_AGE"),
        ({"WEB_THREADS": "1"}, "WEB_THREADS"),
        ({"WEB_THREADS": "256"}, "WEB_THREADS"),
        ({"D1_TIMEOUT": "0.5"}, "D1_TIMEOUT"),
        ({"D1_TIMEOUT": "300"}, "D1_TIMEOUT"),
        ({**D1, "D1_MOST_CALLS": "8"}, "WEB_THREADS"),
        ({**D1, "D1_ALLOWANCE": "0"}, "D1_ALLOWANCE"),
        ({**D1, "D1_ALLOWANCE": "100000"}, "D1_ALLOWANCE"),
        ({**D1, "SERVE_WHILE_FILLING": "on"}, "SERVE_WHILE_FILLING"),
        ({**D1, "DATABASE_URL": "sqlite:////srv/g.sqlite3"}, "DATABASE_URL"),
        ({**D1, "CLOUDFLARE_D1_BASE_URL": "http://d1.example"}, "CLOUDFLARE_D1_BASE_URL"),
        ({"CLOUDFLARE_R2_ENDPOINT_URL": "http://store.example"}, "CLOUDFLARE_R2_ENDPOINT_URL"),
        ({"CLOUDFLARE_R2_PUBLIC_URL": "http://images.example"}, "CLOUDFLARE_R2_PUBLIC_URL"),
        ({"CSRF_TRUSTED_ORIGINS": "http://gallery.example"}, "CSRF_TRUSTED_ORIGINS"),
        ({"FORWARDED_ALLOW_IPS": "*"}, "FORWARDED_ALLOW_IPS"),
        ({"NUM_PROXIES": "32"}, "NUM_PROXIES"),
        ({"LOG_LEVEL": "CRITICAL"}, "LOG_LEVEL"),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL"),
        ({"ADMIN_PASSWORD": "indigo-vat-42"}, "ADMIN_PASSWORD"),
        ({"DATA": str(values.ROOT / "data")}, "DATA"),
        ({**D1, "DATA": "data"}, "DATA is relative"),
        ({"DATA": '"/srv/data"'}, "DATA begins or ends with a quote"),
        (
            {"JWT_SECRET": "'a-secret-of-more-than-thirty-two-characters'"},
            "JWT_SECRET begins or ends with a quote",
        ),
        (
            {"METRICS_TOKEN": '"metrics-token-of-many-characters"'},
            "METRICS_TOKEN begins or ends with a quote",
        ),
        ({"METRICS_TOKEN": '"metrics-token-of-many-characters'}, "METRICS_TOKEN begins or ends with a quote"),
        ({"METRICS_TOKEN": "metrics-token-of-many-characters'"}, "METRICS_TOKEN begins or ends with a quote"),
    ],
    ids=str,
)
def test_a_value_that_does_not_work_is_named(monkeypatch, given, named):
    assert named in said(monkeypatch, **given)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"DECODING_MEMORY": 16 * MB}, "DECODING_MEMORY_MB is 16"),
        ({"MAX_MEGAPIXELS": 50}, "takes 386 MB"),
        ({"MAX_MEGAPIXELS": 1}, "MAX_MEGAPIXELS is 1"),
        ({"MAX_FILE_SIZE": 500 * MB}, "MAX_FILE_SIZE is 524,288,000"),
    ],
)
def test_a_picture_that_info_allows_can_be_taken(settings, monkeypatch, given, named):
    for name, value in given.items():
        setattr(settings, name, value)
    assert named in said(monkeypatch)


def test_secrets_are_different_and_hard_to_guess(settings, monkeypatch):
    settings.METRICS_TOKEN = "metrics-token-of-many-characters"
    assert "METRICS_TOKEN_PREVIOUS" in said(monkeypatch, METRICS_TOKEN_PREVIOUS=settings.METRICS_TOKEN)
    assert "SECRET_KEY" in said(monkeypatch, SECRET_KEY=settings.JWT_SECRET)
    settings.JWT_SECRET = "another-secret-of-more-than-thirty-two-characters"
    for previous in ("x", settings.JWT_SECRET):
        settings.METRICS_TOKEN_PREVIOUS = previous
        found = configuration.secrets(Visit())
        assert (found.status, found.sentence.split()[0]) == (Status.WARNING, "METRICS_TOKEN_PREVIOUS")
    settings.JWT_SECRET_PREVIOUS = "ab" * 20
    found = configuration.secrets(Visit())
    assert (found.status, found.sentence.split()[0]) == (Status.FAULT, "JWT_SECRET_PREVIOUS")


@pytest.mark.parametrize("name", [*declared.ALL])
def test_the_least_and_the_most_of_each_number_are_named_or_known_to_work(name):
    """A new variable is thought through: both ends of its range."""
    kind = declared.ALL[name].kind
    if not isinstance(kind, Whole | Number):
        return
    judged = {variable.name for table in (values.TOO_LOW, values.TOO_HIGH) for variable, _, _ in table}
    judged |= {one.name for limit in values.LIMITS for one in (limit.calls, limit.seconds)}
    assert name in judged | ELSEWHERE | HARMLESS


# By another rule of operations/doctor, or refused at the start beside other values.
ELSEWHERE = {
    "MAX_MEGAPIXELS",
    "DECODING_MEMORY_MB",
    "WEB_CONCURRENCY",
    "D1_MOST_CALLS",
    "D1_ALLOWANCE",
    "HOSTS",
}
# A port that cannot be opened ends the start; 3,650 days of refreshes are a choice, and one day is refused beside an
# access token of as long.
HARMLESS = {"PORT", "REFRESH_TOKEN_DAYS"}


def test_backups_that_are_not_encrypted_are_a_warning(settings):
    settings.BACKUP_KEY = ""
    found = copies.backup_key(Visit())
    assert (found.status, "BACKUP_KEY" in found.sentence, "age-keygen" in found.advice) == (
        Status.WARNING,
        True,
        True,
    )
    key = str(pyrage.x25519.Identity.generate().to_public())
    settings.BACKUP_KEY = f"{key} {key}"
    assert copies.backup_key(Visit()).status == Status.OK
    settings.PRODUCTION, settings.BACKUP_KEY = False, ""
    assert copies.backup_key(Visit()).status == Status.SKIPPED


def test_a_backup_key_with_a_slip_in_it_is_a_fault_before_the_night_of_the_backup(settings):
    key = str(pyrage.x25519.Identity.generate().to_public())
    settings.BACKUP_KEY = key[:-1] + ("p" if key.endswith("q") else "q")
    found = copies.backup_key(Visit())
    assert (found.status, found.sentence.split()[0]) == (Status.FAULT, "BACKUP_KEY")


def test_an_error_of_the_system_checks_hides_no_warning_of_theirs(monkeypatch):
    said = [
        Warning("A variable is read by nothing.", hint="Is another meant?", id="gallery.W005"),
        Error("The static files are not collected.", hint="Collect them.", id="gallery.E001"),
    ]
    monkeypatch.setattr(configuration, "run_checks", lambda **options: said)
    found = configuration.system_checks(Visit())
    assert found.status == Status.FAULT
    assert found.sentence.index("gallery.E001") < found.sentence.index("gallery.W005")
    assert found.advice == "Collect them. Is another meant?"
