"""The demo Zendesk as a Flask application."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.routing import BaseConverter

from demo.zendesk import checks, consent, control, pages, record_pages, switchboard
from demo.zendesk.api_front import TRUSTED_HOSTS, ApiFront
from demo.zendesk.pipeline import Pipeline
from demo.zendesk.storage import Storage
from demo.zendesk.world import SUBDOMAIN, Client, World

POLICY = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http://localhost:* http://127.0.0.1:*"  # the consent form redirects to the app
)


class SubdomainConverter(BaseConverter):
    """A first path segment that can be an account."""

    regex = SUBDOMAIN.pattern
    part_isolating = True


def create_app(
    state_path: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    sleep: Callable[[float], None] = time.sleep,
    client: Client | None = None,
    time_scale: float = 1,
) -> Flask:
    """The application, with everything in memory unless there is a `state_path`.

    `now` and `sleep` are the tests' handles on time; `time_scale` is how many times faster Zendesk's own time runs.
    """
    app = Flask(__name__, static_url_path="/_static")
    world = World(Storage(state_path), now=now, sleep=sleep, client=client, time_scale=time_scale)
    app.extensions["world"] = world
    app.config["TRUSTED_HOSTS"] = list(TRUSTED_HOSTS)
    app.url_map.converters["sub"] = SubdomainConverter
    app.url_map.strict_slashes = False
    for module in (consent, control, checks, pages, record_pages, switchboard):
        app.register_blueprint(module.blueprint)
    app.before_request(refuse_foreign_origin)
    app.after_request(add_page_headers)
    app.wsgi_app = ApiFront(app.wsgi_app, Pipeline(world).answer)  # type: ignore[method-assign]
    return app


def refuse_foreign_origin() -> None:
    """Nothing here needs a password, so pages of other sites must not be able to post."""
    origin = request.headers.get("Origin")
    if request.method != "GET" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


def add_page_headers(response: Response) -> Any:
    """The strict policy of the product, for the demo's pages too."""
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
    return response
