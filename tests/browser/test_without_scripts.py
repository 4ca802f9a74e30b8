"""The walk's essentials with JavaScript switched off: the same pages, one form after another."""

import pytest
from playwright.sync_api import expect

from crm_integrations.models import Configuration
from memorialization.models import MappedField
from tests.browser.connected import connect, make_administrator
from tests.browser.labels import Labels
from tests.browser.walk import Walker


@pytest.fixture
def walker(new_page, live_server, demo_account):
    return Walker(new_page(user=make_administrator(), has_scripts=False), Labels("en"), demo_account)


def test_a_configuration_is_connected_and_activated_without_scripts(walker):
    walker.page.goto("/configurations/")
    walker.begin_configuration("Support")
    walker.authenticate(name="Zendesk Acme")
    walker.decide("Allow")
    walker.finish_authentication(domain="aide.acme.example")
    walker.expect_toast("Authentication is active.")
    walker.press("Save", within=walker.header)

    walker.expect_toast("The configuration is saved and active.")
    assert Configuration.objects.get().state == Configuration.State.ACTIVE
    assert walker.create_key("Studio")
    expect(walker.page.locator("#intake-keys .keys > li")).to_have_count(1)


def test_a_mapping_gets_and_loses_rows_without_scripts(walker):
    configuration, page = connect(walker.account), walker.page
    page.goto(f"/configurations/{configuration.pk}/data-memorialization/new/")
    walker.fill("Name", "Calls")
    walker.field("Select Entity Type").select_option(label="Ticket")
    walker.press("Add Entity")
    rows = page.locator("[data-row]")
    fill_row(walker, 0, field="CXone contact ID", channel="Voice Call Contact", source="Contact ID")
    walker.press("Add Field")
    expect(rows).to_have_count(2)
    fill_row(walker, 1, field="CXone agent", channel="Script Variable", source="AccountTier")
    walker.press("Add Field")
    expect(rows).to_have_count(3)
    fill_row(walker, 2, field="Skill", channel="Digital Contact", source="Skill Name")
    walker.press("Move up", within=rows.nth(2))
    expect(rows.nth(1).locator("[data-field] option:checked")).to_contain_text("Skill")
    walker.press("Remove", within=rows.nth(0))
    expect(rows).to_have_count(2)
    walker.press("Save", within=walker.header)

    expect(page.get_by_role("rowheader").filter(has_text="Calls")).to_be_visible()
    found = MappedField.objects.order_by("position").values_list("channel", "source")
    assert list(found) == [("digital", "skillName"), ("script_variable", "accounttier")]


def test_a_mapping_that_cannot_be_saved_says_where_without_scripts(walker):
    configuration, page = connect(walker.account), walker.page
    page.goto(f"/configurations/{configuration.pk}/data-memorialization/new/")
    walker.fill("Name", "Calls")
    walker.field("Select Entity Type").select_option(label="Ticket")
    walker.press("Add Entity")
    fill_row(walker, 0, field="CXone contact ID", channel="Voice Call Contact", source="")
    walker.press("Save", within=walker.header)

    alert = page.get_by_role("alert")
    expect(alert.get_by_role("link")).to_have_attribute("href", "#entity-0-row-0-source")
    expect(page.locator("#entity-0-row-0-source")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#entity-0-row-0-field option:checked")).to_contain_text("CXone contact ID")
    assert not MappedField.objects.exists()


def fill_row(walker: Walker, number: int, *, field: str, channel: str, source: str) -> None:
    """Choose in the plain lists."""
    row = walker.page.locator("[data-row]").nth(number)
    fields = row.locator("[data-field]")
    value = fields.locator("option", has_text=field).first.get_attribute("value")
    fields.select_option(value)
    row.locator("[data-channel-choice]").select_option(label=channel)
    if channel == "Script Variable":
        row.locator("[data-variable]").fill(source)
    elif source:
        row.locator("[data-source]").select_option(label=source)
