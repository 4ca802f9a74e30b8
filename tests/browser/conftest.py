"""A real browser on a live server: pages that fail the test on any script error or refused content, axe, screenshots.

Every test under tests/browser/ is marked `browser`. Without a browser they are skipped, under CI or STRICT=1 failed.
"""

import os
import re
import secrets
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client as DjangoClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from config.stack.chromium import Chromium, find_chromium
from demo.zendesk.app import create_app
from demo.zendesk.server import build_server
from demo.zendesk.world import Client
from tests.browser.demo_account import DemoAccount

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = ROOT / "var" / "screenshots"
FLAGS = (
    "--no-sandbox",  # inside containers and as root
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
SERIOUS = {"serious", "critical"}
PATIENCE_MS = 10_000
has_failed_key = pytest.StashKey[bool]()
REPORT_REFUSED_CONTENT = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`Content-Security-Policy: ${event.violatedDirective} refused ${event.blockedURI || 'inline content'}`);
});
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests failed, for `new_page` to keep what the browser showed."""
    report = yield
    if report.failed:
        item.stash[has_failed_key] = True
    return report


@dataclass
class BrowserErrors:
    """What the pages complained about; `allow` names, as a pattern, what the test expects."""

    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        self.allowed.append(pattern)

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.seen.append(f"script error: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"{message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        return [text for text in self.seen if not any(re.search(pattern, text) for pattern in self.allowed)]


class PageMaker(Protocol):
    """`new_page(locale="fr-CA", color_scheme="dark", width=390, height=844, has_scripts=False, user=somebody)`."""

    def __call__(
        self,
        *,
        user: Any = None,
        locale: str = "en-CA",
        color_scheme: str = "light",
        width: int = 1280,
        height: int = 900,
        has_scripts: bool = True,
    ) -> Page: ...


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """The browser program, or the test is skipped with the reason."""
    found = find_chromium()
    if found is None:
        say = pytest.fail if os.environ.get("CI") == "true" or os.environ.get("STRICT") == "1" else pytest.skip
        say("There is no Chromium; `make test` fetches one.")
    return found


@pytest.fixture(scope="session")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """One browser for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PLAYWRIGHT_NODEJS_PATH",):
            if name in chromium.environment:
                patch.setenv(name, chromium.environment[name])
        # Playwright's loop runs in this thread, which Django would take for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(
                executable_path=str(chromium.program),
                args=list(FLAGS),
                env={**os.environ, **chromium.environment},
            )
            expect.set_options(timeout=PATIENCE_MS)
            yield launched
            launched.close()


@pytest.fixture
def browser_errors() -> Iterator[BrowserErrors]:
    """Fails the test for script errors, refused content and failed requests that it did not allow."""
    errors = BrowserErrors()
    yield errors
    if errors.unexpected():
        pytest.fail("The browser complained:\n" + "\n".join(errors.unexpected()))


@pytest.fixture
def new_page(
    browser: Browser, live_server: Any, browser_errors: BrowserErrors, request: pytest.FixtureRequest
) -> Iterator[PageMaker]:
    """Makes pages, each with cookies of its own; addresses are relative to the live server.

    What they show when a test fails is kept under var/screenshots/failed/.
    """
    contexts: list[BrowserContext] = []

    def make(*, user=None, locale="en-CA", color_scheme="light", width=1280, height=900, has_scripts=True) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            locale=locale,
            color_scheme=color_scheme,
            viewport={"width": width, "height": height},
            java_script_enabled=has_scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REPORT_REFUSED_CONTENT)
        if user is not None:
            sign_in(context, user, address=live_server.url)
        page = context.new_page()
        browser_errors.watch(page)
        return page

    yield make
    for number, context in enumerate(contexts):
        if request.node.stash.get(has_failed_key, False):
            keep_pages(context, f"{request.node.name}-{number}")
        context.close()


@pytest.fixture
def page(new_page: PageMaker) -> Page:
    """A page at a desk: English, light, 1280 px wide, nobody signed in."""
    return new_page()


@pytest.fixture
def check_accessibility() -> Callable[..., None]:
    """Fails on any finding of axe that is serious or worse; `rules` are axe's ids, all of them when left out."""

    def check(page: Page, *, rules: Sequence[str] = ()) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(Axe().axe_script)
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}  # others take long
        violations = page.evaluate("(options) => axe.run(options)", options)["violations"]
        serious = [
            f"{finding['id']}: {finding['help']} — {node['target']}"
            for finding in violations
            if finding["impact"] in SERIOUS
            for node in finding["nodes"]
        ]
        assert serious == [], f"{page.url}\n" + "\n".join(serious)

    return check


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """With SCREENSHOTS set, writes the whole page, or what a window lets one see of it: var/screenshots/<name>.png."""

    def take(page: Page, name: str) -> None:
        if not os.environ.get("SCREENSHOTS"):
            return
        path = SCREENSHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=page.locator("dialog[open]").count() == 0)

    return take


@pytest.fixture(scope="session")
def demo_zendesk_url() -> Iterator[str]:
    """The address of a demo Zendesk in a thread; every test has an account of its own in it."""
    server = build_server(create_app(None), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def demo_account(demo_zendesk_url: str, live_server: Any, settings: Any) -> DemoAccount:
    """A new account of the demo Zendesk, with the product set up as `make run` does: each knows the other's address."""
    settings.ZENDESK_BASE_URL = demo_zendesk_url + "/{subdomain}"
    settings.SITE_URL = live_server.url
    client = Client()
    settings.ZENDESK_OAUTH_CLIENT_ID, settings.ZENDESK_OAUTH_CLIENT_SECRET = client.client_id, client.client_secret
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": directives | {"form-action": [*directives["form-action"][:-1], demo_zendesk_url]}
    }
    return DemoAccount(demo_zendesk_url, f"browser-{secrets.token_hex(4)}")


def keep_pages(context: BrowserContext, name: str) -> None:
    """Screenshots of a failed test."""
    folder = SCREENSHOTS / "failed"
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^\w-]+", "_", name)
    for number, page in enumerate(context.pages):
        page.screenshot(path=folder / f"{plain}-{number}.png", full_page=True)


def sign_in(context: BrowserContext, user: Any, *, address: str) -> None:
    """Give the context the session of somebody who signed in."""
    client = DjangoClient()
    client.force_login(user, backend=django_settings.AUTHENTICATION_BACKENDS[-1])
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
