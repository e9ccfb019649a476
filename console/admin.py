"""What Django's autodiscovery imports: the admin classes of every app, so that they register themselves."""

import console.accounts.admin
import console.core.admin
import console.designs.admin
import console.uploads.admin  # noqa: F401
