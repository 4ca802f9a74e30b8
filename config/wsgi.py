"""The web application for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from config.warm_start import finish_loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
finish_loading()
