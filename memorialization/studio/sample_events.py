"""A sample interaction for trying a configuration out: one closing event with the source fields' examples. Pure."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from memorialization.events.schema import RecordLink
from memorialization.source_fields import DIGITAL, SourceField, fields_of_channel

CONTACT_PREFIX = "test-event-"
VARIABLE_EXAMPLE = "test"
LASTED = timedelta(minutes=5)
OWN_KEYS = frozenset({"contactId", "agentId"})  # top-level keys of the event
CLOSING_TYPES = {DIGITAL: "interaction.unassigned"}  # any other channel: interaction.ended


@dataclass(frozen=True, slots=True)
class SampleWish:
    """What is to be tried: a channel, the script variables to fill in, and the record to write to, if any."""

    channel: str
    variables: tuple[str, ...] = ()
    record: RecordLink | None = None


def build_sample(wish: SampleWish, *, contact_id: str, now: datetime) -> dict[str, Any]:
    """The event, as a source would send it."""
    fields = fields_of_channel(wish.channel)
    examples = {field.key: _example(field, now) for field in fields if field.key not in OWN_KEYS}
    agent_id = next(field.example for field in fields if field.key == "agentId")
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
        "scriptVariables": dict.fromkeys(wish.variables, VARIABLE_EXAMPLE),
        "records": _records(wish.record),
    }


def new_contact_id(now: datetime) -> str:
    """A Contact ID that people recognise, and that no other test has."""
    return f"{CONTACT_PREFIX}{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def is_sample(contact_id: str) -> bool:
    """Whether the Contact ID is one of ours."""
    return contact_id.startswith(CONTACT_PREFIX) and contact_id.isprintable()


def _example(field: SourceField, now: datetime) -> str | list[str]:
    if field.is_time:
        return _as_text(now - LASTED if field.key == "startTime" else now)
    return field.example.split(", ") if field.is_list else field.example


def _records(record: RecordLink | None) -> Sequence[dict[str, str]]:
    return [] if record is None else [{"entityType": record.entity_type, "id": record.id}]


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
