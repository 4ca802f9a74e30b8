"""The web application for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.warm_start import finish_loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - loads all pages, which the first request would wait for
finish_loading()
