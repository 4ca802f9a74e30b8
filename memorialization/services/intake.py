"""Intake: events are read, and those of one call stored together (semantics §2).

What is answered as accepted is committed; what follows from it is `event_folding`'s, at once in a worker, or later
when no worker is there. An event that comes again has no second effect; the same id with another body is refused, and
the first stands.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm_integrations.models import Configuration
from crm_integrations.row_inserts import insert_missing
from crm_integrations.row_sql import JSONText
from memorialization.events.parsing import order_event, read_payload
from memorialization.events.schema import ID_LIMIT, EventInvalid, FieldError, ParsedEvent
from memorialization.models import InteractionEvent
from memorialization.services.hints import wake_on_commit

EVENT_COLUMNS = (
    *("configuration_id", "source_contact_id", "event_id", "type", "occurred_at", "ordered_at", "received_at"),
    *("body", "body_hash", "flags", "ignored_keys", "origin"),
)


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
    body: JSONText
    body_hash: str


@dataclass(frozen=True, slots=True)
class _Batch:
    """The readable events of one call."""

    configuration: Configuration
    candidates: Sequence[_Candidate]
    received_at: datetime
    origin: str


@dataclass(slots=True)
class _Outcome:
    """What became of a batch's events."""

    accepted: list[_Candidate] = field(default_factory=list)
    duplicates: list[_Candidate] = field(default_factory=list)
    conflicting: list[_Candidate] = field(default_factory=list)


def accept_events(
    *, configuration: Configuration, payloads: Sequence[Any], received_at: datetime, origin: str = "api"
) -> IntakeResult:
    """Store events, all or none of those that can be read, and have a worker fold them. Raises database errors."""
    candidates, rejected = _read_payloads(payloads, received_at)
    if not candidates:
        return IntakeResult(rejected=tuple(rejected))
    outcome = _store_batch(_Batch(configuration, candidates, received_at, origin))
    rejected += [_reject_used_id(each) for each in outcome.conflicting]
    return IntakeResult(
        accepted=tuple(each.event.event_id for each in outcome.accepted),
        duplicates=tuple(each.event.event_id for each in outcome.duplicates),
        rejected=tuple(sorted(rejected, key=lambda each: each.index)),
        ignored={each.event.event_id: each.event.ignored_keys for each in outcome.accepted if each.event.ignored_keys},
    )


def _read_payloads(payloads: Sequence[Any], received_at: datetime) -> tuple[list[_Candidate], list[RejectedEvent]]:
    candidates, rejected = [], []
    for index, payload in enumerate(payloads):
        try:
            reading = read_payload(payload)
        except EventInvalid as invalid:
            rejected.append(RejectedEvent(index, _claimed_id(payload), invalid.errors))
            continue
        event = order_event(reading.event, received_at=received_at)
        candidates.append(_Candidate(index, event, JSONText(reading.body), reading.body_hash))
    return candidates, rejected


def _claimed_id(payload: Any) -> str | None:
    """The id that a refused event calls itself by, to find it again."""
    claimed = payload.get("eventId") if isinstance(payload, dict) else None
    is_id = isinstance(claimed, (str, int)) and not isinstance(claimed, bool)
    return str(claimed)[:ID_LIMIT].encode(errors="replace").decode() if is_id else None


def _store_batch(batch: _Batch) -> _Outcome:
    """Store the events, all or none, and wake the account they may have work for.

    A single one needs no transaction: either its statement stores it, or nothing is stored and it is looked for.
    """
    with transaction.atomic() if len(batch.candidates) > 1 else nullcontext():
        outcome = _sort_out(batch, _store_events(batch))
        authentication = batch.configuration.authentication
        if outcome.accepted and authentication is not None:
            wake_on_commit(account_id=authentication.account_id)
    return outcome


def _store_events(batch: _Batch) -> set[str]:
    """Insert the events; answers the ids that were new. Of one id the first counts."""
    first = {each.event.event_id: each for each in reversed(batch.candidates)}
    records = [_event_record(each, batch) for _event_id, each in sorted(first.items())]
    stored = insert_missing(InteractionEvent, EVENT_COLUMNS, records, returning=("event_id",))
    return {event_id for (event_id,) in stored}


def _sort_out(batch: _Batch, stored: Collection[str]) -> _Outcome:
    """New events, repeated ones, and those whose id is taken by another body."""
    taken = {each.event.event_id for each in batch.candidates}.difference(stored)
    hashes = _known_hashes(batch.configuration, taken) if taken else {}
    outcome = _Outcome()
    for each in batch.candidates:
        event_id = each.event.event_id
        if event_id in stored and event_id not in hashes:
            hashes[event_id] = each.body_hash
            outcome.accepted.append(each)
        elif hashes.get(event_id) == each.body_hash:
            outcome.duplicates.append(each)
        else:
            outcome.conflicting.append(each)
    return outcome


def _known_hashes(configuration: Configuration, event_ids: Collection[str]) -> dict[str, str]:
    stored = InteractionEvent.objects.filter(configuration=configuration, event_id__in=event_ids)
    return dict(stored.values_list("event_id", "body_hash"))


def _event_record(candidate: _Candidate, batch: _Batch) -> tuple[Any, ...]:
    """The values of EVENT_COLUMNS."""
    event = candidate.event
    return (
        *(batch.configuration.pk, event.contact_id, event.event_id, event.type.value),
        *(event.occurred_at, event.ordered_at, batch.received_at),
        *(candidate.body, candidate.body_hash, list(event.flags), list(event.ignored_keys)),
        batch.origin,
    )


def _reject_used_id(candidate: _Candidate) -> RejectedEvent:
    message = _("This id was used by another event before; give every event an id of its own.")
    return RejectedEvent(candidate.index, candidate.event.event_id, (FieldError("eventId", message),))
