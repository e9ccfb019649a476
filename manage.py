#!/usr/bin/env python
"""Django's command line for the gallery."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from core.variables.checking import load
from d1backend.protocol.budget import wait_for_room

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
    if "runserver" not in sys.argv:
        wait_for_room()
    try:
        load()  # some of Django's own commands would go on without settings
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except SystemExit as end:
        if "gallery_project.error_reports" in sys.modules:
            sys.modules["gallery_project.error_reports"].report_command(end.__context__)
        raise
