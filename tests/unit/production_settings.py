"""Production's settings for a test that names where the static files lie: in DATA/static."""

from gallery_project.settings import *  # noqa: F403

STATIC_ROOT = DATA / "static"  # noqa: F405
