"""Django's settings, all from the environment. docs/settings.md has the table of variables."""

from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers

from console import theme
from core.logs import configuration as logs
from core.logs import hiding
from core.variables import declared as v
from core.variables.checking import data_folder, load
from gallery_project import __version__, environment, memory, storages

BASE_DIR = Path(__file__).resolve().parent.parent
env = load()

ENVIRONMENT = env[v.ENVIRONMENT]
PRODUCTION = env.is_production
DEBUG = env.get(v.DEBUG, not PRODUCTION)
VERSION = __version__

DATA = data_folder(env)

JWT_SECRET = environment.jwt_secret(env, DATA)
JWT_SECRET_PREVIOUS = env[v.JWT_SECRET_PREVIOUS]
SECRET_KEY, SECRET_KEY_FALLBACKS = environment.secret_keys(env, JWT_SECRET, JWT_SECRET_PREVIOUS)
METRICS_TOKEN = env[v.METRICS_TOKEN]
METRICS_TOKEN_PREVIOUS = env[v.METRICS_TOKEN_PREVIOUS]

RENDER_HOSTS = env[v.RENDER_EXTERNAL_HOSTNAME]
ALLOWED_HOSTS = env.get(v.ALLOWED_HOSTS, [] if PRODUCTION else ["*"]) + RENDER_HOSTS
CSRF_TRUSTED_ORIGINS = env[v.CSRF_TRUSTED_ORIGINS] + [f"https://{host}" for host in RENDER_HOSTS]

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
    "core.request_log.request_log",
    "core.limits.middleware.show_limits",
    "core.middleware.api_envelope",
    "core.middleware.security_headers",
    "core.middleware.JsonGzip",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.Cors",
    "core.limits.middleware.limit_requests",
    "core.middleware.health_first",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.plain_media_type",
    "core.middleware.body_limit",
    "core.spending.spending_by_address",
    "core.middleware.writes_need_d1",
    "console.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "console.middleware.AuthenticationMiddleware",
    "console.middleware.MessageMiddleware",
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

PRIVATE_STORAGE = storages.private_storage(env)
# Public keys of age that backups are encrypted to (operations/backups).
BACKUP_KEY = env[v.BACKUP_KEY]
SNAPSHOTS = environment.snapshots(PRIVATE_STORAGE, [JWT_SECRET, JWT_SECRET_PREVIOUS])

DATABASES = environment.databases(env, DATA, SNAPSHOTS)
# The database of this host's copy of D1; DATABASES has it only if it is used.
REPLICA_ALIAS = environment.REPLICA_ALIAS
# Whether gunicorn answers from D1 until the copy is filled; otherwise it answers health calls only.
SERVE_WHILE_FILLING = env[v.SERVE_WHILE_FILLING]
DATABASE_ROUTERS = ["d1backend.replica.router.ReplicaRouter"] if REPLICA_ALIAS in DATABASES else []

STORAGES: dict[str, environment.Options] = {
    "default": storages.image_storage(env, DATA),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if PRIVATE_STORAGE is not None:
    STORAGES[environment.PRIVATE_STORAGE] = PRIVATE_STORAGE
STORAGES["deletions"] = storages.deletions_storage(PRIVATE_STORAGE, DATA)
IMAGE_ORIGIN = environment.origin(env[v.CLOUDFLARE_R2_PUBLIC_URL])
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
    "accounts.hashers.MeasuredBcrypt",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.PlainBCryptPasswordHasher",  # of users whom adopt_seed has taken over
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
CONSOLE_TIME_ZONE = env[v.CONSOLE_TIME_ZONE]

# The limits of API.md.
MAX_FILE_SIZE = env[v.MAX_FILE_SIZE]  # bytes
MEGAPIXELS, DECODING_MEGABYTES = memory.for_pictures(memory.limit())
MAX_MEGAPIXELS = env.get(v.MAX_MEGAPIXELS, MEGAPIXELS)
# Bytes that all decoders of this host may hold at one time.
DECODING_MEMORY = env.get(v.DECODING_MEMORY_MB, DECODING_MEGABYTES) * memory.MEGABYTE
# For operations.doctor: the workers that gunicorn starts, how many fit, and the bytes that they need and may use.
WEB_CONCURRENCY, MEMORY_LIMIT = env[v.WEB_CONCURRENCY], memory.limit()
MEMORY_NEEDED = memory.needed(WEB_CONCURRENCY, DECODING_MEMORY)
MOST_WORKERS = memory.most_workers(DECODING_MEMORY, MEMORY_LIMIT)
DEFAULT_PAGE_SIZE = env[v.DEFAULT_PAGE_SIZE]
MAX_PAGE_SIZE = env[v.MAX_PAGE_SIZE]
MAX_JSON_SIZE = 1024 * 1024  # bytes
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_JSON_SIZE
# A host writes its view counts at most this often; 0: only on request (designs.counters).
VIEW_FLUSH_SECONDS = env[v.VIEW_FLUSH_SECONDS]
# How long a deleted design can be restored (manage.py tidy).
TRASH_DAYS = env[v.TRASH_DAYS]
PRESIGNED_LIFETIME = timedelta(seconds=env[v.PRESIGNED_LIFETIME_SECONDS])

ACCESS_TOKEN_LIFETIME = timedelta(minutes=env[v.ACCESS_TOKEN_MINUTES])
REFRESH_TOKEN_LIFETIME = timedelta(days=env[v.REFRESH_TOKEN_DAYS])
# In which a refresh token may be used again (accounts.refresh).
REFRESH_GRACE = timedelta(seconds=env[v.REFRESH_GRACE_SECONDS])
SIMPLE_JWT = {  # the secrets: accounts.tokens
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "USER_ID_CLAIM": "user_id",
    "UPDATE_LAST_LOGIN": False,
}

# Limits before a 429: (calls at once, seconds in which they come back). docs/api.md says for whom each counts.
ANONYMOUS_REQUESTS = env.limit(v.ANONYMOUS_REQUESTS)
USER_REQUESTS = env.limit(v.USER_REQUESTS)
SIGN_IN_REQUESTS = env.limit(v.SIGN_IN_REQUESTS)
UPLOAD_REQUESTS = env.limit(v.UPLOAD_REQUESTS)
REGISTRATIONS = env.limit(v.REGISTRATIONS)
SIGN_IN_FAILURES = env.limit(v.SIGN_IN_FAILURES)
SIGN_INS = env.limit(v.SIGN_INS)
UNAPPROVED_SIGN_INS = env.limit(v.UNAPPROVED_SIGN_INS)
AVATAR_UPLOADS = env.limit(v.AVATAR_UPLOADS)
PRESIGNED_UPLOADS = env.limit(v.PRESIGNED_UPLOADS)
UNKNOWN_UPLOADS = env.limit(v.UNKNOWN_UPLOADS)
# Where the client's address comes from (core.client_address); with neither, from the socket.
CLIENT_ADDRESS_HEADER, NUM_PROXIES = env[v.CLIENT_ADDRESS_HEADER], env[v.NUM_PROXIES]

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

CORS_ORIGINS = env.get(v.CORS_ORIGINS, [] if PRODUCTION else ["*"])
CORS_ALLOWED_ORIGINS = [origin for origin in CORS_ORIGINS if origin != "*"]
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
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
    SECURE_SSL_REDIRECT = env[v.SECURE_SSL_REDIRECT]
    # Render's own health check and Prometheus speak plain HTTP inside its network.
    SECURE_REDIRECT_EXEMPT = [r"^health(/live|/ready)?$", r"^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env[v.SECURE_HSTS_SECONDS]
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

LOG_LEVEL = env[v.LOG_LEVEL]
LOG_FORMAT = env.get(v.LOG_FORMAT, logs.default_format(PRODUCTION))
LOGGING = logs.configuration(LOG_LEVEL, LOG_FORMAT)
hiding.known.add(JWT_SECRET, JWT_SECRET_PREVIOUS, SECRET_KEY, *SECRET_KEY_FALLBACKS)
SENTRY_DSN = env[v.SENTRY_DSN]
