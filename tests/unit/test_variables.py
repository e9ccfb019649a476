"""Each variable of the environment is read by what is declared of it, or refused in a sentence that names it."""

import io
import math
import re
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from hypothesis import assume, given
from hypothesis import strategies as st

from core.variables import declared, kinds
from core.variables.checking import check, load
from core.variables.misspelt import misspelt
from core.variables.reading import Environment
from tests.unit.test_environment import ACCOUNT, D1, PRODUCTION, R2, ROOT
from tests.unit.test_environment import check as manage_check

SECRET = "correct-horse-battery-staple-tests"  # short enough to be shown whole
TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=60)


def refusals(**given):
    """The sentences by which these variables are refused."""
    try:
        check(Environment(given))
    except ImproperlyConfigured as error:
        return str(error).splitlines()
    return []


WRONG = [
    ("REPLICA_MAX_AGE", "0"),
    ("REPLICA_MAX_AGE", "nan"),
    ("D1_TIMEOUT", "0"),
    ("D1_TIMEOUT", "1e3"),
    ("WEB_CONCURRENCY", "0"),
    ("WEB_CONCURRENCY", "four"),
    ("WEB_THREADS", "-1"),
    ("PORT", "65536"),
    ("PORT", "http"),
    ("GUNICORN_LOG_LEVEL", "loud"),
    ("GUNICORN_LOG_LEVEL", ""),
    ("CONSOLE_TIME_ZONE", "Mars/Olympus"),
    ("SENTRY_DSN", "nonsense"),
    ("SENTRY_DSN", "https://sentry.example/1"),
    ("SENTRY_DSN", "https://key@/1"),
    ("SENTRY_DSN", "https://key@sentry.example/project"),
    ("CACHE_URL", "memcache://10.0.0.2"),
    ("CACHE_URL", "redis"),
    ("CACHE_URL", "redis://"),
    ("DATABASE_URL", "postgres://gallery:word@db/gallery"),
    ("DATABASE_URL", "mysql://db/gallery"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("DATABASE_URL", "/srv/gallery.sqlite3"),
    ("CLOUDFLARE_R2_PUBLIC_URL", "images.example"),
    ("CLOUDFLARE_R2_PUBLIC_URL", "https:///images"),
    ("CLOUDFLARE_R2_ENDPOINT_URL", "store.example:9000"),
    ("CLOUDFLARE_D1_BASE_URL", "ftp://d1.example"),
    ("CLOUDFLARE_R2_BUCKET_NAME", "Images_2"),
    ("CLOUDFLARE_ACCOUNT_ID", "not-an-id"),
    ("CORS_ORIGINS", "app.example"),
    ("CORS_ORIGINS", "https://app.example,https://other.example/path"),
    ("CORS_ORIGINS", "https://app.example/"),
    ("CORS_ORIGINS", "https://*.example"),
    ("CSRF_TRUSTED_ORIGINS", "gallery.example"),
    ("CSRF_TRUSTED_ORIGINS", "capacitor://gallery.example"),
    ("ALLOWED_HOSTS", "https://gallery.example"),
    ("ALLOWED_HOSTS", "gallery.example:8000"),
    ("ALLOWED_HOSTS", "gallery.example/"),
    ("FORWARDED_ALLOW_IPS", "proxy"),
    ("NUM_PROXIES", "two"),
    ("CLIENT_ADDRESS_HEADER", "CF Connecting IP"),
    ("SIGN_INS", "0"),
    ("SIGN_INS_SECONDS", "1.5"),
    ("TRASH_DAYS", "a month"),
    ("MAX_FILE_SIZE", "10MB"),
    ("METRICS_TOKEN", "with space"),
    ("JWT_SECRET", "short"),
    ("SECURE_HSTS_SECONDS", "-1"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_its_variable(name, value):
    (sentence,) = refusals(**{name: value})
    assert sentence.startswith(f"{name} ")
    assert " must be " in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CORS_ORIGINS", " https://app.example , http://localhost:8081,", ["https://app.example", "http://localhost:8081"]),
        ("CORS_ORIGINS", "*", ["*"]),
        ("CORS_ORIGINS", "https://App.Example:443,http://LOCALHOST:80", ["https://app.example", "http://localhost"]),
        ("CORS_ORIGINS", "https://app.example:80,HTTP://[::1]:443", ["https://app.example:80", "http://[::1]:443"]),
        ("CSRF_TRUSTED_ORIGINS", "https://*.Example.com:443", ["https://*.example.com"]),
        ("CORS_ORIGINS", "capacitor://localhost,http://[::1]:3000", ["capacitor://localhost", "http://[::1]:3000"]),
        ("CSRF_TRUSTED_ORIGINS", "https://*.example.com", ["https://*.example.com"]),
        ("ALLOWED_HOSTS", "gallery.example,10.1.2.3", ["gallery.example", "10.1.2.3"]),
        ("ALLOWED_HOSTS", ".gallery.example,[::1]", [".gallery.example", "[::1]"]),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/8,::1,*", ["10.0.0.0/8", "::1", "*"]),
        ("SENTRY_DSN", "https://key@o1.ingest.sentry.example/42", "https://key@o1.ingest.sentry.example/42"),
        ("SENTRY_DSN", "http://key:word@10.0.0.2:9000/a/7", "http://key:word@10.0.0.2:9000/a/7"),
        ("CACHE_URL", "rediss://user:word@redis.example:6379/1", "rediss://user:word@redis.example:6379/1"),
        ("DATABASE_URL", "sqlite:////srv/gallery.sqlite3", "sqlite:////srv/gallery.sqlite3"),
        ("D1_TIMEOUT", "2.5", 2.5),
        ("HOSTS", "", 1),
        ("CONSOLE_TIME_ZONE", "", ZoneInfo("Asia/Kolkata")),
        ("SECRET_KEY", "$a-secret-that-begins-like-a-reference", "$a-secret-that-begins-like-a-reference"),
        ("ADMIN_PASSWORD", " with space ", " with space "),
        ("DEBUG", "No", False),
    ],
)  # fmt: skip
def test_a_right_value_is_read(name, value, expected):
    assert Environment({name: value})[declared.ALL[name]] == expected
    assert refusals(**{name: value}) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"D1_ALLOWANCE": "100", "HOSTS": "10"}, "D1_ALLOWANCE"),
        ({"DEFAULT_PAGE_SIZE": "50", "MAX_PAGE_SIZE": "20"}, "DEFAULT_PAGE_SIZE"),
        ({"ACCESS_TOKEN_MINUTES": "1440", "REFRESH_TOKEN_DAYS": "1"}, "REFRESH_TOKEN_DAYS"),
        ({"CLOUDFLARE_D1_BASE_URL": "http://127.0.0.1:8787"}, "CLOUDFLARE_ACCOUNT_ID"),
        ({**D1, "CLOUDFLARE_ACCOUNT_ID": "asha"}, "CLOUDFLARE_ACCOUNT_ID"),
        ({**D1, "CLOUDFLARE_D1_DATABASE_ID": "gallery"}, "CLOUDFLARE_D1_DATABASE_ID"),
        ({**PRODUCTION, **D1}, "DATA"),
        ({**PRODUCTION, "DATA": "/srv/data", "JWT_SECRET_PREVIOUS": "short"}, "JWT_SECRET_PREVIOUS"),
    ],
)
def test_values_that_contradict_each_other_are_refused(given, named):
    (sentence,) = refusals(**given)
    assert sentence.startswith(named)


def test_production_at_cloudflare_is_accepted_and_so_are_other_engines_with_ids_of_their_own():
    assert refusals(**{**PRODUCTION, **D1, **R2}) == []
    local = {"CLOUDFLARE_ACCOUNT_ID": "local", "CLOUDFLARE_D1_DATABASE_ID": "gallery"}
    assert refusals(**{**D1, **local, "CLOUDFLARE_D1_BASE_URL": "http://127.0.0.1:8787"}) == []
    assert refusals(CLOUDFLARE_ACCOUNT_ID=ACCOUNT) == []


def test_all_wrong_variables_are_named_at_once():
    assert [line.split()[0] for line in refusals(HOSTS="0", PORT="http", LOG_LEVEL="loud")] == [
        "LOG_LEVEL", "PORT", "HOSTS",
    ]  # fmt: skip


MAY_HOLD_SECRETS = re.compile("SECRET|TOKEN$|KEY|PASSWORD|URL|DSN|_ID$|BUCKET_NAME$")


@pytest.mark.parametrize("name", [*filter(MAY_HOLD_SECRETS.search, declared.ALL)])
def test_no_sentence_shows_a_secret_nor_what_may_hold_one(name):
    for value in (f"{SECRET} \n", f"u:{SECRET}@h", f"{SECRET}\x00"):
        sentences = refusals(**{name: value})
        assert SECRET not in "".join(sentences)


def test_a_shown_value_is_short_and_escaped():
    (sentence,) = refusals(HOSTS="9" * 10_000)
    assert len(sentence) < 150
    (sentence,) = refusals(LOG_LEVEL="loud\n\x1b[31m\udc80")
    assert sentence.isascii()


@given(TEXTS)
def test_any_text_is_read_or_refused_in_one_line_by_every_variable(text):
    for variable in declared.ALL.values():
        for sentence in refusals(**{variable.name: text}):
            assert sentence.isprintable()
            assert sentence.endswith(".")


@given(st.integers(-5, 200), st.integers(-5, 100), st.integers(0, 100))
def test_whole_numbers_are_taken_in_their_range_alone(value, least, more):
    kind = kinds.Whole(least, least + more)
    if value >= 0 and least <= value <= least + more:
        assert kind.parse(str(value)) == value
    else:
        with pytest.raises(kinds.Refused):
            kind.parse(str(value))


@given(TEXTS)
def test_numbers_are_finite_and_of_ascii_digits(text):
    assume(not re.fullmatch(r"[0-9.]+", text))
    for kind in (kinds.Number(0, 10), kinds.Whole(0, 10)):
        with pytest.raises(kinds.Refused):
            kind.parse(text)
    assert math.isfinite(kinds.Number(0, 10).parse("10.0"))


HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,5}){0,2}", fullmatch=True)


@given(HOSTS, st.sampled_from(["", ":1", ":8000", ":65535"]), st.sampled_from(["https", "http"]))
def test_origins_are_scheme_host_and_port_and_nothing_more(host, port, scheme):
    kind = kinds.Origins(schemes=kinds.WEB)
    origin = f"{scheme}://{host}{port}"
    assert kind.parse(f"{origin}, {origin}") == [origin, origin]
    for wrong in (
        f"{origin}/",
        f"{host}{port}",
        f"{origin}?x",
        f"{scheme}://u@{host}{port}",
        f"{scheme}:{host}",
    ):
        with pytest.raises(kinds.Refused):
            kind.parse(f"{origin},{wrong}")
    assert kinds.Hosts().parse(host) == [host]
    with pytest.raises(kinds.Refused):
        kinds.Hosts().parse(origin)


def test_a_file_adds_to_the_environment_and_does_not_replace_it(tmp_path, monkeypatch):
    for name in ("HOSTS", "TRASH_DAYS"):
        monkeypatch.setenv(name, "7")
    monkeypatch.delenv("TRASH_DAYS")
    (tmp_path / ".env").write_text("HOSTS=3\nTRASH_DAYS=5\n")
    env = load(tmp_path / ".env")
    assert env[declared.HOSTS] == 7
    assert env[declared.TRASH_DAYS] == 5


@pytest.mark.parametrize(
    "line", [f"JWT_SECRET = {SECRET}", f"JWT_SECRET: {SECRET}", f" JWT_SECRET={SECRET}", SECRET]
)
def test_a_line_of_the_file_that_is_none_is_refused_and_not_shown(tmp_path, line):
    (tmp_path / ".env").write_text(f"# the gallery\n\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=r"^Line 3 of \.env must be NAME=value") as refusal:
        load(tmp_path / ".env")
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    "written", [b"ADMIN_USERNAME=\xff\n", b"\xef\xbb\xbfHOSTS=2\n", b"SECRET_KEY=a\0b\n"]
)
def test_a_file_that_is_no_text_is_refused(tmp_path, written):
    (tmp_path / ".env").write_bytes(written)
    with pytest.raises(
        ImproperlyConfigured, match=r"^\.env must be a text in UTF-8, without a byte order mark\.$"
    ):
        load(tmp_path / ".env")


def test_every_variable_has_a_purpose_and_a_default_of_its_kind():
    for variable in declared.ALL.values():
        assert variable.purpose
        assert not variable.purpose.endswith(".")
        if variable.default not in (None, "", []):
            assert variable.kind.parse(variable.kind.written(variable.default)) == variable.default
        assert variable.default is not None or variable.otherwise, variable.name


def test_the_page_of_the_settings_is_made_of_what_is_declared():
    out = io.StringIO()
    call_command("print_settings", stdout=out)
    assert (ROOT / "docs/settings.md").read_text() == out.getvalue()
    assert all(f"| `{name}` |" in out.getvalue() for name in declared.ALL)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("JWT_SECRT", "JWT_SECRET"),
        ("JWT_SERCET", "JWT_SECRET"),
        ("CLOUDFLARE_R2_BUCKET", "CLOUDFLARE_R2_BUCKET_NAME"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("SIGNINS_SECONDS", "SIGN_INS_SECONDS"),
        ("trash_days", "TRASH_DAYS"),
    ],
)
def test_a_name_that_is_nearly_one_of_ours_is_found_unless_that_one_is_set(name, known):
    assert list(misspelt([name, "PATH"])) == [(name, known)]
    assert list(misspelt([name, known])) == []


@pytest.mark.parametrize(
    "name",
    [
        "HOST",
        "HOSTNAME",
        "PATH",
        "RENDER_EXTERNAL_URL",
        "DATABASE",
        "LOGNAME",
        "PORTS",
        "no_proxy",
        "https_proxy",
    ],
)
def test_names_of_other_programs_are_not_found(name):
    assert list(misspelt([name])) == []


def test_a_misspelt_variable_is_a_warning_of_the_check(tmp_path):
    done = manage_check(DATA=str(tmp_path), JWT_SECRT="a-secret-of-more-than-thirty-two-characters")
    assert done.returncode == 0
    assert "gallery.W005" in done.stderr
    assert "'JWT_SECRT'" in done.stderr
    assert "a-secret" not in done.stderr


READ = re.compile(r"os\.environ|getenv|environ\.Env\b|Env\(\)")
# What is not ours to declare, or hands the whole environment on.
READERS = {
    "core/logs/configuration.py",
    "core/variables/reading.py", "core/variables/checking.py", "gallery_project/checks.py",
    "core/metrics/exposition.py",
    "gallery_project/wsgi.py", "gallery_project/asgi.py", "gallery_project/environment.py", "gunicorn.conf.py",
    "manage.py", "uploads/pipeline/native.py",
}  # fmt: skip


def test_no_other_module_of_the_product_reads_the_environment():
    packages = ("core", "accounts", "uploads", "designs", "console", "demo", "operations", "gallery_project")
    files = [*ROOT.glob("*.py"), *(file for name in packages for file in (ROOT / name).rglob("*.py"))]
    found = {str(file.relative_to(ROOT)) for file in files if READ.search(file.read_text())}
    assert found == READERS
