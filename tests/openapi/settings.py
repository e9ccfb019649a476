"""The settings of the attacked server: the project's, with quick passwords."""

from gallery_project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.openapi.hashers.QuickBcrypt"]
