"""The door of the API: calls below `/{subdomain}/api/v2/` and the token endpoint are answered without Flask.

Flask's routing, contexts and response objects would cost more than the calls themselves. Pages and the control API
stay with Flask, and so does every request that must be refused for its host or origin: Flask knows how.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import get_host

from demo.zendesk.world import SUBDOMAIN

TRUSTED_HOSTS = ("localhost", "127.0.0.1")  # no page of another name may reach the switchboard
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
PATH = re.compile(rf"/({SUBDOMAIN.pattern})/(?:api/v2/(.+)|(oauth/tokens)/?)")

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]


@dataclass(frozen=True)
class Incoming:
    """One request as the API reads it. `path` is below `api/v2/`, or `oauth/tokens`."""

    method: str
    path: str
    query: str
    environ: Environ
    is_token_request: bool = False

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return str(self.environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Does the request say that its body is JSON?"""
        found = self.content_type
        return found == "application/json" or (found.startswith("application/") and found.endswith("+json"))

    @cached_property
    def raw(self) -> bytes:
        """The body."""
        length = str(self.environ.get("CONTENT_LENGTH") or "0")
        return bytes(self.environ["wsgi.input"].read(int(length))) if length.isdigit() and length != "0" else b""

    @cached_property
    def args(self) -> "MultiDict[str, str]":
        """The parameters of the query."""
        return MultiDict(parse_qsl(self.query, keep_blank_values=True) if self.query else ())

    @property
    def host_url(self) -> str:
        """Scheme and host without a slash at the end."""
        return f"{self.environ['wsgi.url_scheme']}://{self.environ['HTTP_HOST']}"

    def header(self, name: str) -> str | None:
        """A header by its name in lower case."""
        found = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return None if found is None else str(found)

    def form(self) -> dict[str, str]:
        """The fields of a form; the first of repeated ones."""
        if self.content_type != "application/x-www-form-urlencoded":
            return {}
        return MultiDict(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True)).to_dict()


class ApiFront:
    """WSGI in front of Flask."""

    def __init__(self, pages: Wsgi, answer: Callable[[str, Incoming], Wsgi]) -> None:
        self._pages = pages
        self._answer = answer

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a call of the API; leave everything else to the pages."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        found = PATH.fullmatch(path) if method in METHODS else None
        is_call = found is not None and (found[3] is None or method == "POST")
        if found is None or not is_call or not is_welcome(environ):
            return self._pages(environ, start_response)
        query = environ.get("QUERY_STRING", "")
        incoming = Incoming(method, found[3] or trimmed(found[2]), query, environ, is_token_request=bool(found[3]))
        return self._answer(found[1], incoming)(environ, start_response)


def trimmed(path: str) -> str:
    """A path without the suffix nobody needs."""
    return path.removesuffix(".json").rstrip("/")


def is_welcome(environ: Environ) -> bool:
    """Is it the right host, and no page of another site that posts?"""
    host = environ.get("HTTP_HOST", "")
    origin = environ.get("HTTP_ORIGIN")
    is_foreign = environ["REQUEST_METHOD"] != "GET" and origin and urlsplit(origin).netloc != host
    return is_trusted(host) and not is_foreign


@lru_cache(maxsize=64)
def is_trusted(host: str) -> bool:
    """Is this one of the names the demo listens to?"""
    try:
        return bool(get_host("http", host, None, TRUSTED_HOSTS))
    except SecurityError:
        return False
