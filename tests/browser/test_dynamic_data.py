"""The Dynamic Data tab and the customer card under a person's fingers: keyboard, dragging, languages, no scripts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration, FoundRecord
from crm_integrations.services.intake_keys import create_key
from dynamic_data.models import ShownField
from dynamic_data.services.card_addresses import CardAddress, sign_address
from tests.browser.labels import Labels
from tests.dynamic_data.kept_links import KeptLinks
from tests.factories import make_configuration, make_dynamic_mapping, make_user
from tests.memory_provider import MemoryProvider

PERMISSIONS = (
    "crm_integrations.change_configuration",
    "dynamic_data.add_dynamicdatamapping",
    "dynamic_data.change_dynamicdatamapping",
)
FOUR = ["subject", "priority", "notes", "contact_id"]
LONG = "The printer on the third floor prints every second page upside down since the firmware was updated. " * 6


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield
    MemoryProvider.reset()


@pytest.fixture
def configuration(transactional_db) -> Configuration:
    return make_configuration(name="Support", external_domain="https://help.acme.test")


@pytest.fixture
def links(monkeypatch) -> KeptLinks:
    keeper = KeptLinks()
    monkeypatch.setattr("crm_integrations.contact_links._keepers", [keeper])
    return keeper


def open_editor(page: Page, configuration: Configuration, fields: list[str]) -> Page:
    mapping = make_dynamic_mapping(configuration, {"ticket": fields}, name="Card")
    page.goto(reverse("dynamic_mapping_edit", args=[configuration.pk, mapping.pk]))
    return page


def rows_of(page: Page) -> Locator:
    return page.locator("[data-rows] > [data-row]")


def field_box(row: Locator) -> Locator:
    return row.get_by_role("combobox", name="External CRM Field", exact=True)


def fields_in_order(page: Page) -> list[str]:
    return page.locator("[data-rows] > [data-row] [data-field]").evaluate_all("all => all.map(one => one.value)")


# ---- The tab


def test_everything_is_done_from_the_keyboard(new_page, configuration, check_accessibility):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, FOUR)
    field_box(rows_of(page).nth(3)).focus()
    expect(rows_of(page).nth(3).locator(".option:visible").first).to_be_visible()  # it opens a moment later
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # the list is closed: a new row, ready to be typed into
    expect(rows_of(page)).to_have_count(5)
    expect(page.locator("[data-rows-count]")).to_have_text("5")
    expect(page.get_by_role("button", name="Add Field")).to_be_disabled()
    expect(rows_of(page).nth(4).locator(".option:visible").first).to_be_visible()
    page.keyboard.type("created")
    page.keyboard.press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    assert fields_in_order(page) == ["subject", "priority", "created_at", "notes", "contact_id"]
    expect(page.locator("[data-announcer]")).to_have_text("Moved to row 3 of 5.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # a sixth row there is not
    expect(rows_of(page)).to_have_count(5)
    check_accessibility(page)
    page.get_by_role("textbox", name="Name").press("Enter")
    page.wait_for_url("**/dynamic-data/")
    saved = ShownField.objects.order_by("position").values_list("crm_field", flat=True)
    assert list(saved) == ["subject", "priority", "created_at", "notes", "contact_id"]


def test_a_row_is_dragged_to_its_place(new_page, configuration):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, FOUR)
    handle = rows_of(page).nth(3).locator("[data-drag]").bounding_box()
    target = rows_of(page).nth(1).bounding_box()
    page.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 8, target["y"] + 60, steps=5)
    page.mouse.move(handle["x"] + 8, target["y"] + 4, steps=5)
    page.mouse.up()
    assert fields_in_order(page) == ["subject", "contact_id", "priority", "notes"]
    expect(page.locator("[data-unsaved-mark]")).to_be_visible()


def test_without_scripts_plain_lists_and_buttons_do_the_same(new_page, configuration):
    page = new_page(user=make_user(*PERMISSIONS), has_scripts=False)
    page.goto(reverse("dynamic_mapping_create", args=[configuration.pk]))
    page.get_by_label("Name", exact=True).fill("Card")
    page.get_by_label("Select Entity Type").select_option("ticket")
    page.get_by_role("button", name="Add Entity").click()
    page.locator("#entity-0-row-0-field").select_option("subject")
    page.get_by_role("button", name="Add Field").click()
    page.locator("#entity-0-row-1-field").select_option("created_at")
    page.get_by_role("button", name="Move up").last.click()
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_url("**/dynamic-data/")
    assert list(ShownField.objects.order_by("position").values_list("crm_field", flat=True)) == [
        "created_at",
        "subject",
    ]


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_the_tab_and_the_preview_speak_both_languages(new_page, configuration, language, check_accessibility):
    labels = Labels(language)
    MemoryProvider.accounts["acme"].records["ticket", "1"] = {"subject": "Broken printer"}
    page = open_editor(new_page(user=make_user(*PERMISSIONS), locale=labels.locale), configuration, FOUR)
    expect(page.get_by_role("button", name=labels("Add Field"))).to_be_visible()
    page.get_by_role("link", name=labels("Dynamic Data")).first.click()
    expect(page.get_by_role("link", name=labels("New Data Mapping"))).to_be_visible()
    page.get_by_role("link", name=labels("Preview")).click()
    page.get_by_label(labels("Link to a record")).fill("https://help.acme.test/ticket/1")
    page.get_by_role("button", name=labels("Show the card")).click()
    expect(page.get_by_role("heading", name="Broken printer")).to_be_visible()
    check_accessibility(page)


# ---- The card


@pytest.fixture
def card(configuration, links) -> Callable[..., str]:
    """Makes addresses of the card of contact c1, which has a linked and a found ticket."""
    make_dynamic_mapping(configuration, {"ticket": ["subject", "priority", "notes", "created_at"], "user": ["name"]})
    account = MemoryProvider.accounts["acme"]
    account.records["ticket", "1"] = {"subject": "Broken printer", "notes": LONG, "created_at": "2026-11-22T15:04:58Z"}
    account.records["ticket", "2"] = {"subject": "Second ticket", "priority": "high"}
    account.records["user", "7"] = {"name": "Ada Lovelace"}
    links.links["c1"] = [RecordReference("ticket", "1")]
    for record in ("2", "1"):
        FoundRecord.objects.create(
            configuration=configuration,
            contact_id="c1",
            entity_type="ticket",
            record_id=record,
            found_at=timezone.now(),
        )

    key, _text = create_key(configuration=configuration, kind="bearer", label="a", actor=None, now=timezone.now())

    def address(language: str = "en", *, contact: str = "c1", age: timedelta = timedelta()) -> str:
        at = timezone.now() - age
        signed = sign_address(CardAddress(configuration.pk, key.pk, contact, "a", language, "America/Toronto", at, at))
        return reverse("customer_card", args=[signed])

    return address


def section(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title)


@pytest.mark.parametrize("language", ["en", "fr-ca"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 480])
def test_the_card_is_sound_in_a_narrow_frame(
    new_page, card, language, color_scheme, width, check_accessibility, screenshot
):
    labels = Labels(language)
    page = new_page(color_scheme=color_scheme, width=width, height=640)
    page.goto(card(language))
    expect(section(page, labels("Current Interaction"))).to_contain_text("Broken printer")
    expect(section(page, labels("Related Interactions"))).to_contain_text("Second ticket")
    expect(page.get_by_role("link", name=labels("Refresh"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(page, f"card-{language}-{color_scheme}-{width}")
    check_accessibility(page)
    page.goto(card(language, contact="nobody"))
    expect(page.get_by_text(labels("No information available"))).to_be_visible()
    screenshot(page, f"card-empty-{language}-{color_scheme}-{width}")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_an_agent_links_and_unlinks_from_the_keyboard(new_page, card, links, has_scripts):
    page = new_page(width=360, has_scripts=has_scripts)
    page.goto(card())
    button = page.get_by_role("button", name="Link Ticket 2")
    button.focus()
    page.keyboard.press("Enter")
    expect(section(page, "Current Interaction")).to_contain_text("Second ticket")
    assert links.links["c1"][-1] == RecordReference("ticket", "2")
    page.get_by_role("button", name="Unlink Ticket 2").focus()
    page.keyboard.press("Enter")
    expect(section(page, "Related Interactions")).to_contain_text("Second ticket")
    assert page.context.cookies() == []


def test_a_live_card_takes_up_a_change_without_moving_what_the_pointer_is_on(new_page, card, links, configuration):
    links.live.add("c1")
    page = new_page(width=360, height=500)
    page.goto(card(age=timedelta(minutes=3)))
    related = section(page, "Related Interactions").get_by_role("heading", name="Second ticket")
    related.hover()
    before = related.bounding_box()["y"]
    links.links["c1"].insert(0, RecordReference("user", "7"))
    expect(section(page, "Current Interaction")).to_contain_text("Ada Lovelace")
    expect(page.locator("[data-card-status]")).to_have_text("The card has changed.")
    assert abs(related.bounding_box()["y"] - before) < 2
    links.live.clear()
    links.links["c1"].pop(0)
    expect(section(page, "Current Interaction")).not_to_contain_text("Ada Lovelace")
    expect(page.locator("#card")).not_to_have_attribute("hx-trigger", "every 5s, refresh")


def test_refresh_asks_the_crm_at_once(new_page, card):
    page = new_page(width=360)
    page.goto(card(age=timedelta(minutes=3)))
    MemoryProvider.accounts["acme"].records["ticket", "1"]["subject"] = "Repaired printer"
    page.wait_for_timeout(1100)
    page.get_by_role("link", name="Refresh").click()
    expect(section(page, "Current Interaction").get_by_role("heading", name="Repaired printer")).to_be_visible()
