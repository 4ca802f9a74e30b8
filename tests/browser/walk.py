"""The administrator's walk as a person does it, step by step; the steps are those of the product's description."""

import re
from dataclasses import dataclass
from uuid import UUID

from playwright.sync_api import Locator, Page, expect

from tests.browser.demo_account import DemoAccount
from tests.browser.labels import Labels

PASSWORD = "right horse battery"  # what the factories give everybody


@dataclass
class Walker:
    """Somebody at a page, who reads one language."""

    page: Page
    labels: Labels
    account: DemoAccount

    def press(self, english: str, *, within: Page | Locator | None = None) -> None:
        """Press the button of that name."""
        (within or self.page).get_by_role("button", name=self.labels(english), exact=True).click()

    def follow(self, english: str, *, within: Page | Locator | None = None) -> None:
        """Follow the link of that name."""
        (within or self.page).get_by_role("link", name=self.labels(english), exact=True).click()

    def field(self, english: str, *, within: Page | Locator | None = None) -> Locator:
        """The control of that label, which may say in brackets that it is optional."""
        label = re.compile(rf"^\s*{re.escape(self.labels(english))}(\s+\(.*\))?\s*$")
        return (within or self.page).get_by_label(label)

    def fill(self, english: str, text: str, *, within: Page | Locator | None = None) -> None:
        """Type into the field of that label."""
        self.field(english, within=within).fill(text)

    @property
    def header(self) -> Locator:
        """The page's own header: the title and, at the right, the buttons."""
        return self.page.locator("main .page-header")

    @property
    def window(self) -> Locator:
        """The window over the page, or the same as a page."""
        return self.page.locator("[data-dialog-content]")

    def sign_in(self, username: str) -> None:
        """Type name and password."""
        self.page.goto("/")
        self.page.locator("#id_username").fill(username)
        self.page.locator("#id_password").fill(PASSWORD)
        self.press("Sign in")

    def begin_configuration(self, name: str) -> None:
        """Steps 1 and 2: a new configuration's type and name."""
        self.follow("New CRM Configuration", within=self.page.get_by_role("main"))
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(self.labels("New CRM Configuration"))
        self.field("Integration Type").select_option(label="Zendesk")
        self.fill("Configuration Name", name)

    def authenticate(self, *, name: str) -> None:
        """Step 3: the window, a new authentication, the account's address pasted."""
        self.press("Authenticate")
        self.type_account(name=name)
        self.press("Create", within=self.window)

    def type_account(self, *, name: str) -> None:
        """What the window asks for a new authentication."""
        expect(self.window.locator("summary").first).to_have_text(self.labels("New authentication"))
        self.fill("Your authentication name", name, within=self.window)
        self.fill("Zendesk subdomain", self.account.page_address, within=self.window)

    def decide(self, decision: str, *, user: str = "") -> None:
        """Step 4: the CRM's own page; it speaks English."""
        expect(self.page).to_have_url(re.compile(re.escape(self.account.url)))
        expect(self.page.locator(".account-name")).to_have_text(f"{self.account.subdomain}.zendesk.com")
        if user:
            option = self.page.locator("option", has_text=user).first
            self.page.locator("#user_id").select_option(option.get_attribute("value"))
        self.page.get_by_role("button", name=decision, exact=True).click()

    def finish_authentication(self, *, domain: str) -> None:
        """Step 5: the rights of the system user, the domain for links, Finish."""
        rights = self.window.locator("ul.rights > li")
        expect(rights.first).to_be_visible()
        self.follow("Next", within=self.window)
        self.fill("external_screenpop_domain_zen", domain)
        self.press("Finish")

    def expect_toast(self, english: str) -> None:
        """The message at the bottom right."""
        expect(self.page.locator("[data-toasts]")).to_contain_text(self.labels(english))

    def create_key(self, label: str) -> str:
        """A new intake key, read off the page that shows it once."""
        self.follow("Create key", within=self.page.locator("#intake-keys"))
        self.fill("Label", label)
        self.press("Create key", within=self.window)
        key = self.window.locator("[data-copy-source]").first.inner_text().strip()
        self.follow("I have copied it")
        return key

    @property
    def configuration_id(self) -> UUID:
        """Out of the address of the present page."""
        found = re.search(r"/configurations/([0-9a-f-]{36})/", self.page.url)
        assert found, self.page.url
        return UUID(found.group(1))
