"""Settings of the backend's own tests; the engine's address is put in when it runs
(tests/d1/core/conftest.py)."""

SECRET_KEY = "tests of d1backend"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "tests.d1.app",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {
    "default": {
        "ENGINE": "d1backend",
        "NAME": "never-touched",
        "OPTIONS": {"account_id": "local", "api_token": "local", "base_url": "http://127.0.0.1:9/client/v4"},
    },
}
