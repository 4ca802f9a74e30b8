"""A configuration that is connected to the demo CRM's account, its mapping of five rows, its key, and its events."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from crm_integrations.models import Configuration, IntakeKey
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.services.intake_keys import create_key
from memorialization.mappings.contents import EntityContents, MappingContents, Row
from memorialization.models import MappingVersion, MemorializationMapping
from tests.end_to_end.kill_stage import SUBDOMAIN
from tests.factories import make_authentication, make_configuration

BODY_BYTES = 1024
START = datetime(2026, 1, 5, 14, 0, tzinfo=UTC)
FILLING = random.Random(7).choices("abcdefghij klmnop qrstuv", k=2 * BODY_BYTES)
SUBJECT, AGENT = CRMField("subject", "Subject", FieldType.TEXT, max_length=255), "agentName"
ROWS = (
    Row(SUBJECT, "voice", "skillName"),
    Row(CRMField("external_id", "External ID", FieldType.TEXT, max_length=255), "voice", "contactId"),
    Row(CRMField("priority", "Priority", FieldType.TEXT), "script_variable", "priority"),
    Row(CRMField("type", "Type", FieldType.TEXT), "script_variable", "tickettype"),
    Row(CRMField("tags", "Tags", FieldType.TAGS), "voice", "tags"),
)
NOTE = Row(CRMField("comment", "Internal note", FieldType.COMMENT), "voice", "agentNotes")


@dataclass(frozen=True)
class Scene:
    """Where events go and what opens the door."""

    configuration: Configuration
    path: str
    headers: str


def make_scene(*, tokens: dict[str, Any] | None = None, has_notes: bool = False, address: str = SUBDOMAIN) -> Scene:
    """Store the configuration; `tokens` is the pair that the demo CRM gave for its system user."""
    columns: dict[str, Any] = {"address": address, "access_expires_at": timezone.now() + timedelta(days=1)}
    if tokens:
        columns |= {name: tokens[name] for name in ("access_token", "refresh_token")}
        columns["system_user_id"] = str(tokens["user_id"])
    authentication = make_authentication(**columns)
    authentication.account.provider = "zendesk"
    authentication.account.save()
    configuration = make_configuration(authentication=authentication, integration_type="zendesk")
    rows = (*ROWS, NOTE) if has_notes else ROWS
    contents = MappingContents("Calls", "", True, (EntityContents("ticket", rows),))
    mapping = MemorializationMapping.objects.create(configuration=configuration, name="Calls")
    MappingVersion.objects.create(mapping=mapping, number=mapping.version, contents=contents.as_json())
    _key, text = create_key(
        configuration=configuration, kind=IntakeKey.Kind.BEARER, label="bench", actor=None, now=timezone.now()
    )
    path = f"/api/v1/configurations/{configuration.pk}/events"
    return Scene(configuration, path, f"Authorization: Bearer {text}\r\n")


def make_body(
    type_: str, number: int, *, contact: str, record_id: str, at: datetime | None = None, **fields: Any
) -> dict[str, Any]:
    """One event of about BODY_BYTES, as a contact centre's script sends it."""
    moment = at or START + timedelta(seconds=number)
    event: dict[str, Any] = {
        "eventId": f"{contact}-{type_}-{number}",
        "type": f"interaction.{type_}",
        "occurredAt": moment.isoformat(),
        "channel": "voice",
        "contactId": contact,
        "fields": {
            "masterContactId": contact,
            "agentId": str(39_000_000 + number % 50),
            "agentName": f"Agent {number % 50}",
            "ani": f"+1514555{number % 10_000:04d}",
            "skillName": f"Support {number}",
            "tags": ["vip", "billing"],
            **fields,
        },
        "scriptVariables": {"AccountId": f"A-{number}", "Priority": "high", "TicketType": "task"},
        "records": [{"entityType": "ticket", "id": record_id}],
    }
    if type_ == "ended":
        event |= {"endedBy": "agent", "acwConfigured": False}
    missing = BODY_BYTES - len(json.dumps(event)) - len(', "Remarks": ""')
    event["scriptVariables"]["Remarks"] = "".join(FILLING[: max(missing, 0)])
    return event


def ended_bodies(count: int, *, prefix: str, records: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Ended calls, each a contact of its own on a record of its own (or on the given ones in turn)."""
    return [
        make_body(
            "ended",
            number,
            contact=f"{prefix}{number}",
            record_id=records[number % len(records)] if records else str(1_000_000 + number),
        )
        for number in range(count)
    ]


def lifelong_bodies(count: int, *, prefix: str) -> list[dict[str, Any]]:
    """Calls from start to end: started, updated, updated, ended."""
    kinds = ("started", "updated", "updated", "ended")
    return [
        make_body(kinds[step], 4 * call + step, contact=f"{prefix}{call}", record_id=str(1_000_000 + call))
        for call in range(count // 4)
        for step in range(4)
    ]
