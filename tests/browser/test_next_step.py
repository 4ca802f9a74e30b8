"""The Next step tab in a browser: snippets to copy, and a test event whose outcome shows itself, in both languages."""

from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from crm_integrations.models import Configuration
from memorialization.models import Delivery
from tests.browser.connected import make_administrator
from tests.browser.labels import Labels
from tests.engine import FakeClock, account_of, push_all
from tests.factories import make_configuration, make_mapping
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.once
LANGUAGES = [Labels("en"), Labels("fr-ca")]
NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def configuration(transactional_db, settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    found = make_configuration(name="Support FR")
    rows = [("subject", "voice", "skillName"), ("contact_id", "script_variable", "accountid")]
    make_mapping(found, {"ticket": rows})
    account_of(found).records["ticket", "35436"] = {}
    yield found
    MemoryProvider.reset()


def address_of(configuration: Configuration) -> str:
    return reverse("configuration_next_step", args=[configuration.pk])


def send_event(page, labels):
    page.get_by_label(labels("Record ID")).fill("35436")
    page.get_by_role("button", name=labels("Send test event")).click()
    page.locator("#test-outcome").wait_for()


def push(configuration):
    push_all(configuration, FakeClock(timezone.now()))


@pytest.mark.parametrize("labels", LANGUAGES, ids=lambda labels: labels.language)
def test_the_page_is_sound_and_the_outcome_of_a_test_event_shows_itself(
    labels, configuration, new_page, check_accessibility, screenshot
):
    page = new_page(user=make_administrator(), locale=labels.locale)
    page.goto(reverse("configuration_detail", args=[configuration.pk]))
    page.get_by_role("link", name=labels("Open the snippets and send a test event")).click()
    page.wait_for_url(f"**{address_of(configuration)}")
    send_event(page, labels)
    outcome = page.locator("#test-outcome")
    expect(outcome).to_contain_text("35436")
    for theme, (width, height) in product(("light", "dark"), ((390, 844), (1280, 900))):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(NEXT_FRAMES)
        screenshot(page, f"next-step-{labels.language}-{theme}-{width}")
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, f"{beyond} px wider than {width}"
        check_accessibility(page, rules=("color-contrast",) if theme == "dark" else ())
    push(configuration)
    expect(outcome).to_contain_text(labels("Delivered"))
    outcome.get_by_role("link", name=labels("Open the interaction")).click()
    page.wait_for_url("**/interactions/*/")


def test_a_snippet_is_copied(configuration, new_page):
    page = new_page(user=make_administrator())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address_of(configuration))
    page.locator("#voice-search-ani .snippet-copy").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("DYNAMIC searchinput") and "{ANI}" in copied


def test_without_scripts_a_reload_shows_the_outcome(configuration, new_page):
    page = new_page(user=make_administrator(), has_scripts=False)
    page.goto(address_of(configuration))
    send_event(page, Labels("en"))
    assert Delivery.objects.count() == 1
    push(configuration)
    page.get_by_role("link", name="Reload").click()
    expect(page.locator("#test-outcome")).to_contain_text("Delivered")
