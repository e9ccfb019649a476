"""Django's settings, all from the environment. docs/deployment.md has the table of variables."""

from datetime import timedelta
from pathlib import Path

import environ
from corsheaders.defaults import default_headers

from console import theme
from gallery_project import __version__, environment, memory, storages

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

ENVIRONMENT = environment.read_choice(env, "ENVIRONMENT", environment.ENVIRONMENTS, "development")
PRODUCTION = ENVIRONMENT == "production"
if PRODUCTION:
    environment.refuse_blank(env)
DEBUG = environment.read_bool(env, "DEBUG", not PRODUCTION)
VERSION = __version__

# The folder of everything that this process writes: database, images, secrets, cache.
DATA = Path(environment.read_text(env, "DATA") or BASE_DIR / "data").resolve()

JWT_SECRET = environment.jwt_secret(env, DATA, PRODUCTION)
JWT_SECRET_PREVIOUS = environment.previous_jwt_secret(env)
SECRET_KEY, SECRET_KEY_FALLBACKS = environment.secret_keys(env, JWT_SECRET, JWT_SECRET_PREVIOUS)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
RENDER_HOST = env.str("RENDER_EXTERNAL_HOSTNAME", "")
if RENDER_HOST:
    ALLOWED_HOSTS.append(RENDER_HOST)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if RENDER_HOST:
    CSRF_TRUSTED_ORIGINS.append(f"https://{RENDER_HOST}")

INSTALLED_APPS = [
    "console",  # before unfold, some of whose templates it replaces
    "unfold.apps.BasicAppConfig",  # not its default, which would replace the gallery's site by its own
    "console.admin_app.GalleryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "d1backend",
    "core",
    "accounts",
    "uploads",
    "designs",
    "demo",
    "operations",
    "gallery_project",
]

MIDDLEWARE = [
    "core.middleware.request_log",
    "core.limits.middleware.show_limits",
    "core.middleware.api_envelope",
    "core.middleware.security_headers",
    "core.middleware.JsonGzip",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.limits.middleware.limit_requests",
    "core.middleware.health_first",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.plain_media_type",
    "core.middleware.body_limit",
    "core.spending.spending_by_address",
    "core.middleware.writes_need_d1",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "console.middleware.confirm_changes",
    "console.middleware.local_time",
    "core.middleware.RepeatLostWrites",
]

ROOT_URLCONF = "gallery_project.urls"
WSGI_APPLICATION = "gallery_project.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

D1_MISSING = environment.missing_variables(env, environment.D1_VARIABLES, environment.ACCOUNT_VARIABLE)
R2_MISSING = environment.missing_variables(env, environment.R2_VARIABLES, environment.ACCOUNT_VARIABLE)

PRIVATE_STORAGE = storages.private_storage(env)
# Public keys of age that backups are encrypted to (operations/backups).
BACKUP_KEY = environment.read_text(env, "BACKUP_KEY")
SNAPSHOTS = environment.snapshots(PRIVATE_STORAGE, [JWT_SECRET, JWT_SECRET_PREVIOUS])

DATABASES = environment.databases(env, DATA, SNAPSHOTS)
# The database of this host's copy of D1; DATABASES has it only if it is used.
REPLICA_ALIAS = environment.REPLICA_ALIAS
# Whether gunicorn answers from D1 until the copy is filled; otherwise it answers health calls only.
SERVE_WHILE_FILLING = environment.read_bool(env, "SERVE_WHILE_FILLING", False)
DATABASE_ROUTERS = ["d1backend.replica.router.ReplicaRouter"] if REPLICA_ALIAS in DATABASES else []

STORAGES: dict[str, environment.Options] = {
    "default": storages.image_storage(env, DATA),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if PRIVATE_STORAGE is not None:
    STORAGES[environment.PRIVATE_STORAGE] = PRIVATE_STORAGE
STORAGES["deletions"] = storages.deletions_storage(PRIVATE_STORAGE, DATA)
if PRODUCTION:
    environment.require_persistent_data(env, DATABASES, STORAGES["default"])
IMAGE_ORIGIN = environment.origin(environment.read_text(env, "CLOUDFLARE_R2_PUBLIC_URL"))
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Development serves the apps' own files; production serves what collectstatic gathered.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
if not PRODUCTION:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

CACHES = environment.cache_places(env, DATA)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.StaffBackend"]
EDITED_APPS = ["designs", "uploads"]  # what members of the group Editors work on in the admin
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 6},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

UNFOLD = theme.unfold()

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "gallery_project.formats"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
# In which the console shows times; the API speaks UTC.
CONSOLE_TIME_ZONE = environment.read_time_zone(env, "CONSOLE_TIME_ZONE", "Asia/Kolkata")

# The limits of API.md.
MAX_FILE_SIZE = env.int("MAX_FILE_SIZE", 10 * 1024 * 1024)  # bytes
MEGAPIXELS, DECODING_MEGABYTES = memory.for_pictures(memory.limit())
MAX_MEGAPIXELS = environment.read_whole(env, "MAX_MEGAPIXELS", MEGAPIXELS, 1, 100)
# Bytes that all decoders of this host may hold at one time.
DECODING_MEMORY = (
    environment.read_whole(env, "DECODING_MEMORY_MB", DECODING_MEGABYTES, 16, 100_000) * memory.MEGABYTE
)
DEFAULT_PAGE_SIZE = env.int("DEFAULT_PAGE_SIZE", 20)
MAX_PAGE_SIZE = env.int("MAX_PAGE_SIZE", 100)
MAX_JSON_SIZE = 1024 * 1024  # bytes
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_JSON_SIZE
# A host writes its view counts at most this often; 0: only on request (designs.counters).
VIEW_FLUSH_SECONDS = env.float("VIEW_FLUSH_SECONDS", 10.0)
# How long a deleted design can be restored (manage.py purge_trash).
TRASH_DAYS = env.int("TRASH_DAYS", 30)
PRESIGNED_LIFETIME = timedelta(seconds=env.int("PRESIGNED_LIFETIME_SECONDS", 900))

ACCESS_TOKEN_LIFETIME = timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", 30))
REFRESH_TOKEN_LIFETIME = timedelta(days=env.int("REFRESH_TOKEN_DAYS", 30))
# In which a refresh token may be used again (accounts.refresh).
REFRESH_GRACE = timedelta(seconds=environment.read_whole(env, "REFRESH_GRACE_SECONDS", 30, 0, 3600))
SIMPLE_JWT = {  # the secrets: accounts.tokens
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "USER_ID_CLAIM": "user_id",
    "UPDATE_LAST_LOGIN": False,
}

# Limits before a 429: (calls at once, seconds in which they come back). docs/api.md says for whom each counts.
ANONYMOUS_REQUESTS = environment.read_limit(env, "ANONYMOUS_REQUESTS", 1200, 60)
USER_REQUESTS = environment.read_limit(env, "USER_REQUESTS", 1800, 60)
SIGN_IN_REQUESTS = environment.read_limit(env, "SIGN_IN_REQUESTS", 600, 600)
UPLOAD_REQUESTS = environment.read_limit(env, "UPLOAD_REQUESTS", 600, 600)
REGISTRATIONS = environment.read_limit(env, "REGISTRATIONS", 100, 3600)
SIGN_IN_FAILURES = environment.read_limit(env, "SIGN_IN_FAILURES", 10, 3600)
SIGN_INS = environment.read_limit(env, "SIGN_INS", 600, 3600)
UNAPPROVED_SIGN_INS = environment.read_limit(env, "UNAPPROVED_SIGN_INS", 10, 3600)
AVATAR_UPLOADS = environment.read_limit(env, "AVATAR_UPLOADS", 50, 86_400)
PRESIGNED_UPLOADS = environment.read_limit(env, "PRESIGNED_UPLOADS", 1000, 86_400)
# Where the client's address comes from (core.client_address); with neither, from the socket.
CLIENT_ADDRESS_HEADER, NUM_PROXIES = environment.client_address_source(env)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.IsSignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.json.Parser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.json.JsonOnly",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.GallerySchema",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "STRICT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Design Gallery API",
    "DESCRIPTION": "Designs of Indian traditional wear: accounts, catalogue, favourites, uploads, staff.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gallery_project.openapi.finishing.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "designs.fields.Status",
        "SettableStatusEnum": "designs.fields.SETTABLE_STATUSES",
    },
}

CORS_ALLOWED_ORIGINS = [origin for origin in env.list("CORS_ORIGINS", default=[]) if origin != "*"]
CORS_ALLOW_ALL_ORIGINS = "*" in env.list("CORS_ORIGINS", default=[] if PRODUCTION else ["*"])
CORS_ALLOW_HEADERS = (*default_headers, "if-none-match", "x-request-id", "idempotency-key")
CORS_EXPOSE_HEADERS = [
    *("ETag", "Retry-After", "X-Request-ID", "Idempotent-Replayed"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
]
CORS_URLS_REGEX = r"^/(api|media)/.*$"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "core.system.csrf_failure"
SESSION_ENGINE = "console.sessions"
# In a cookie of their own, because the session's is signed again with each change.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
SESSION_COOKIE_AGE = 60 * 60 * 12  # seconds: a working day
if PRODUCTION:
    SECURE_SSL_REDIRECT = environment.read_bool(env, "SECURE_SSL_REDIRECT", True)
    # Render's own health check speaks plain HTTP inside its network.
    SECURE_REDIRECT_EXEMPT = [r"^health(/live|/ready)?$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

LOG_LEVEL = environment.read_choice(env, "LOG_LEVEL", environment.LOG_LEVELS, "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "filters": {
        "exceptions": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: record.exc_info}
    },
    # The request log has a line for each response already; of Django's only tracebacks say more.
    "loggers": {"django.request": {"level": "ERROR", "filters": ["exceptions"]}},
}
