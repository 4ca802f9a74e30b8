"""Intake: events are stored, folded into their interactions, judged and planned, in one transaction (semantics §2).

What is answered as accepted is committed. An event that comes again has no second effect; the same id with another
body is refused, and the first stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm_integrations.models import Configuration
from memorialization.events.canonical_json import hash_payload
from memorialization.events.parsing import order_event, parse_event, storable_body
from memorialization.events.schema import ID_LIMIT, EventInvalid, FieldError, ParsedEvent
from memorialization.models import Contact, InteractionEvent
from memorialization.services.contact_folding import fold_contacts


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """One event that was not accepted: its place in the array, its id as far as it has one, and why."""

    index: int
    event_id: str | None
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of the events of one array; `ignored` names the unknown keys of accepted events by event id."""

    accepted: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    rejected: tuple[RejectedEvent, ...] = ()
    ignored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Candidate:
    index: int
    event: ParsedEvent
    payload: dict[str, Any]
    body_hash: str


def accept_events(
    *, configuration: Configuration, payloads: Sequence[Any], received_at: datetime, origin: str = "api"
) -> IntakeResult:
    """Store events and bring their interactions up to date. Database errors undo everything."""
    candidates, rejected = _read_payloads(payloads, received_at)
    if not candidates:
        return IntakeResult(rejected=tuple(rejected))
    with transaction.atomic():
        contacts = _lock_contacts(configuration, {each.event.contact_id for each in candidates})
        known = _known_hashes(configuration, [each.event.event_id for each in candidates])
        fresh, duplicates, conflicting = _sort_out(candidates, known)
        stored = _store_events(configuration, contacts, fresh, received_at, origin)
    accepted = [each for each in fresh if each.event.event_id in stored]
    conflicting += [each for each in fresh if each.event.event_id not in stored]
    rejected += [_reject_used_id(each) for each in conflicting]
    return IntakeResult(
        accepted=tuple(each.event.event_id for each in accepted),
        duplicates=tuple(each.event.event_id for each in duplicates),
        rejected=tuple(sorted(rejected, key=lambda each: each.index)),
        ignored={each.event.event_id: each.event.ignored_keys for each in accepted if each.event.ignored_keys},
    )


def _read_payloads(payloads: Sequence[Any], received_at: datetime) -> tuple[list[_Candidate], list[RejectedEvent]]:
    candidates, rejected = [], []
    for index, payload in enumerate(payloads):
        try:
            event = order_event(parse_event(payload), received_at=received_at)
        except EventInvalid as invalid:
            rejected.append(RejectedEvent(index, _claimed_id(payload), invalid.errors))
            continue
        candidates.append(_Candidate(index, event, payload, hash_payload(payload)))
    return candidates, rejected


def _claimed_id(payload: Any) -> str | None:
    """The id that a refused event calls itself by, to find it again."""
    claimed = payload.get("eventId") if isinstance(payload, dict) else None
    is_id = isinstance(claimed, (str, int)) and not isinstance(claimed, bool)
    return str(claimed)[:ID_LIMIT].encode(errors="replace").decode() if is_id else None


def _lock_contacts(configuration: Configuration, contact_ids: Iterable[str]) -> dict[str, Contact]:
    """The contacts' rows, made where they are missing, locked in the order of their ids."""
    ids = sorted(contact_ids)
    missing = [Contact(configuration=configuration, contact_id=contact_id) for contact_id in ids]
    Contact.objects.bulk_create(missing, ignore_conflicts=True)
    locked = Contact.objects.select_for_update().filter(configuration=configuration, contact_id__in=ids).order_by("pk")
    return {contact.contact_id: contact for contact in locked}


def _known_hashes(configuration: Configuration, event_ids: Sequence[str]) -> dict[str, str]:
    stored = InteractionEvent.objects.filter(configuration=configuration, event_id__in=event_ids)
    return dict(stored.values_list("event_id", "body_hash"))


def _sort_out(
    candidates: Sequence[_Candidate], known: Mapping[str, str]
) -> tuple[list[_Candidate], list[_Candidate], list[_Candidate]]:
    """New events, repeated ones, and those whose id is taken by another body."""
    hashes = dict(known)
    fresh, duplicates, conflicting = [], [], []
    for each in candidates:
        event_id = each.event.event_id
        if event_id not in hashes:
            hashes[event_id] = each.body_hash
            fresh.append(each)
        elif hashes[event_id] == each.body_hash:
            duplicates.append(each)
        else:
            conflicting.append(each)
    return fresh, duplicates, conflicting


def _store_events(
    configuration: Configuration,
    contacts: Mapping[str, Contact],
    fresh: Sequence[_Candidate],
    received_at: datetime,
    origin: str,
) -> frozenset[str]:
    """Insert the events and fold their contacts; answers the ids that are stored under these contacts.

    An id that another contact's event takes at the same moment is not among them: only one of the two can be first.
    """
    if not fresh:
        return frozenset()
    rows = [_event_row(configuration, contacts[each.event.contact_id], each, received_at, origin) for each in fresh]
    InteractionEvent.objects.bulk_create(sorted(rows, key=lambda row: row.event_id), ignore_conflicts=True)
    touched = {each.event.contact_id for each in fresh}
    locked = [contact for contact_id, contact in contacts.items() if contact_id in touched]
    return fold_contacts(configuration=configuration, contacts=locked, now=received_at).event_ids


def _event_row(
    configuration: Configuration, contact: Contact, candidate: _Candidate, received_at: datetime, origin: str
) -> InteractionEvent:
    event = candidate.event
    return InteractionEvent(
        configuration=configuration,
        contact=contact,
        event_id=event.event_id,
        type=event.type.value,
        occurred_at=event.occurred_at,
        ordered_at=event.ordered_at,
        received_at=received_at,
        body=storable_body(candidate.payload),
        body_hash=candidate.body_hash,
        flags=list(event.flags),
        ignored_keys=list(event.ignored_keys),
        origin=origin,
    )


def _reject_used_id(candidate: _Candidate) -> RejectedEvent:
    message = _("This id was used by another event before; give every event an id of its own.")
    return RejectedEvent(candidate.index, candidate.event.event_id, (FieldError("eventId", message),))
