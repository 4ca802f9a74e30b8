"""Administration › CRM accounts in a browser: how it looks, and how it stays up to date."""

import os
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from crm_integrations.models import Authentication, CallBudget, CRMAccount
from crm_integrations.providers.zendesk.scopes import SCOPES
from tests.browser.connected import connect, make_administrator
from tests.factories import make_authentication, make_configuration
from tests.memorialization.account_scene import (
    block,
    make_budget,
    make_bulk_write,
    make_busy_hour,
    make_waiting,
    open_circuit,
)

pytestmark = pytest.mark.once
NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
CLASSES = ("account", "tickets-update", "users-update")
LOCALES = {"en": "en-CA", "fr-ca": "fr-CA"}


def make_busy(address: str, name: str) -> CRMAccount:
    """An account with a backlog, seen through the real provider's words."""
    now = timezone.now()
    configuration = make_configuration(
        authentication=make_authentication(address=address), name=name, integration_type="zendesk"
    )
    make_waiting(configuration, 3, ended_at=now)
    account = configuration.authentication.account
    CRMAccount.objects.filter(pk=account.pk).update(provider="zendesk")
    make_budget(account, "account", now, calls=700, granted=412, foreign=55)
    make_budget(account, "tickets-update", now, calls=100, granted=38, foreign=4)
    make_budget(account, "users-update", now, calls=1, granted=1, window_s=1)
    make_budget(account, "inflight-jobs", now, calls=30, granted=4, scope="in_flight", granted_at=now)
    make_busy_hour(account, now, classes=CLASSES)
    for done in (0, 40, 85, 100):
        make_bulk_write(configuration, now, done=done)
    return account


def make_scene() -> dict[str, CRMAccount]:
    now = timezone.now()
    blocked, away = make_busy("boutique-laval", "Boutique"), make_busy("ventes-quebec", "Ventes")
    block(blocked, "account", now)
    open_circuit(away, now)
    empty = make_configuration(authentication=make_authentication(address="new"), name="New").authentication
    held = make_authentication(address="recouvrement", state=Authentication.State.REAUTHENTICATE)
    make_configuration(authentication=held, name="Recouvrement")
    CRMAccount.objects.update(provider="zendesk")
    return {"busy": make_busy("ven12345", "Support FR"), "blocked": blocked, "away": away, "empty": empty.account}


@pytest.mark.parametrize("language", LOCALES if os.environ.get("SCREENSHOTS") == "all" else ["en"])
def test_the_pages_of_accounts_are_sound(language, new_page, check_accessibility, screenshot, transactional_db):
    scene = make_scene()
    page = new_page(user=make_administrator(), locale=LOCALES[language])
    shown = {"accounts": reverse("account_list")} | {
        f"account-{name}": reverse("account_detail", args=[account.pk]) for name, account in scene.items()
    }
    for name, address in shown.items():
        page.goto(address)
        for theme, (width, height) in product(("light", "dark"), ((390, 844), (1280, 900))):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(NEXT_FRAMES)
            screenshot(page, f"{name}-{language}-{theme}-{width}")
            beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert beyond <= 0, f"{name} is {beyond} px wider than {width}"
            check_accessibility(page, rules=("color-contrast",) if theme == "dark" else ())


def used_by_us(account: CRMAccount, calls: int) -> None:
    CallBudget.objects.filter(account=account, limit_class="account").update(granted=calls)


def test_figures_refresh_themselves_and_what_was_unfolded_stays_so(new_page, transactional_db):
    account = make_busy("ven12345", "Support FR")
    page = new_page(user=make_administrator())
    page.goto(reverse("account_detail", args=[account.pk]))
    page.locator("#figures-hint > summary").click()
    expect(page.locator("#limits")).to_contain_text("412 by us")
    used_by_us(account, 413)
    expect(page.locator("#limits")).to_contain_text("413 by us")
    expect(page.locator("#figures-hint")).to_have_attribute("open", "")
    expect(page.locator(".bulk-rows li")).to_have_count(4)


def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_seen_again(new_page, transactional_db):
    account = make_busy("ven12345", "Support FR")
    page = new_page(user=make_administrator())
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.isHiddenNow === true });")
    page.goto(reverse("account_detail", args=[account.pk]))
    page.evaluate("window.isHiddenNow = true")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger('#account-live', 'refresh')")
    page.evaluate("htmx.trigger('#account-charts', 'refresh')")
    page.evaluate(NEXT_FRAMES)
    assert [address for address in asked if "/administration/" in address] == []
    used_by_us(account, 414)
    page.evaluate("window.isHiddenNow = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#limits")).to_contain_text("414 by us")


def test_figures_that_cannot_be_refreshed_say_that_they_are_old(new_page, transactional_db):
    account = make_busy("ven12345", "Support FR")
    page = new_page(user=make_administrator())
    page.goto(reverse("account_detail", args=[account.pk]))
    page.context.clear_cookies()  # signed out elsewhere: the answer is the sign-in page
    page.evaluate("htmx.trigger('#account-live', 'refresh')")
    expect(page.locator("#account-live .live-stale")).to_be_visible()
    expect(page.locator("#limits")).to_contain_text("412 by us")
    expect(page.locator("#id_password")).to_have_count(0)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_authentication_that_nothing_uses_is_removed_after_a_question(has_scripts, new_page, demo_account):
    account = connect(demo_account).authentication.account
    token = demo_account.change("tokens", expires_in=7200, scopes=list(SCOPES))["access_token"]
    Authentication.objects.create(account=account, name="Old", access_token=token)
    page = new_page(user=make_administrator(), has_scripts=has_scripts)
    page.goto(reverse("account_detail", args=[account.pk]))
    page.locator("#authentications").get_by_role("link", name="Remove Old").click()
    page.get_by_role("button", name="Remove authentication").click()
    expect(page.get_by_text("The authentication “Old” was removed.")).to_be_visible()
    expect(page.get_by_text("could not be told")).to_have_count(0)  # the account has ended the token
    expect(page.locator("#authentications")).not_to_contain_text("Old")


def test_without_scripts_the_page_shows_everything_and_the_head_room_can_be_changed(new_page, transactional_db):
    make_busy("ven12345", "Support FR")
    page = new_page(user=make_administrator(), has_scripts=False)
    page.goto(reverse("account_list"))
    page.get_by_role("link", name="ven12345").click()
    expect(page.locator("#limits")).to_contain_text("412 by us")
    page.get_by_label("Head-room in percent").fill("20")
    page.get_by_role("button", name="Save head-room").click()
    expect(page.locator("#limits")).to_contain_text("85 head-room")  # 20 % of 700, of which others use 55
