"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from gallery_project.requests import WsgiRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")

application = get_wsgi_application()
application.request_class = WsgiRequest
