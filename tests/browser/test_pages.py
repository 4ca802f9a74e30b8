"""Every page, in both languages and themes, on a telephone and on a desk: no error, nothing cut off, axe is content.

With SCREENSHOTS=1, or SCREENSHOTS=all for every theme in both languages, var/screenshots/ is there to be looked at:
<page>-<language>-<theme>-<width>.png.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tests.browser.connected import make_administrator
from tests.browser.populated import Populated, populate
from tests.factories import make_user

pytestmark = pytest.mark.once
WIDTHS = {390: 844, 1280: 900}
# A theme changes no words, so the second language is looked at in one theme.
THEMES = {"en": ("light", "dark"), "fr-ca": ("dark", "light") if os.environ.get("SCREENSHOTS") == "all" else ("light",)}
LOCALES = {"en": "en-CA", "fr-ca": "fr-CA"}
NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
EVERYBODY, ADMINISTRATOR, NOBODY = "everybody", "administrator", "nobody"  # signed out, all rights, no rights


@dataclass(frozen=True)
class Shown:
    """A page: its address, and what is done there before it is looked at."""

    name: str
    url: Callable[[Populated], str]
    act: Callable[[Page], Any] | None = None
    who: str = ADMINISTRATOR


def of(name: str, which: str, *more: Any) -> Callable[[Populated], str]:
    """The address of a page of one of the configurations."""
    return lambda world: reverse(name, args=[getattr(world, which).pk, *more])


def of_mapping(name: str) -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.active.pk, world.mapping.pk])


def of_dynamic_mapping(name: str) -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.active.pk, world.active.dynamicdatamappings.get().pk])


def of_key(name: str) -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.active.pk, world.key_id])


def of_delivery(state: str, name: str = "delivery_detail") -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.deliveries[state].pk])


def of_interaction(state: str, name: str = "interaction_detail") -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.interaction(state).pk])


def plain(name: str, query: str = "") -> Callable[[Any], str]:
    """The address of a page that belongs to nothing."""
    return lambda _world: reverse(name) + query


def of_run(which: str, name: str = "replay_run_detail", query: str = "") -> Callable[[Populated], str]:
    return lambda world: reverse(name, args=[world.runs[which].pk]) + query


def unlink_address(world: Populated) -> str:
    delivery = world.deliveries["delivered"]
    query = f"?type={delivery.entity_type}&id={delivery.record_id}"
    return reverse("interaction_unlink", args=[delivery.interaction_id]) + query


def selection_address(world: Populated) -> str:
    chosen = [world.deliveries[state].pk for state in ("failed", "partial")]
    return reverse("delivery_replay_selection") + "?" + "&".join(f"delivery={pk}" for pk in chosen)


def account_address(world: Populated) -> str:
    return reverse("account_detail", args=[world.active.authentication.account_id])


def refuse_sign_in(page: Page) -> None:
    page.locator("#id_username").fill("alex")
    page.locator("#id_password").fill("wrong")
    page.locator(".btn-primary").click()
    page.get_by_role("alert").wait_for()


def make_key(page: Page) -> None:
    page.locator("#id_label").fill("Studio")
    page.locator("[data-dialog-content] form button").click()
    page.locator("[data-copy-source]").first.wait_for()


def open_drawer(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".drawer-button").click()


def open_window(page: Page) -> None:
    page.locator("#intake-keys a[data-dialog]").last.click()
    page.locator("dialog[open]").wait_for()


def save_empty(page: Page) -> None:
    page.locator("main .page-actions .btn-primary").click()
    page.locator(".field-error").first.wait_for()


def open_filters(page: Page) -> None:
    page.locator(".ledger-more summary").click()


EMPTY = (
    Shown("list-empty", plain("configuration_list")),
    Shown("interactions-empty", plain("interaction_list")),
    Shown("deliveries-empty", plain("delivery_list")),
    Shown("replays-empty", plain("replay_run_list")),
    Shown("accounts-empty", plain("account_list")),
)
PAGES = (
    Shown("sign-in", plain("login"), who=EVERYBODY),
    Shown("sign-in-refused", plain("login"), refuse_sign_in, who=EVERYBODY),
    Shown("no-rights", plain("configuration_list"), who=NOBODY),
    Shown("not-found", lambda _world: "/nothing/"),
    Shown("password", plain("password_change")),
    Shown("list", plain("configuration_list")),
    Shown("list-drawer", plain("configuration_list"), open_drawer),
    Shown("new", plain("configuration_create")),
    Shown("setup", of("configuration_setup", "draft")),
    Shown("setup-connected", of("configuration_setup", "connected_draft")),
    Shown("window", of("configuration_authentication", "draft")),
    Shown("window-rights", of("configuration_rights", "connected_draft")),
    Shown("window-domain", of("configuration_external_domain", "connected_draft")),
    Shown("overview", of("configuration_detail", "active")),
    Shown("overview-window", of("configuration_detail", "active"), open_window),
    Shown("overview-draft", of("configuration_detail", "draft")),
    Shown("overview-stopped", of("configuration_detail", "stopped")),
    Shown("settings", of("configuration_settings", "active")),
    Shown("import", plain("configuration_import")),
    Shown("reauthenticate", of("configuration_reauthenticate", "active")),
    Shown("deactivate", of("configuration_deactivate", "active")),
    Shown("delete", of("configuration_delete", "active")),
    Shown("key-new", of("intake_key_create", "active")),
    Shown("key-shown", of("intake_key_create", "active"), make_key),
    Shown("key-rotate", of_key("intake_key_rotate")),
    Shown("key-revoke", of_key("intake_key_revoke")),
    Shown("mappings", of("memorialization_mapping_list", "active")),
    Shown("mappings-empty", of("memorialization_mapping_list", "stopped")),
    Shown("mapping-new", of("memorialization_mapping_create", "active")),
    Shown("mapping-problems", of("memorialization_mapping_create", "active"), save_empty),
    Shown("mapping", of_mapping("memorialization_mapping_edit")),
    Shown("mapping-versions", of_mapping("memorialization_mapping_versions")),
    Shown("mapping-delete", of_mapping("memorialization_mapping_delete")),
    Shown("next-step", of("configuration_next_step", "active")),
    Shown("next-step-stopped", of("configuration_next_step", "stopped")),
    Shown("dynamic-data", of("dynamic_mapping_list", "active")),
    Shown("dynamic-data-empty", of("dynamic_mapping_list", "stopped")),
    Shown("dynamic-mapping", of_dynamic_mapping("dynamic_mapping_edit")),
    Shown("dynamic-mapping-problems", of("dynamic_mapping_create", "active"), save_empty),
    Shown("dynamic-mapping-delete", of_dynamic_mapping("dynamic_mapping_delete")),
    Shown("card-preview", of("customer_card_preview", "active")),
    Shown("activity", of("configuration_activity", "active")),
    Shown("activity-empty", of("configuration_activity", "stopped")),
    Shown("interactions", plain("interaction_list")),
    Shown("interactions-none", plain("interaction_list", "?q=nothing")),
    Shown("interaction", of_interaction("partial")),
    Shown("interaction-skipped", of_interaction("skipped")),
    Shown("interaction-link", of_interaction("skipped", "interaction_link")),
    Shown("interaction-unlink", unlink_address),
    Shown("deliveries", plain("delivery_list")),
    Shown("deliveries-filters", plain("delivery_list", "?state=partial&q=415"), open_filters),
    Shown("delivery-delivered", of_delivery("delivered")),
    Shown("delivery-partial", of_delivery("partial")),
    Shown("delivery-failed", of_delivery("failed")),
    Shown("delivery-waiting", of_delivery("waiting")),
    Shown("delivery-skipped", of_delivery("skipped")),
    Shown("delivery-replay", of_delivery("partial", "delivery_replay")),
    Shown("deliveries-replay", selection_address),
    Shown("replays", plain("replay_run_list")),
    Shown("replay-new", plain("replay_run_create", "?state=failed&channel=voice")),
    Shown("replay-new-nothing", plain("replay_run_create", "?state=partial&q=nothing")),
    Shown("replay-run", of_run("queued")),
    Shown("replay-run-left-out", of_run("left_out")),
    Shown("replay-run-unattended", of_run("unattended")),
    Shown("replay-run-deliveries", of_run("queued", "replay_run_deliveries", "?state=waiting")),
    Shown("replay-run-deliveries-none", of_run("queued", "replay_run_deliveries", "?state=failed")),
    Shown("replay-run-cancel", of_run("queued", "replay_run_cancel")),
    Shown("accounts", plain("account_list")),
    Shown("account", account_address),
)


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_is_sound(language, new_page, browser_errors, check_accessibility, screenshot, demo_account):
    browser_errors.allow("status of (403|404|422)")  # pages that answer so, and are looked at
    user = make_administrator(first_name="Alex", last_name="Deslauriers", username="alex")
    pages = {
        EVERYBODY: new_page(locale=LOCALES[language]),
        ADMINISTRATOR: new_page(locale=LOCALES[language], user=user),
        NOBODY: new_page(locale=LOCALES[language], user=make_user()),
    }
    look = Look(language, check_accessibility, screenshot)
    for shown in EMPTY:
        look.at(pages[shown.who], shown, None)
    world = populate(demo_account, user)
    for shown in PAGES:
        look.at(pages[shown.who], shown, world)

    assert not look.faults, "\n" + "\n".join(look.faults)


@dataclass
class Look:
    """Looks at pages and collects what is wrong, so that one run shows all of it."""

    language: str
    check_accessibility: Callable[..., None]
    screenshot: Callable[..., Any]
    faults: list[str] = field(default_factory=list)

    def at(self, page: Page, shown: Shown, world: Any) -> None:
        """One page at every width, in every theme of the language."""
        try:
            page.goto(shown.url(world))
            if shown.act:
                shown.act(page)
        except PlaywrightError as error:
            self.faults.append(f"{shown.name}: {error.message.splitlines()[0]}")
            return
        for theme, width in product(THEMES[self.language], WIDTHS):
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(NEXT_FRAMES)  # the theme follows the machine's
            self._check(page, f"{shown.name}-{self.language}-{theme}-{width}")
            if width == 1280 and self.language == "en":
                self._check_accessibility(page, f"{shown.name}-{theme}", ("color-contrast",) if theme == "dark" else ())

    def _check(self, page: Page, name: str) -> None:
        self.screenshot(page, name)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if beyond > 0:
            self.faults.append(f"{name}: {beyond} px wider than the window")

    def _check_accessibility(self, page: Page, name: str, rules: tuple[str, ...]) -> None:
        try:
            self.check_accessibility(page, rules=rules)
        except AssertionError as fault:
            self.faults.append(f"{name}: {fault}")
