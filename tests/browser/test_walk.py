"""The whole walk in a real browser, in both languages: from signing in to values that stand in the CRM's records."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import expect

from config.stack.processes import wait_until
from crm_integrations.models import Configuration
from crm_integrations.services.roles import Role, assign_role, create_roles
from memorialization.models import Delivery, MappedField
from tests.browser.labels import Labels
from tests.browser.mapping_editor import MappingEditor
from tests.browser.walk import Walker
from tests.factories import make_user

DELIVERY_PATIENCE_S = 20.0


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_a_new_administrator_connects_an_account_and_sees_ended_interactions_in_it(
    language, new_page, demo_account, running_worker, live_server
):
    create_roles()
    user = make_user(username="alex")
    assign_role(user=user, role=Role.ADMINISTRATOR)
    labels = Labels(language)
    walker = Walker(new_page(locale=labels.locale), labels, demo_account)

    connect_account(walker)
    key = make_key(walker)
    map_fields(walker)

    ticket_id, customer = demo_account.open_ticket(), demo_account.customer()
    send_events(live_server.url, walker.configuration_id, key, make_events(ticket_id, str(customer["id"])))
    wait_for_deliveries()

    assert demo_account.ticket_value(ticket_id, "CXone contact ID") == "415203958123"
    assert demo_account.ticket_value(ticket_id, "CXone agent") == "VIP-7"
    assert demo_account.user_name(str(customer["id"])) == "Zoé Tremblay"
    read_ledger(walker, ticket_id)


def connect_account(walker: Walker) -> None:
    """Steps 1 to 6."""
    labels, page = walker.labels, walker.page
    walker.sign_in("alex")
    expect(page.get_by_role("heading", level=1)).to_have_text(labels("Agent Integrations"))
    walker.begin_configuration("Service à la clientèle")
    walker.authenticate(name="Zendesk Acme")
    walker.decide("Allow")
    walker.finish_authentication(domain="https://aide.acme.example/agent/dashboard")
    walker.expect_toast("Authentication is active.")
    walker.press("Save", within=walker.header)
    expect(page.locator("#facts dt", has_text=labels("Configuration ID"))).to_be_visible()
    configuration = Configuration.objects.select_related("authentication__account").get(pk=walker.configuration_id)
    assert configuration.state == Configuration.State.ACTIVE
    assert configuration.authentication.account.address == walker.account.subdomain
    assert configuration.external_domain == "https://aide.acme.example"


def make_key(walker: Walker) -> str:
    """Step 6: the Configuration ID is copied, a key made."""
    labels, page = walker.labels, walker.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = page.locator("#facts dd", has=page.locator("[data-copy-source]"))
    expect(shown.locator("[data-copy-source]")).to_have_text(str(walker.configuration_id))
    shown.get_by_role("button").click()
    assert page.evaluate("navigator.clipboard.readText()") == str(walker.configuration_id)
    expect(page.locator("#intake-keys .card-title")).to_have_text(labels("Intake keys"))
    return walker.create_key("Studio")


def map_fields(walker: Walker) -> None:
    """Step 7: two entity types, both channels and a script variable that is typed in capitals."""
    labels, page = walker.labels, walker.page
    walker.follow("Data Memorialization")
    walker.follow("New Data Mapping", within=page.get_by_role("main"))
    editor = MappingEditor(walker)
    walker.fill("Name", "Fin de l'interaction")
    rows = editor.add_entity(labels("Ticket")).locator("[data-row]")
    editor.fill_row(rows.nth(0), field="CXone contact ID", channel="Voice Call Contact", source="Contact ID")
    walker.press("Add Field", within=page.locator("[data-card]").first)
    editor.fill_row(rows.nth(1), field="CXone agent", channel="Script Variable", source="AccountTier")
    rows = editor.add_entity(labels("User")).locator("[data-row]")
    editor.fill_row(rows.nth(0), field=labels("Name"), channel="Digital Contact", source="Customer Name")
    walker.press("Save", within=walker.header)
    expect(page.get_by_role("rowheader").filter(has_text="Fin de l'interaction")).to_be_visible()
    assert set(MappedField.objects.values_list("channel", "source")) == {
        ("voice", "contactId"),
        ("script_variable", "accounttier"),
        ("digital", "customerName"),
    }


def make_events(ticket_id: str, user_id: str) -> list[dict[str, object]]:
    """A call linked to a ticket, and a digital case linked to a user, both at their end."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    call = {"channel": "voice", "contactId": "415203958123", "occurredAt": now.isoformat(), "acwConfigured": True}
    return [
        call
        | {
            "eventId": "call-ended",
            "type": "interaction.ended",
            "endedBy": "contact",
            "scriptVariables": {"AccountTier": "VIP-7"},
            "records": [{"entityType": "ticket", "id": ticket_id}],
        },
        call | {"eventId": "call-acw", "type": "interaction.acw_completed"},
        {
            "eventId": "case-unassigned",
            "type": "interaction.unassigned",
            "occurredAt": now.isoformat(),
            "channel": "digital",
            "contactId": "507300012",
            "fields": {"agentId": "39185896", "customerName": "Zoé Tremblay"},
            "records": [{"entityType": "user", "id": user_id}],
        },
    ]


def send_events(site: str, configuration_id: object, key: str, events: list[dict[str, object]]) -> None:
    """What a Studio script does."""
    answer = requests.post(
        f"{site}/api/v1/configurations/{configuration_id}/events",
        json=events,
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
    )
    assert answer.status_code == 202, answer.text
    assert len(answer.json()["accepted"]) == len(events), answer.text


def wait_for_deliveries() -> None:
    """Until both are written."""
    delivered = Delivery.objects.filter(state=Delivery.State.DELIVERED)
    assert wait_until(lambda: delivered.count() == 2, patience_s=DELIVERY_PATIENCE_S), "; ".join(
        f"{found}: {found.state} {found.reason} {found.attempt_count}" for found in Delivery.objects.all()
    )


def read_ledger(walker: Walker, ticket_id: str) -> None:
    """The call's own page says what was written where."""
    page = walker.page
    page.goto("/interactions/")
    page.get_by_role("link", name=re.compile("415203958123")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("415203958123")
    fields = page.locator(".field-table tbody tr")
    expect(fields.filter(has_text="CXone contact ID")).to_contain_text(walker.labels("Contact ID"))
    expect(fields.filter(has_text="CXone agent")).to_contain_text("VIP-7")
    expect(fields.filter(has_text="CXone agent")).to_contain_text("accounttier")
    link = page.get_by_role("link", name=re.compile(rf"{ticket_id}\b")).first
    expect(link).to_have_attribute("href", re.compile(rf"^https://aide\.acme\.example/.*{ticket_id}"))
