"""The ASGI entry point, for hosts that serve ASGI."""

import os

from django.core.asgi import get_asgi_application

from gallery_project.requests import AsgiRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")

application = get_asgi_application()
application.request_class = AsgiRequest
