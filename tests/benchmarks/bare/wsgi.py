"""The product's web application with the bare view beside its API: same server, same settings, same middleware."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.ROOT_URLCONF = "tests.benchmarks.bare.urls"

from config.wsgi import application  # noqa: E402 - reads the settings above

__all__ = ["application"]
