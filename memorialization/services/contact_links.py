"""Keeps the links of contacts for the core: workflows and the customer card change them, and know nothing of events.

A link is an event like any other (semantics §4.14), so it may come before anything else is heard of its contact: it
waits there for the first segment.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crm_integrations.contact_links import ContactLinks, ContactReading, RecordReference
from crm_integrations.models import Configuration
from crm_integrations.row_sql import as_time, as_uuid, read_values, table_of
from crm_integrations.stored_json import decode_json
from memorialization.events.parsing import read_records
from memorialization.events.schema import EventType
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.services.event_folding import fold_contact_events
from memorialization.services.linking import report_link

# Asked with every look at a card: whether events wait to be folded, and the contact's segments, the latest first, or
# while it has none the events that link and unlink, in their order. There is one row at least.
CONTACT_QUERY = f"""
SELECT EXISTS (
    SELECT 1 FROM {table_of(InteractionEvent)} WHERE configuration_id = %s AND source_contact_id = %s
    AND contact_id IS NULL AND (fold_after IS NULL OR fold_after <= %s)
  ), segment.links, segment.state = 'open' AND segment.ended_at IS NULL, early.type, early.body
FROM (SELECT 1) always
LEFT JOIN {table_of(Contact)} contact ON contact.configuration_id = %s AND contact.contact_id = %s
LEFT JOIN {table_of(Interaction)} segment ON segment.contact_id = contact.id
LEFT JOIN {table_of(InteractionEvent)} early
  ON early.contact_id = CASE WHEN segment.id IS NULL THEN contact.id END
  AND early.type IN ('{EventType.LINKED}', '{EventType.UNLINKED}')
ORDER BY COALESCE(segment.started_at, segment.created_at) DESC, segment.id DESC, early.ordered_at, early.event_id
"""  # noqa: S608 - our own words only


class LinkRefused(ValueError):
    """The record or the contact has a name that no event may carry; str() says what is wrong."""


class EventLinks(ContactLinks):
    """Links as the events of a contact leave them."""

    def read_contact(self, *, configuration: Configuration, contact_id: str, now: datetime) -> ContactReading:
        """With the records of the latest segment; of a contact without any, what waits for its first one."""
        rows = _read_rows(configuration, contact_id, now)
        if any(is_waiting for is_waiting, *_rest in rows):
            fold_contact_events(configuration=configuration, contact_id=contact_id, now=now)
            rows = _read_rows(configuration, contact_id, now)
        _is_waiting, links, *_rest = rows[0]
        if links is not None:
            linked = [RecordReference(link["entity_type"], link["id"]) for link in decode_json(links)]
        else:
            linked = _early_links((event_type, body) for *_rest, event_type, body in rows if event_type)
        is_live = any(is_open for _is_waiting, _links, is_open, *_rest in rows)
        return ContactReading(tuple(sorted(linked)), is_live)

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


def _read_rows(configuration: Configuration, contact_id: str, now: datetime) -> list[tuple[Any, ...]]:
    pk = as_uuid(configuration.pk)
    return read_values(CONTACT_QUERY, [pk, contact_id, as_time(now), pk, contact_id])


def _segments(configuration: Configuration, contact_id: str) -> list[Interaction]:
    """The contact's segments in the order in which they began."""
    found = Interaction.objects.filter(contact__configuration=configuration, contact__contact_id=contact_id)
    return sorted(found, key=lambda segment: (segment.started_at or segment.created_at, segment.pk))


def _id_in_segment(event_id: str, configuration: Configuration, contact_id: str) -> str:
    """The id of an act that is done once in each segment; what came before any segment belongs to the first."""
    segments = _segments(configuration, contact_id)
    return f"{event_id}-{segments[-1].pk}" if len(segments) > 1 else event_id


def _early_links(events: Iterable[tuple[str, str]]) -> list[RecordReference]:
    """What links and unlinks come to before there is a segment; of one record the later wins."""
    linked: dict[RecordReference, bool] = {}
    for event_type, body in events:
        for record in read_records(decode_json(body)):
            linked[RecordReference(record.entity_type, record.id)] = event_type == EventType.LINKED
    return [record for record, is_linked in linked.items() if is_linked]


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
