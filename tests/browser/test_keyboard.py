"""The pages by keyboard alone: the mapping editor, windows that give the focus back, the skip link.

More of the editor is in test_mapping_editor.py.
"""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.connected import connect, make_administrator
from tests.browser.labels import Labels
from tests.browser.mapping_editor import MappingEditor
from tests.browser.walk import Walker

pytestmark = pytest.mark.once
FIELD = "External CRM Field"


@pytest.fixture
def walker(new_page, live_server, demo_account):
    return Walker(new_page(user=make_administrator()), Labels("en"), demo_account)


@pytest.fixture
def rows(walker):
    """The rows of one entity in an open editor; the first is filled."""
    configuration = connect(walker.account)
    walker.page.goto(f"/configurations/{configuration.pk}/data-memorialization/new/")
    editor = MappingEditor(walker)
    rows = editor.add_entity("Ticket").locator("[data-row]")
    editor.fill_row(rows.nth(0), field="CXone contact ID", channel="Voice Call Contact", source="Contact ID")
    return rows


def control(row: Locator, name: str) -> Locator:
    return row.get_by_role("combobox", name=name, exact=True)


def fields_of(rows: Locator) -> list[str]:
    return [row.locator("select[data-field] option:checked").text_content() or "" for row in rows.all()]


def test_an_entity_and_its_first_row_are_made_without_a_mouse(walker):
    configuration, keyboard = connect(walker.account), walker.page.keyboard
    walker.page.goto(f"/configurations/{configuration.pk}/data-memorialization/new/")
    walker.field("Select Entity Type").focus()
    keyboard.type("Ticket")
    keyboard.press("Tab")
    keyboard.press("Enter")
    row = walker.page.locator("[data-row]").first
    expect(control(row, FIELD)).to_be_focused()

    keyboard.type("CXone contact")
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(row.get_by_label("Select Channel", exact=True)).to_be_focused()
    keyboard.type("Voice")
    keyboard.press("Tab")
    expect(control(row, "CXone Mpower Data")).to_be_focused()
    keyboard.type("Contact ID")
    keyboard.press("Enter")

    expect(row.locator("select[data-field] option:checked")).to_have_text(re.compile("CXone contact ID"))
    expect(row.locator("select[data-source]")).to_have_value("contactId")


def test_enter_adds_a_row_with_the_same_channel_and_goes_there(walker, rows):
    rows.nth(0).get_by_label("Select Channel", exact=True).press("Enter")

    expect(rows).to_have_count(2)
    expect(control(rows.nth(1), FIELD)).to_be_focused()
    expect(rows.nth(1).get_by_label("Select Channel", exact=True)).to_have_value("voice")


def test_alt_and_arrows_move_the_row_and_keep_the_focus_in_it(walker, rows):
    editor = MappingEditor(walker)
    rows.nth(0).get_by_label("Select Channel", exact=True).press("Enter")
    editor.fill_row(rows.nth(1), field="Skill", channel="Voice Call Contact", source="Skill Name")
    channel = rows.nth(1).get_by_label("Select Channel", exact=True)
    channel.focus()

    walker.page.keyboard.press("Alt+ArrowUp")

    assert ["Skill" in field for field in fields_of(rows)] == [True, False]
    expect(rows.nth(0).get_by_label("Select Channel", exact=True)).to_be_focused()
    expect(walker.page.locator("[data-announcer]")).to_have_text("Moved to row 1 of 2.")
    walker.page.keyboard.press("Alt+ArrowDown")
    assert ["Skill" in field for field in fields_of(rows)] == [False, True]


def test_a_window_takes_the_focus_and_gives_it_back(walker):
    configuration, page = connect(walker.account), walker.page
    page.goto(f"/configurations/{configuration.pk}/")
    link = page.locator("#intake-keys").get_by_role("link", name="Create key")
    link.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="New intake key")
    expect(walker.field("Label", within=window)).to_be_focused()

    page.keyboard.press("Escape")

    expect(window).to_be_hidden()
    expect(link).to_be_focused()


def test_the_first_tab_stop_skips_to_the_content(walker):
    walker.page.goto("/configurations/")
    walker.page.keyboard.press("Tab")
    skip = walker.page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()

    walker.page.keyboard.press("Enter")

    expect(walker.page.locator("#main")).to_be_focused()
