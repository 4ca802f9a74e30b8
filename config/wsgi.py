"""The web application for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from config.garbage import look_for_less_garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
look_for_less_garbage()
