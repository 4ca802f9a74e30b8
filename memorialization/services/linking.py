"""Linking a record to a segment and unlinking it: both are events like any other, so that their order counts."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max

from crm_integrations.models import Configuration
from memorialization.events.schema import EventType
from memorialization.models import Interaction, InteractionEvent
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
    return report_link(
        configuration=interaction.configuration,
        contact_id=interaction.contact.contact_id,
        record=record,
        is_linked=is_linked,
        now=now,
        origin=origin,
        event_id=event_id,
        segment=(interaction.channel, interaction.segment_id),
    )


def report_link(
    *,
    configuration: Configuration,
    contact_id: str,
    record: Mapping[str, Any],
    is_linked: bool,
    now: datetime,
    origin: str,
    event_id: str = "",
    segment: tuple[str, str] | None = None,
) -> IntakeResult:
    """The same for a contact, of which nothing else may be known yet; without a (channel, segment id) for its latest.

    That is the segment that is open now, else the last one; before there is any, the first that will come.
    """
    fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)  # what waits may be the latest
    event_type = EventType.LINKED if is_linked else EventType.UNLINKED
    channel, segment_id = segment or ("", "")
    payload = {
        "eventId": event_id or f"link-{uuid.uuid4()}",
        "type": event_type.value,
        "occurredAt": _after_all_known(configuration, contact_id, now).astimezone(UTC).isoformat(),
        "contactId": contact_id,
        "records": [dict(record)],
        **({"channel": channel} if channel else {}),
        **({"segmentId": segment_id} if segment_id else {}),
    }
    result = accept_events(configuration=configuration, payloads=[payload], received_at=now, origin=origin)
    fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
    return result


def _after_all_known(configuration: Configuration, contact_id: str, now: datetime) -> datetime:
    """Now, or just after the contact's latest event: a source whose clock is ahead must not undo what is done here."""
    events = InteractionEvent.objects.filter(contact__configuration=configuration, contact__contact_id=contact_id)
    latest = events.aggregate(latest=Max("ordered_at"))["latest"]
    return max(now, latest + timedelta(microseconds=1)) if latest else now
