"""Turns what a person pastes into the one part of a Zendesk address that matters: the subdomain.

Calls only ever go to ``https://{subdomain}.zendesk.com``, built by ourselves: a host out of a form, or out of an
answer, is never called. Host-mapped addresses are refused: Zendesk documents its API on its own host alone.
"""

import re
from urllib.parse import urlsplit

SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ZENDESK_HOST_SUFFIX = ".zendesk.com"
RESERVED = frozenset({"www", "support", "developer", "status", "static", "assets", "api"})  # Zendesk's own pages


class InvalidSubdomain(ValueError):
    """What was typed names no Zendesk account. ``reason`` is one of the keys of ``REASONS``; str() its sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


REASONS = {
    "empty": "There is nothing here.",
    "characters": "A subdomain has letters a to z, digits and hyphens only, at most 63, and no hyphen at its ends.",
    "scheme": "A Zendesk address begins with https://.",
    "credentials": "An address with a name or password before the host is not accepted.",
    "port": "A Zendesk address has no port.",
    "foreign_host": "This host is not an account under zendesk.com.",
    "reserved": "This is an address of Zendesk's own, not of an account.",
}


def normalize_subdomain(text: str) -> str:
    """Return the subdomain in ``text``: a bare subdomain, a zendesk.com host, or the address of any page of it.

    Raises InvalidSubdomain for everything else. The result always matches ``SUBDOMAIN``.
    """
    text = text.strip().lower()
    if not text:
        raise InvalidSubdomain("empty")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise InvalidSubdomain("characters")
    host = _read_host(text)
    subdomain = host.removesuffix(ZENDESK_HOST_SUFFIX)
    if "." in subdomain or not _may_be_bare(text, host):
        raise InvalidSubdomain("foreign_host")
    if not SUBDOMAIN.fullmatch(subdomain):
        raise InvalidSubdomain("characters")
    if subdomain in RESERVED:
        raise InvalidSubdomain("reserved")
    return subdomain


def check_subdomain(subdomain: str) -> str:
    """Return ``subdomain`` unchanged when it is one already; raise InvalidSubdomain otherwise."""
    if not SUBDOMAIN.fullmatch(subdomain):
        raise InvalidSubdomain("characters")
    return subdomain


def _read_host(text: str) -> str:
    scheme, marker, rest = text.partition("://")
    if marker and scheme not in ("https", "http"):
        raise InvalidSubdomain("scheme")
    try:
        parts = urlsplit("//" + (rest if marker else text).lstrip("/"))
        port = parts.port
    except ValueError:
        raise InvalidSubdomain("characters") from None
    if "@" in parts.netloc:
        raise InvalidSubdomain("credentials")
    if port is not None or ":" in parts.netloc:
        raise InvalidSubdomain("port")
    return parts.netloc.rstrip(".")


def _may_be_bare(text: str, host: str) -> bool:
    """Only a lone word may leave zendesk.com out: the first part of ``foo/bar`` may be anyone's host."""
    return host.endswith(ZENDESK_HOST_SUFFIX) or text.strip("/.") == host
