"""A sample interaction for trying a configuration out: one closing event with the source fields' examples. Pure."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.events.schema import RecordLink
from memorialization.source_fields import DIGITAL, SourceField, fields_of_channel

CONTACT_PREFIX = "test-event-"
VARIABLE_EXAMPLE = "test"
VARIABLE_EXAMPLES = {FieldType.INTEGER: "1", FieldType.DECIMAL: "1", FieldType.CHECKBOX: "true"}
TIME_TYPES = frozenset({FieldType.DATE, FieldType.DATETIME})
CHOICE_TYPES = frozenset({FieldType.DROPDOWN, FieldType.MULTISELECT})
LASTED = timedelta(minutes=5)
OWN_KEYS = frozenset({"contactId", "agentId"})  # top-level keys of the event
CLOSING_TYPES = {DIGITAL: "interaction.unassigned"}  # any other channel: interaction.ended


@dataclass(frozen=True, slots=True)
class SampleWish:
    """What is to be tried: a channel, the script variables with the fields they go to, and the record, if any."""

    channel: str
    variables: Mapping[str, CRMField] = field(default_factory=dict)
    record: RecordLink | None = None


def build_sample(wish: SampleWish, *, contact_id: str, now: datetime) -> dict[str, Any]:
    """The event, as a source would send it."""
    fields = fields_of_channel(wish.channel)
    examples = {source.key: _example(source, now) for source in fields if source.key not in OWN_KEYS}
    agent_id = next(source.example for source in fields if source.key == "agentId")
    return {
        "eventId": f"{contact_id}-closed",
        "type": CLOSING_TYPES.get(wish.channel, "interaction.ended"),
        "occurredAt": _as_text(now),
        "channel": wish.channel,
        "contactId": contact_id,
        "agentId": agent_id,
        "endedBy": "agent",
        "acwConfigured": False,
        "fields": examples,
        "scriptVariables": {name: _fitting(target, now) for name, target in wish.variables.items()},
        "records": _records(wish.record),
    }


def new_contact_id(now: datetime) -> str:
    """A Contact ID that people recognise, and that no other test has."""
    return f"{CONTACT_PREFIX}{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def is_sample(contact_id: str) -> bool:
    """Whether the Contact ID is one of ours."""
    return contact_id.startswith(CONTACT_PREFIX) and contact_id.isprintable()


def _example(source: SourceField, now: datetime) -> str | list[str]:
    if source.is_time:
        return _as_text(now - LASTED if source.key == "startTime" else now)
    return source.example.split(", ") if source.is_list else source.example


def _fitting(target: CRMField, now: datetime) -> str:
    """A value that the field takes, so that a test does not end with fields left out for want of a real script."""
    if target.type in TIME_TYPES:
        return _as_text(now)
    if target.type in CHOICE_TYPES and target.options:
        return target.options[0].value
    return VARIABLE_EXAMPLES.get(target.type, VARIABLE_EXAMPLE)


def _records(record: RecordLink | None) -> Sequence[dict[str, str]]:
    return [] if record is None else [{"entityType": record.entity_type, "id": record.id}]


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
