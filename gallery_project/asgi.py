"""The ASGI entry point, for hosts that serve ASGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")

application = get_asgi_application()
