"""A person at the demo CRM's consent page, played over HTTP: opens it, keeps the form as it is, presses Allow.

Only ever the demo: any address that is not on this machine is refused before it is asked. This is a browser's part,
not a call to a CRM, so it does not go through a connection.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
TIMEOUT_S = 10
DECISION = {"decision": "allow"}


class ConsentFailed(Exception):
    """The demo CRM did not answer, or its page is not what it was; str() says which."""


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What the consent page sends back to the product."""

    state: str
    code: str
    error: str = ""


def is_on_this_machine(url: str) -> bool:
    """Whether an address is a loopback one."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def give_consent(url: str) -> ConsentAnswer:
    """Press Allow on the page at `url`. Raises ConsentFailed."""
    if not is_on_this_machine(url):
        raise ConsentFailed("The consent page is not on this machine.")
    try:
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(url, timeout=TIMEOUT_S, allow_redirects=False)
            form = read_form(page.text)
            action = urljoin(url, form.action)
            if page.status_code != requests.codes.ok or not form.fields or not is_on_this_machine(action):
                raise ConsentFailed(f"The consent page answered {page.status_code} without a form to allow access.")
            answer = browser.post(action, data=form.fields | DECISION, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        raise ConsentFailed("The consent page does not answer.") from error
    values = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    if "state" not in values:
        raise ConsentFailed(f"The consent page answered {answer.status_code} instead of sending the browser back.")
    return ConsentAnswer(*(values.get(name, [""])[0] for name in ("state", "code", "error")))


@dataclass
class ReadForm:
    """The page's form: where it goes (relative; empty = the page itself) and its named inputs."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def read_form(html: str) -> ReadForm:
    """The named inputs of a page with one form."""
    reader = _FormReader()
    reader.feed(html)
    return reader.form


class _FormReader(HTMLParser):
    """Collects inputs; what only other elements hold keeps the page's default."""

    def __init__(self) -> None:
        super().__init__()
        self.form = ReadForm()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for every tag of the page."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form.action = values.get("action", "")
        if tag == "input" and values.get("name"):
            self.form.fields[values["name"]] = values.get("value", "")
