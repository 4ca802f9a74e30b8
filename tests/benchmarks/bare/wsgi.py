"""The product's web application with the bare view beside its API: same server, same settings, same middleware.

At /plain, the same view is answered with the least middleware.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.ROOT_URLCONF = "tests.benchmarks.bare.urls"

from config.wsgi import application as product  # noqa: E402 - reads the settings above

# Read by each handler when it is made, so the product has its own already. This one says how long an answer is.
settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
plain = WSGIHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Each address by its own handler."""
    chosen = plain if environ["PATH_INFO"] == "/plain" else product
    return chosen(environ, start_response)
