"""Linking a record to a segment and unlinking it: both are events like any other, so that their order counts."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max

from memorialization.events.schema import EventType
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.services.event_folding import fold_contact_events
from memorialization.services.intake import IntakeResult, accept_events


def change_link(
    *,
    interaction: Interaction,
    record: Mapping[str, Any],
    is_linked: bool,
    now: datetime,
    origin: str = "api",
    event_id: str = "",
) -> IntakeResult:
    """Link or unlink a record (`{"entityType", "id"}`) as of now; what is wrong with it is in `rejected`.

    A first link plans a full delivery, unlinking skips what was not sent (semantics §4.14). With an `event_id` of the
    caller's the act is done once. Its consequences are there when this returns.
    """
    configuration, contact_id = interaction.configuration, interaction.contact.contact_id
    fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)  # what waits may be the latest
    event_type = EventType.LINKED if is_linked else EventType.UNLINKED
    payload = {
        "eventId": event_id or f"link-{uuid.uuid4()}",
        "type": event_type.value,
        "occurredAt": _after_all_known(interaction.contact, now).astimezone(UTC).isoformat(),
        "channel": interaction.channel,
        "contactId": contact_id,
        "records": [dict(record)],
    }
    if interaction.segment_id:
        payload["segmentId"] = interaction.segment_id
    result = accept_events(configuration=configuration, payloads=[payload], received_at=now, origin=origin)
    fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
    return result


def _after_all_known(contact: Contact, now: datetime) -> datetime:
    """Now, or just after the contact's latest event: a source whose clock is ahead must not undo what is done here."""
    latest = InteractionEvent.objects.filter(contact=contact).aggregate(latest=Max("ordered_at"))["latest"]
    return max(now, latest + timedelta(microseconds=1)) if latest else now
