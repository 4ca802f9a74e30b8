"""The mapping editor under a person's fingers: keyboard, searchable lists, hints that follow, no scripts at all."""

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.models import MappedField
from tests.factories import make_configuration, make_mapping, make_user
from tests.memory_provider import FIELDS, MemoryProvider

PERMISSIONS = (
    "crm_integrations.change_configuration",
    "memorialization.add_memorializationmapping",
    "memorialization.change_memorializationmapping",
)
MANY = [
    CRMField(f"custom_field_{number:03}", f"Measure {number:03}", FieldType.INTEGER, is_custom=True)
    for number in range(400)
]


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    MemoryProvider.accounts["acme"].fields["ticket"] = [*FIELDS["ticket"], *MANY]
    yield
    MemoryProvider.reset()


@pytest.fixture
def configuration(transactional_db):
    return make_configuration(name="Support")


def open_editor(page: Page, configuration, rows) -> Page:
    mapping = make_mapping(configuration, {"ticket": rows}, name="Calls")
    page.goto(reverse("memorialization_mapping_edit", args=[configuration.pk, mapping.pk]))
    return page


def rows_of(page: Page) -> Locator:
    return page.locator("[data-rows] > [data-row]")


def field_box(row: Locator) -> Locator:
    return row.get_by_role("combobox", name="External CRM Field", exact=True)


def expect_open_list(row: Locator) -> None:
    expect(row.locator(".option:visible").first).to_be_visible()


def fields_in_order(page: Page) -> list[str]:
    return page.locator("[data-rows] > [data-row] [data-field]").evaluate_all("all => all.map(one => one.value)")


TWO_ROWS = [("subject", "voice", "skillName"), ("notes", "voice", "ani")]


def test_everything_is_done_from_the_keyboard(new_page, configuration, check_accessibility):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, TWO_ROWS)
    field_box(rows_of(page).nth(1)).focus()
    expect_open_list(rows_of(page).nth(1))
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # the list is closed: a new row, ready to be typed into
    expect(rows_of(page)).to_have_count(3)
    expect_open_list(rows_of(page).nth(2))
    page.keyboard.type("measure 277")
    expect(rows_of(page).nth(2).locator(".row-field .option")).to_have_count(1)
    page.keyboard.press("Enter")
    assert fields_in_order(page) == ["subject", "notes", "custom_field_277"]
    page.keyboard.press("Alt+ArrowUp")
    assert fields_in_order(page) == ["subject", "custom_field_277", "notes"]
    expect(page.locator("[data-announcer]")).to_have_text("Moved to row 2 of 3.")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect_open_list(rows_of(page).nth(1))
    page.keyboard.type("contact id")
    page.keyboard.press("Enter")
    check_accessibility(page)
    page.get_by_role("textbox", name="Name").press("Enter")  # in the head, Enter saves
    page.wait_for_url("**/data-memorialization/")
    saved = MappedField.objects.order_by("position").values_list("crm_field", "channel", "source")
    assert list(saved) == [TWO_ROWS[0], ("custom_field_277", "voice", "contactId"), TWO_ROWS[1]]


def test_delete_asks_before_a_row_goes(new_page, configuration):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, TWO_ROWS)
    field_box(rows_of(page).first).focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog", name="Remove this row?")).to_contain_text("Subject ← Skill Name")
    page.keyboard.press("Escape")
    expect(rows_of(page)).to_have_count(2)
    expect(field_box(rows_of(page).first)).to_be_focused()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(rows_of(page)).to_have_count(1)
    expect(page.locator("[data-unsaved-mark]")).to_be_visible()
    assert fields_in_order(page) == ["notes"]


def test_lists_are_grouped_and_show_type_and_key(new_page, configuration):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, TWO_ROWS)
    row = rows_of(page).first
    row.locator(".row-field .ts-control").click()
    expect(row.locator(".optgroup-header")).to_have_text(["Standard fields", "Custom fields"])
    expect(row.get_by_role("option", name="Measure 399")).to_contain_text("Whole number · custom_field_399")
    expect(row.get_by_role("option", name="Created")).to_have_count(0)


def test_hints_follow_what_is_chosen_as_the_server_would_give_them(new_page, configuration):
    page = open_editor(new_page(user=make_user(*PERMISSIONS)), configuration, TWO_ROWS)
    row = rows_of(page).first
    expect(row.locator("[data-fit]")).to_have_text("Fits")
    row.get_by_label("Select Channel").select_option("digital")
    row.locator(".row-source .ts-control").click()
    page.keyboard.type("transcription text")
    page.keyboard.press("Enter")
    expect(row.locator("[data-fit]")).to_have_text("May be shortened")
    expect(row.locator("[data-transcript-note]")).to_contain_text("This field takes 255 characters.")
    row.get_by_label("Select Channel").select_option("script_variable")
    row.locator("[data-variable]").press_sequentially("AccountID")
    expect(row.locator("[data-variable]")).to_have_value("accountid")
    expect(row.locator("[data-variable-note]")).to_contain_text("ScreenPop = True")
    expect(row.locator("[data-transcript-note]")).to_be_empty()
    row.get_by_label("Select Channel").select_option("voice")
    expect(row.locator("[data-source]")).to_have_value("")  # voice has no transcript


def test_without_scripts_plain_lists_and_buttons_do_the_same(new_page, configuration):
    page = new_page(user=make_user(*PERMISSIONS), has_scripts=False)
    page.goto(reverse("memorialization_mapping_create", args=[configuration.pk]))
    page.get_by_label("Name", exact=True).fill("Calls")
    page.get_by_label("Select Entity Type").select_option("ticket")
    page.get_by_role("button", name="Add Entity").click()
    page.locator("#entity-0-row-0-field").select_option("subject")
    page.locator("#entity-0-row-0-channel").select_option("voice")
    page.locator("#entity-0-row-0-source").select_option("skillName")
    page.get_by_role("button", name="Add Field").click()
    expect(page.locator("#entity-0-row-1-field")).to_be_focused()
    page.locator("#entity-0-row-1-field").select_option("custom_field_399")
    page.locator("#entity-0-row-1-channel").select_option("script_variable")
    page.locator("#entity-0-row-1-variable").fill("AccountID")
    page.get_by_role("button", name="Move up").last.click()
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_url("**/data-memorialization/")
    saved = MappedField.objects.order_by("position").values_list("crm_field", "channel", "source")
    assert list(saved) == [("custom_field_399", "script_variable", "accountid"), TWO_ROWS[0]]
