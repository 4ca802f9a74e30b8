"""The demo contact centre as a Flask application."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request, send_from_directory

import demo.zendesk
from demo.contact_centre import control, pages
from demo.contact_centre.centre import Centre

POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
SHARED_LOOK = Path(demo.zendesk.__file__).parent / "static"  # both demos have one style sheet and one script


def create_app(centre: Centre) -> Flask:
    """The pages and the control API of a contact centre, which the caller starts and stops."""
    app = Flask(__name__, static_url_path="/_static")
    app.extensions["centre"] = centre
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1"]  # no page of another name may reach the switches
    app.url_map.strict_slashes = False
    for module in (control, pages):
        app.register_blueprint(module.blueprint)
    app.add_url_rule("/_look/<path:name>", "look", send_look)
    app.before_request(refuse_foreign_origin)
    app.after_request(add_page_headers)
    return app


def send_look(name: str) -> Response:
    """A file of the shared look."""
    return send_from_directory(SHARED_LOOK, name)


def refuse_foreign_origin() -> None:
    """Nothing here needs a password, so pages of other sites must not be able to post."""
    origin = request.headers.get("Origin")
    if request.method != "GET" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


def add_page_headers(response: Response) -> Any:
    """The strict policy of the product, for the demo's pages too."""
    if response.mimetype == "text/html":
        framed = g.get("framed_origin", "")  # the product's customer card
        response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {framed}" if framed else POLICY
        response.headers["Cache-Control"] = "no-store"
    return response
