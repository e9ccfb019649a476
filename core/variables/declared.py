"""Every variable of the environment: its name, what it may be, its default and what it is for.

`manage.py print_settings` writes docs/settings.md from this. Where the default depends on something, `otherwise` says
on what, and settings.py derives it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from core.variables import kinds

T = TypeVar("T")

DEVELOPMENT, PRODUCTION = "development", "production"
MOST_HOSTS = 100  # with more, a host's share of D1's calls is less than one in 25 s
JWT_SECRET_MINIMUM = 32  # characters: HS256 wants a key of at least 256 bits (RFC 7518, section 3.2)
DAY = 86_400  # seconds
YEAR = 365 * DAY
AGE_KEY = "age1[02-9ac-hj-np-z]{58}"  # bech32, as age-keygen prints a public key of X25519


class Blank(Enum):
    """Where a variable may be set to nothing, which then counts as not set."""

    ALWAYS = "always"
    # Nothing in the place of a store would put data where the next deploy deletes it.
    IN_DEVELOPMENT = "in development"
    NEVER = "never"


@dataclass(frozen=True)
class Variable(Generic[T]):
    """A variable. `default` is its value if it is not set; `otherwise` says in words what then counts instead."""

    name: str
    kind: kinds.Kind[T]
    default: T
    purpose: str
    otherwise: str = ""
    blank: Blank = Blank.ALWAYS
    keeps_space: bool = False


@dataclass(frozen=True)
class RateLimit:
    """Two variables that say how much may be done at once, and in how many seconds that comes back."""

    calls: Variable[int]
    seconds: Variable[int]


@dataclass(frozen=True)
class Section:
    """Variables that belong together, in the order of the page."""

    title: str
    variables: list[Variable[Any]] = field(default_factory=list)

    def variable(
        self,
        name: str,
        kind: kinds.Kind[T],
        default: T,
        purpose: str,
        *,
        otherwise: str = "",
        blank: Blank = Blank.ALWAYS,
        keeps_space: bool = False,
    ) -> Variable[T]:
        """Declare a variable of this section."""
        made = Variable(name, kind, default, purpose, otherwise, blank, keeps_space)
        self.variables.append(made)
        return made

    def limit(self, name: str, calls: int, seconds: int, purpose: str) -> RateLimit:
        """Declare `name` and `name`_SECONDS."""
        return RateLimit(
            self.variable(name, kinds.Whole(1, 1_000_000), calls, purpose),
            self.variable(
                f"{name}_SECONDS", kinds.Whole(1, YEAR), seconds, "seconds in which these come back"
            ),
        )


def identifier(words: str, pattern: str = r"[\x21-\x7e]+") -> kinds.Text:
    """The kind of an id or a name at Cloudflare. Not shown: whoever confuses two of them may have put a token there."""
    return kinds.Text(words, pattern, shown=False)


BUCKET = identifier(
    "the name of a bucket: 3 to 63 small letters, digits and hyphens", r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
)
ENDPOINT = kinds.Url(*kinds.WEB, example="https://store.example")

SERVICE = Section("The service")
ENVIRONMENT = SERVICE.variable(
    "ENVIRONMENT", kinds.Choice(DEVELOPMENT, PRODUCTION), DEVELOPMENT, blank=Blank.NEVER,
    purpose="`production` turns on HTTPS redirects, HSTS, secure cookies, hashed static files; needs `JWT_SECRET`",
)  # fmt: skip
DEBUG = SERVICE.variable(
    "DEBUG", kinds.Flag(), None, otherwise="true outside production",
    purpose="serves `/docs` and `/openapi.json`, and Django's debug pages outside the API",
)  # fmt: skip
DATA = SERVICE.variable(
    "DATA", kinds.Text("a folder"), "", blank=Blank.IN_DEVELOPMENT,
    otherwise="`./data`; needed in production with data in files",
    purpose="folder for all that the service writes: SQLite database, images, secrets, caches, the replica, imports",
)  # fmt: skip
LOG_LEVEL = SERVICE.variable(
    "LOG_LEVEL", kinds.Choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO", blank=Blank.NEVER,
    purpose="the least level of the gallery's log lines",
)  # fmt: skip
LOG_FORMAT = SERVICE.variable(
    "LOG_FORMAT", kinds.Choice("json", "lines"), None, blank=Blank.NEVER,
    otherwise="`json` in production, else `lines`", purpose="how log lines are written ([logs](logs.md))",
)  # fmt: skip
SENTRY_DSN = SERVICE.variable(
    "SENTRY_DSN",
    kinds.Text(
        "the DSN of a project, like https://key@sentry.example/1",
        r"https?://[^\s:@/?#]+(:[^\s@/?#]*)?@[\w.-]+(:[0-9]{1,5})?(/[^\s?#]+)?/[0-9]+",
        shown=False,
    ), "",
    "where errors are reported: the DSN of a project of Sentry's ([logs](logs.md))",
)  # fmt: skip
METRICS_TOKEN = SERVICE.variable(
    "METRICS_TOKEN", kinds.Secret(), "", "bearer token for `/metrics`; without it the page is a 404"
)
METRICS_TOKEN_PREVIOUS = SERVICE.variable(
    "METRICS_TOKEN_PREVIOUS", kinds.Secret(), "",
    "the token before, which `/metrics` still takes ([how](secrets.md#metrics_token))",
)  # fmt: skip
CONSOLE_TIME_ZONE = SERVICE.variable(
    "CONSOLE_TIME_ZONE", kinds.TimeZone(), ZoneInfo("Asia/Kolkata"),
    "the time zone of the times in the console; the API and the exports speak UTC",
)  # fmt: skip
TRASH_DAYS = SERVICE.variable(
    "TRASH_DAYS",
    kinds.Whole(0, 3650),
    30,
    "days after which `tidy` deletes designs of the trash for good",
)
VIEW_FLUSH_SECONDS = SERVICE.variable(
    "VIEW_FLUSH_SECONDS", kinds.Number(0, 3600), 10.0,
    "the least seconds between two writes of a host's counted views; 0: only on request. "
    "With more than 10 a view shows later than API.md promises",
)  # fmt: skip

SECRETS = Section("Secrets")
JWT_SECRET = SECRETS.variable(
    "JWT_SECRET", kinds.Secret(JWT_SECRET_MINIMUM), "", blank=Blank.IN_DEVELOPMENT,
    otherwise="needed in production; elsewhere made once, in `DATA`", purpose="signs the tokens",
)  # fmt: skip
JWT_SECRET_PREVIOUS = SECRETS.variable(
    "JWT_SECRET_PREVIOUS", kinds.Secret(JWT_SECRET_MINIMUM), "",
    "the secret before: what it signed or encrypted is still taken. It signs nothing "
    "([how](deployment.md#changing-jwt_secret))",
)  # fmt: skip
SECRET_KEY = SECRETS.variable(
    "SECRET_KEY", kinds.Secret(), "", otherwise="derived from `JWT_SECRET`",
    purpose="Django's own secret: console sessions, upload addresses of the folder storage",
)  # fmt: skip
SECRET_KEY_FALLBACKS = SECRETS.variable(
    "SECRET_KEY_FALLBACKS", kinds.Text("secrets with commas between them", shown=False), "",
    "keys before `SECRET_KEY`, with commas between them: what they signed is still taken "
    "([how](secrets.md#secret_key))",
)  # fmt: skip
ADMIN_USERNAME = SECRETS.variable(
    "ADMIN_USERNAME", kinds.Text("a name"), "", "the name that `create_admin` takes if its options name none"
)
ADMIN_PASSWORD = SECRETS.variable(
    "ADMIN_PASSWORD", kinds.Password(), "", "the password that `create_admin` takes", keeps_space=True
)

HTTP = Section("Names, origins and proxies")
ALLOWED_HOSTS = HTTP.variable(
    "ALLOWED_HOSTS", kinds.Hosts(), None, "host names that this service answers; Render's own is added",
    otherwise="all outside production, none in it",
)  # fmt: skip
RENDER_EXTERNAL_HOSTNAME = HTTP.variable(
    "RENDER_EXTERNAL_HOSTNAME", kinds.Hosts(), [], "the host name of the service at Render, which sets it"
)
CSRF_TRUSTED_ORIGINS = HTTP.variable(
    "CSRF_TRUSTED_ORIGINS", kinds.Origins(schemes=kinds.WEB, may_have_star=True), [],
    "origins that may send the console's forms, where a proxy changes the host",
)  # fmt: skip
CORS_ORIGINS = HTTP.variable(
    "CORS_ORIGINS", kinds.Origins("*", "null", "file://"), None, "origins of the app's web build",
    otherwise="all (`*`) outside production, none in it",
)  # fmt: skip
CLIENT_ADDRESS_HEADER = HTTP.variable(
    "CLIENT_ADDRESS_HEADER",
    kinds.Text(
        "the name of one header, such as CF-Connecting-IP; for X-Forwarded-For, which is a list, set NUM_PROXIES",
        r"(?i)(?!x-forwarded-for$)[a-z0-9-]+",
    ), "",
    "the header in which the outermost proxy sends [the client's address](deployment.md#the-clients-address); "
    "on Render `CF-Connecting-IP`, never `X-Forwarded-For`, which is a list: for that set `NUM_PROXIES`",
)  # fmt: skip
NUM_PROXIES = HTTP.variable(
    "NUM_PROXIES", kinds.Whole(0, 32), 0, "instead of it: how many proxies append to `X-Forwarded-For`"
)
SECURE_SSL_REDIRECT = HTTP.variable(
    "SECURE_SSL_REDIRECT", kinds.Flag(), True, "in production: plain HTTP is redirected to HTTPS"
)
SECURE_HSTS_SECONDS = HTTP.variable(
    "SECURE_HSTS_SECONDS", kinds.Whole(0, 10 * YEAR), YEAR, "in production: how long browsers use HTTPS only"
)

SERVER = Section("The server")
PORT = SERVER.variable("PORT", kinds.Whole(1, 65_535), 8000, "the port that gunicorn listens on")
WEB_CONCURRENCY = SERVER.variable("WEB_CONCURRENCY", kinds.Whole(1, 64), 2, "gunicorn's worker processes")
WEB_THREADS = SERVER.variable("WEB_THREADS", kinds.Whole(1, 256), 8, "threads of each worker")
GUNICORN_LOG_LEVEL = SERVER.variable(
    "GUNICORN_LOG_LEVEL", kinds.Choice("debug", "info", "warning", "error", "critical"), "warning",
    "the least level of gunicorn's own log lines", blank=Blank.NEVER,
)  # fmt: skip
FORWARDED_ALLOW_IPS = SERVER.variable(
    "FORWARDED_ALLOW_IPS", kinds.Addresses(), ["127.0.0.1"], "proxies whose `X-Forwarded-…` gunicorn trusts"
)

D1 = Section("D1")
CLOUDFLARE_ACCOUNT_ID = D1.variable(
    "CLOUDFLARE_ACCOUNT_ID", identifier("the id of an account at Cloudflare"), "", "needed by D1 and by R2",
    blank=Blank.IN_DEVELOPMENT,
)  # fmt: skip
CLOUDFLARE_D1_DATABASE_ID = D1.variable(
    "CLOUDFLARE_D1_DATABASE_ID", identifier("the id of a D1 database"), "", blank=Blank.IN_DEVELOPMENT,
    purpose="with the account and the token: use this database on D1",
)  # fmt: skip
CLOUDFLARE_API_TOKEN = D1.variable(
    "CLOUDFLARE_API_TOKEN", kinds.Secret(), "", "a token with *D1: Edit*", blank=Blank.IN_DEVELOPMENT
)
CLOUDFLARE_D1_BASE_URL = D1.variable(
    "CLOUDFLARE_D1_BASE_URL", ENDPOINT, "", "another D1 API, for tests", otherwise="Cloudflare's"
)
D1_TIMEOUT = D1.variable(
    "D1_TIMEOUT", kinds.Number(0.5, 300), 35.0, "seconds to wait for an answer of D1, and to retry",
    otherwise="8 for the server, 35 for commands",
)  # fmt: skip
THREADS_FOR_READS = 2  # of a server's process, which calls to D1 leave to reads of the copy while it hangs
D1_MOST_CALLS = D1.variable(
    "D1_MOST_CALLS", kinds.Whole(1, 999_999), None, otherwise=f"`WEB_THREADS` − {THREADS_FOR_READS} for the server",
    purpose="calls to D1 that a process lets wait at once; it turns on the "
    "[breaker](d1backend-failures.md#the-breaker-of-a-server). Commands have none: they wait and retry",
)  # fmt: skip
D1_ALLOWANCE = D1.variable(
    "D1_ALLOWANCE", kinds.Whole(0, 1_000_000), None, otherwise="1200 at Cloudflare, else 0",
    purpose="calls in five minutes that D1's API takes for the account; 0 is no limit",
)  # fmt: skip
HOSTS = D1.variable(
    "HOSTS", kinds.Whole(1, MOST_HOSTS), 1, "hosts that share D1's calls; each spends an equal part"
)
REPLICA = D1.variable(
    "REPLICA", kinds.Flag(), True, "read from the copy in `DATA/replica`; `off` sends every read to D1"
)
REPLICA_MAX_AGE = D1.variable(
    "REPLICA_MAX_AGE", kinds.Number(0.5, 604_800), 2.0,
    "seconds that the copy may lag behind writes of other hosts; more where `HOSTS` leaves fewer calls for syncs",
)  # fmt: skip
SERVE_WHILE_FILLING = D1.variable(
    "SERVE_WHILE_FILLING", kinds.Flag(), False,
    "answer from D1 until the copy is filled, instead of with 503 ([a new host](deployment.md#a-new-host))",
)  # fmt: skip

STORES = Section("Other stores")
DATABASE_URL = STORES.variable(
    "DATABASE_URL", kinds.DatabaseUrl(), "", blank=Blank.IN_DEVELOPMENT, otherwise="a file in `DATA`",
    purpose="another SQLite file; D1's variables take precedence",
)  # fmt: skip
CACHE_URL = STORES.variable(
    "CACHE_URL", kinds.CacheUrl(), "", blank=Blank.IN_DEVELOPMENT, otherwise="files in `DATA`",
    purpose="where limits are counted; for several hosts. While Redis is down each host counts in its own files",
)  # fmt: skip
CLOUDFLARE_R2_ACCESS_KEY = STORES.variable(
    "CLOUDFLARE_R2_ACCESS_KEY", kinds.Secret(), "", "with the account and the next three: store images in R2",
    blank=Blank.IN_DEVELOPMENT,
)  # fmt: skip
CLOUDFLARE_R2_SECRET_KEY = STORES.variable(
    "CLOUDFLARE_R2_SECRET_KEY", kinds.Secret(), "", "the secret of that key", blank=Blank.IN_DEVELOPMENT
)
CLOUDFLARE_R2_BUCKET_NAME = STORES.variable(
    "CLOUDFLARE_R2_BUCKET_NAME", BUCKET, "", "the bucket of images", blank=Blank.IN_DEVELOPMENT
)
CLOUDFLARE_R2_PUBLIC_URL = STORES.variable(
    "CLOUDFLARE_R2_PUBLIC_URL", kinds.Url(*kinds.WEB, example="https://images.example"), "",
    "where everybody reads that bucket", blank=Blank.IN_DEVELOPMENT,
)  # fmt: skip
CLOUDFLARE_R2_PRIVATE_BUCKET_NAME = STORES.variable(
    "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME", BUCKET, "",
    "a second bucket, not public, with the same keys: snapshots of the copy of D1, ids of deleted users",
)  # fmt: skip
BACKUP_KEY = STORES.variable(
    "BACKUP_KEY",
    # Not shown: it is easily confused with the private key.
    kinds.Text(
        "public keys of age (age1…), with spaces or commas between them", rf"{AGE_KEY}([ ,]+{AGE_KEY})*", shown=False
    ), "",
    "whom [backups](backups.md) are encrypted to; the private keys stay off the host",
)  # fmt: skip
CLOUDFLARE_R2_ENDPOINT_URL = STORES.variable(
    "CLOUDFLARE_R2_ENDPOINT_URL", ENDPOINT, "", "another S3 endpoint, for tests", otherwise="the account's"
)

SIZES = Section("Sizes and lifetimes")
MAX_FILE_SIZE = SIZES.variable(
    "MAX_FILE_SIZE", kinds.Whole(1024, 500 * 1024**2), 10 * 1024**2, "maximum bytes of an uploaded image"
)
MAX_MEGAPIXELS = SIZES.variable(
    "MAX_MEGAPIXELS", kinds.Whole(1, 100), None, otherwise="20 with 512 MB of memory or less, else 50",
    purpose="maximum of an uploaded image; `/info` shows it",
)  # fmt: skip
DECODING_MEMORY_MB = SIZES.variable(
    "DECODING_MEMORY_MB", kinds.Whole(16, 100_000), None, otherwise="160 with 512 MB of memory or less, else 600",
    purpose="what all decoders of a host may hold at one time ([memory](images.md#memory))",
)  # fmt: skip
DEFAULT_PAGE_SIZE = SIZES.variable("DEFAULT_PAGE_SIZE", kinds.Whole(1, 1000), 20, "items of a page")
MAX_PAGE_SIZE = SIZES.variable("MAX_PAGE_SIZE", kinds.Whole(1, 1000), 100, "items of the longest page")
PRESIGNED_LIFETIME_SECONDS = SIZES.variable(
    "PRESIGNED_LIFETIME_SECONDS", kinds.Whole(1, 7 * DAY), 900, "how long a presigned URL is valid"
)
ACCESS_TOKEN_MINUTES = SIZES.variable(
    "ACCESS_TOKEN_MINUTES", kinds.Whole(1, 43_200), 30, "lifetime of an access token"
)
REFRESH_TOKEN_DAYS = SIZES.variable(
    "REFRESH_TOKEN_DAYS", kinds.Whole(1, 3650), 30, "lifetime of a refresh token"
)
REFRESH_GRACE_SECONDS = SIZES.variable(
    "REFRESH_GRACE_SECONDS", kinds.Whole(0, 3600), 30,
    "seconds after its first use in which a refresh token gets the same successor again",
)  # fmt: skip

LIMITS = Section("Limits before a 429")
ANONYMOUS_REQUESTS = LIMITS.limit(
    "ANONYMOUS_REQUESTS",
    1200,
    60,
    "calls of the API from one network without a good token ([limits](api.md#limits))",
)
USER_REQUESTS = LIMITS.limit("USER_REQUESTS", 1800, 60, "calls of one signed-in user")
SIGN_IN_REQUESTS = LIMITS.limit(
    "SIGN_IN_REQUESTS", 600, 600, "sign-ins, refreshes and resets from one network"
)
UPLOAD_REQUESTS = LIMITS.limit("UPLOAD_REQUESTS", 600, 600, "calls of one user that upload")
REGISTRATIONS = LIMITS.limit("REGISTRATIONS", 100, 3600, "registrations from one network")
SIGN_IN_FAILURES = LIMITS.limit(
    "SIGN_IN_FAILURES", 10, 3600, "wrong passwords for one name from one network, before it is locked"
)
SIGN_INS = LIMITS.limit("SIGN_INS", 600, 3600, "right passwords for one name from one network")
UNAPPROVED_SIGN_INS = LIMITS.limit(
    "UNAPPROVED_SIGN_INS", 10, 3600, "the same of an account that is not approved"
)
AVATAR_UPLOADS = LIMITS.limit("AVATAR_UPLOADS", 50, DAY, "avatars that one user uploads")
PRESIGNED_UPLOADS = LIMITS.limit("PRESIGNED_UPLOADS", 1000, DAY, "presigned uploads of one user")
UNKNOWN_UPLOADS = LIMITS.limit(
    "UNKNOWN_UPLOADS", 20, 3600, "keys that one user completes, and of which they have no upload"
)

SECTIONS = (SERVICE, SECRETS, HTTP, SERVER, D1, STORES, SIZES, LIMITS)


def variables() -> Iterator[Variable[Any]]:
    for section in SECTIONS:
        yield from section.variables


ALL = {variable.name: variable for variable in variables()}
