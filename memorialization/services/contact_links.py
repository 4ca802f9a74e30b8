"""Keeps the links of contacts for the core: workflows and the customer card change them, and know nothing of events.

A link is an event like any other (semantics §4.14), so it may come before anything else is heard of its contact: it
waits there for the first segment.
"""

from collections.abc import Sequence
from datetime import datetime

from crm_integrations.contact_links import ContactLinks, RecordReference
from crm_integrations.models import Configuration
from memorialization.events.schema import LINK_TYPES, EventType
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.services.contact_folding import read_stored
from memorialization.services.event_folding import fold_contact_events
from memorialization.services.linking import report_link


class LinkRefused(ValueError):
    """The record or the contact has a name that no event may carry; str() says what is wrong."""


class EventLinks(ContactLinks):
    """Links as the events of a contact leave them."""

    def linked_records(
        self, *, configuration: Configuration, contact_id: str, now: datetime
    ) -> Sequence[RecordReference]:
        """The records of the latest segment; of a contact without any, what waits for its first one."""
        fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
        segment = find_latest_segment(configuration=configuration, contact_id=contact_id)
        if segment is not None:
            return sorted(RecordReference(link["entity_type"], link["id"]) for link in segment.links)
        return _read_early_links(configuration, contact_id)

    def link(
        self,
        *,
        configuration: Configuration,
        contact_id: str,
        record: RecordReference,
        origin: str,
        now: datetime,
        event_id: str = "",
    ) -> None:
        """Link, and plan what follows from it. Raises LinkRefused."""
        if event_id:
            fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
            event_id = _id_in_segment(event_id, configuration, contact_id)
        _report(configuration, contact_id, record, EventType.LINKED, origin, now, event_id)

    def unlink(
        self, *, configuration: Configuration, contact_id: str, record: RecordReference, origin: str, now: datetime
    ) -> None:
        """Unlink; of a contact that nobody heard of there is nothing to unlink. Raises LinkRefused."""
        fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
        if Contact.objects.filter(configuration=configuration, contact_id=contact_id).exists():
            _report(configuration, contact_id, record, EventType.UNLINKED, origin, now, "")

    def is_live(self, *, configuration: Configuration, contact_id: str, now: datetime) -> bool:
        """Whether a segment of the contact has begun and not ended."""
        fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
        segments = Interaction.objects.filter(contact__configuration=configuration, contact__contact_id=contact_id)
        return segments.filter(state=Interaction.State.OPEN, ended_at__isnull=True).exists()


def find_latest_segment(*, configuration: Configuration, contact_id: str) -> Interaction | None:
    """The contact's segment that began last; None when none is known."""
    return next(reversed(_segments(configuration, contact_id)), None)


def _segments(configuration: Configuration, contact_id: str) -> list[Interaction]:
    """The contact's segments in the order in which they began."""
    found = Interaction.objects.filter(contact__configuration=configuration, contact__contact_id=contact_id)
    return sorted(found, key=lambda segment: (segment.started_at or segment.created_at, segment.pk))


def _id_in_segment(event_id: str, configuration: Configuration, contact_id: str) -> str:
    """The id of an act that is done once in each segment; what came before any segment belongs to the first."""
    segments = _segments(configuration, contact_id)
    return f"{event_id}-{segments[-1].pk}" if len(segments) > 1 else event_id


def _read_early_links(configuration: Configuration, contact_id: str) -> list[RecordReference]:
    """What links and unlinks come to before there is a segment; of one record the later wins."""
    events = InteractionEvent.objects.filter(
        contact__configuration=configuration, contact__contact_id=contact_id, type__in=LINK_TYPES
    ).order_by("ordered_at", "event_id")
    linked: dict[RecordReference, bool] = {}
    for event_id, body, ordered_at in events.values_list("event_id", "body", "ordered_at"):
        event = read_stored(event_id, body, ordered_at, ())
        for record in event.records if event is not None else ():
            linked[RecordReference(record.entity_type, record.id)] = (
                event is not None and event.type is EventType.LINKED
            )
    return sorted(record for record, is_linked in linked.items() if is_linked)


def _report(
    configuration: Configuration,
    contact_id: str,
    record: RecordReference,
    event_type: EventType,
    origin: str,
    now: datetime,
    event_id: str,
) -> None:
    result = report_link(
        configuration=configuration,
        contact_id=contact_id,
        record={"entityType": record.entity_type, "id": record.record_id},
        is_linked=event_type is EventType.LINKED,
        now=now,
        origin=origin,
        event_id=event_id,
    )
    errors = [error for rejected in result.rejected for error in rejected.errors if error.field != "eventId"]
    if errors:
        raise LinkRefused(" ".join(error.message for error in errors))
