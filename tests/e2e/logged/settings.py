"""The project's settings, with the faulty views of `urls`."""

from gallery_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.e2e.logged.urls"
