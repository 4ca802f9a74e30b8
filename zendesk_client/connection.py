"""What a client needs to know before its first call: address, time-outs, Marketplace headers, session."""

from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests

from zendesk_client.deadline import BoundedAdapter
from zendesk_client.subdomain import check_subdomain

ZENDESK_BASE_URL = "https://{subdomain}.zendesk.com"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect (each address of the host), between two reads, and for the whole call.

    Looking up the host's name is the operating system's affair and can outlast ``total_s``; the request is then not
    sent any more, so nothing ever leaves later than ``total_s`` after the call began.
    """

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 60.0


@dataclass(frozen=True, slots=True)
class MarketplaceHeaders:
    """What a Marketplace app says of itself on every call; parts left empty are not sent.

    https://developer.zendesk.com/documentation/marketplace/building-a-marketplace-app/apis-and-the-marketplace/
    """

    app_id: str = ""
    organization_id: str = ""
    name: str = ""

    def as_headers(self) -> dict[str, bytes]:
        """Return the headers of the parts that are filled in, on one line each, in UTF-8."""
        named = {
            "X-Zendesk-Marketplace-App-Id": self.app_id,
            "X-Zendesk-Marketplace-Organization-Id": self.organization_id,
            "X-Zendesk-Marketplace-Name": self.name,
        }
        on_one_line = {name: " ".join(value.split()).encode() for name, value in named.items()}
        return {name: value for name, value in on_one_line.items() if value}


DEFAULT_TIMEOUTS = Timeouts()
NO_MARKETPLACE = MarketplaceHeaders()


def build_session() -> requests.Session:
    """Return the kind of session this client needs: keep-alive, no environment proxies, no cookies, no retries."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def build_base_url(template: str, subdomain: str) -> str:
    """Return the address of an account, e.g. ``https://acme.zendesk.com``, without a slash at its end.

    Raises InvalidSubdomain, or ValueError when the template has no ``{subdomain}`` or is no http(s) address.
    """
    base = template.replace("{subdomain}", check_subdomain(subdomain)).rstrip("/")
    parts = urlsplit(base)
    if "{subdomain}" not in template or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the base address must be an http(s) address with {subdomain} in it")
    return base
