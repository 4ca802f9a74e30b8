"""Interactions and deliveries for the ledger's tests, made through intake and the engine itself."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction
from memorialization.services.draining import drain_account
from tests.engine import match_all, take_in
from tests.memorialization.event_payloads import make_event
from tests.memory_provider import MemoryProvider

ROWS = {
    "ticket": [
        ("subject", "voice", "skillName"),
        ("priority", "voice", "status"),
        ("contact_id", "voice", "contactId"),
        ("handle_time", "script_variable", "handletime"),
    ]
}
FIELDS = {"agentId": "39185896", "agentName": "Tyler Hendrickson", "skillName": "FR_Support", "status": "high"}
VIEW = "crm_integrations.view_configuration"
EDIT = "crm_integrations.change_configuration"


def end_call(configuration: Configuration, contact_id: str = "415", *, record: str = "7", **keys: Any) -> Interaction:
    """A call that has ended, linked to a ticket unless `record` is empty, planned and not pushed."""
    at = timezone.now() - timedelta(minutes=10)
    records = [{"entityType": "ticket", "id": record}] if record else None
    fields = {**FIELDS, **keys.pop("fields", {})}
    payload = make_event("ended", at.isoformat(), contactId=contact_id, fields=fields, records=records, **keys)
    interaction = take_event(configuration, payload)
    if interaction.match_due_at is not None:
        match_all(configuration, timezone.now)
        interaction.refresh_from_db()
    return interaction


def take_event(configuration: Configuration, payload: dict[str, Any]) -> Interaction:
    """The interaction that an event leads to."""
    result = take_in(configuration, payload, now=timezone.now())
    assert result.rejected == (), result.rejected
    return Interaction.objects.filter(contact__contact_id=payload["contactId"], configuration=configuration).latest(
        "pk"
    )


def make_record(pk: str = "7", entity_type: str = "ticket") -> None:
    """A record of the CRM."""
    MemoryProvider.accounts["acme"].records[entity_type, pk] = {}


def push(configuration: Configuration) -> None:
    """One turn of the engine."""
    drain_account(account_id=configuration.authentication.account_id)


def delivery_of(interaction: Interaction) -> Delivery:
    """Its newest delivery."""
    return interaction.deliveries.latest("pk")
