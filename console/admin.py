"""Imported by Django's autodiscovery: imports every admin class, so that each registers itself."""

import console.accounts.admin
import console.core.app_settings
import console.core.audit
import console.designs.admin
import console.designs.searches
import console.designs.synonyms
import console.uploads.admin  # noqa: F401
