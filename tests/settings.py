"""The settings under test: the project's, with databases, images and caches that the run makes itself."""

import os
import tempfile

TEST_DATA = tempfile.mkdtemp(prefix="design-gallery-tests-")
os.environ.update(DATA=TEST_DATA, ENVIRONMENT="development", DEBUG="true")

from gallery_project.settings import *  # noqa: E402, F403

if os.environ.get("TEST_ENGINE") == "d1":
    from pathlib import Path

    from tests.engine import d1_database

    DATABASES = {"default": d1_database()}
    if os.environ.get("REPLICA") != "off":
        DATABASES["replica"] = environment.replica_database(Path(TEST_DATA), max_age=2.0)  # noqa: F405
        DATABASE_ROUTERS = ["d1backend.replica.router.ReplicaRouter"]
else:
    # A file, as in production: SQLite in memory locks whole tables where threads meet.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(TEST_DATA, "test.sqlite3")}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# bcrypt's cost is the point of it, and the tests have no use for that; one test asks for the real list.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "accounts.hashers.MeasuredBcrypt",
]
DEBUG = False
# A run asks more than people do. The tests of a limit set it.
ANONYMOUS_REQUESTS = USER_REQUESTS = SIGN_IN_REQUESTS = UPLOAD_REQUESTS = (1_000_000, 60)
# A thread of its own would write into whatever test runs by then.
VIEW_FLUSH_SECONDS = 0
