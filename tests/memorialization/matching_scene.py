"""Calls whose records have to be looked for, and the CRM in memory that knows of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction
from tests.engine import account_of, match_all, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice
from tests.memory_provider import MemoryAccount

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)  # as tests.engine has it
TOLD_NOTHING = (("linked", "nothing"), ("script_variable", "nothing"))
ANI = "+15145550123"
IDS = {
    "ticket": [
        ("subject", "voice", "skillName"),
        ("contact_id", "voice", "contactId"),
        ("notes", "voice", "masterContactId"),
    ]
}
PLAIN = {"ticket": [("subject", "voice", "skillName")]}
BOTH = {**PLAIN, "user": [("last_agent", "voice", "agentName")]}


def configured(rows: dict[str, Any] | None = None, **columns: Any) -> Configuration:
    """A configuration with one mapping; only what is asked for is switched on."""
    columns.setdefault("uses_written_records", False)
    columns.setdefault("phone_country", "CA")
    configuration = make_configuration(**columns)
    make_mapping(configuration, rows or PLAIN)
    return configuration


def person(configuration: Configuration, pk: str = "7", *, phone: str = ANI, **values: Any) -> None:
    """Somebody whom the CRM knows."""
    account_of(configuration).records["user", pk] = {"name": f"Person {pk}", "phone": phone, **values}


def ticket(
    configuration: Configuration, pk: str, *, owner: str = "", hours_ago: float = 1, status: str = "open", **values: Any
) -> None:
    """A case of the CRM, changed so long ago."""
    account = account_of(configuration)
    account.records["ticket", pk] = {"subject": f"Case {pk}", "status": status, **values}
    account.changed_at["ticket", pk] = (NOW - timedelta(hours=hours_ago)).isoformat()
    if owner:
        account.owners["ticket", pk] = owner


def call(configuration: Configuration, contact_id: str = "C1", **keys: Any) -> Interaction:
    """A call that has ended, folded and planned as far as that goes without network."""
    fields = {"skillName": "Support", "agentName": "Tyler", "ani": ANI, **keys.pop("fields", {})}
    fields = {key: value for key, value in fields.items() if value is not None}
    at = keys.pop("at", "2026-01-15T14:50:00Z")
    result = take_in(configuration, voice("ended", at, contactId=contact_id, fields=fields, **keys), now=NOW)
    assert not result.rejected, result.rejected
    return Interaction.objects.get(contact__contact_id=contact_id)


def matched(configuration: Configuration, contact_id: str = "C1", **keys: Any) -> Interaction:
    """The same, after the account's turn has looked for its records."""
    interaction = call(configuration, contact_id, **keys)
    match_all(configuration, lambda: NOW)
    interaction.refresh_from_db()
    return interaction


def crm(configuration: Configuration) -> MemoryAccount:
    """The CRM's side."""
    return account_of(configuration)


def outcome(interaction: Interaction, entity_type: str = "ticket") -> tuple[str, str, str, str]:
    """The newest delivery of a type: record, rule, state, reason."""
    delivery = Delivery.objects.filter(interaction=interaction, entity_type=entity_type).latest("pk")
    return delivery.record_id, delivery.target_rule, delivery.state, delivery.reason


def steps(interaction: Interaction, entity_type: str = "ticket") -> list[tuple[str, str]]:
    """Which rules were tried for a type, with their outcomes; without those that needed nobody's answer."""
    found = [(each["rule"], each["outcome"]) for each in interaction.targets[entity_type].get("steps", [])]
    return [step for step in found if step not in TOLD_NOTHING]


def candidates(interaction: Interaction, entity_type: str = "ticket") -> list[str]:
    """The ids among which a person may choose."""
    return [each["id"] for each in interaction.targets[entity_type].get("candidates", [])]
