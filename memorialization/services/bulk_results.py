"""What bulk writes came to: their results stored at once, the records read back, and every member concluded.

Everything is behind the poll lease of the bulk write: only the process that holds it concludes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from crm_integrations.providers.base import BulkProgress, CRMRecord
from crm_integrations.providers.errors import CRMError, CRMUnavailable, GrantEnded, Reauthenticate, RetryLater
from crm_integrations.row_sql import as_uuid
from crm_integrations.row_updates import update_rows
from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Attempt, BulkWrite, Delivery
from memorialization.models.bulk_writes import UNCONCLUDED
from memorialization.services.call_errors import read_error
from memorialization.services.claims import LeaseLost, free_lanes, lock_lanes
from memorialization.services.late_bulk_writes import first_late_look
from memorialization.services.marks import read_marks
from memorialization.services.members import members_of_bulk_write, record_ids_of_bulk_write
from memorialization.services.outcomes import (
    WORDS_LIMIT,
    Conclusion,
    Outcome,
    ended_outcome,
    settled_outcome,
    store_conclusions,
)
from memorialization.services.unwanted import skip_unwanted

State = BulkWrite.State
NO_FAULT_OF_THE_WRITE = (RetryLater, CRMUnavailable, GrantEnded, Reauthenticate)
NOT_OVER = "state IN ('prepared', 'searching', 'running')"
POLLED = f"poll_lease = %s AND {UNCONCLUDED}"
ATTEMPT_COLUMNS = ("outcome", "finished_at", "status", "message", "answer")
MOST_LOST_POLLS = 5  # in a row; then something about the bulk write kills whoever concludes it


@dataclass(frozen=True, slots=True)
class BulkMember:
    """One record of a bulk write: its attempt and the group that shared it."""

    attempt_id: int
    lane_id: int
    record_id: str
    group: Group


@dataclass(frozen=True, slots=True)
class _Result:
    member: BulkMember
    outcome: Outcome
    conclusions: Sequence[Conclusion]


def store_progress(
    *, bulk: BulkWrite, progress: BulkProgress, poll_at: datetime, now: datetime, was_searched: bool = False
) -> None:
    """Store the handle and how far it is; once it is finished, what it says of each record, before anything else.

    `was_searched`: it was found by its records. It may be somebody else's write of the same, so what it says of them is
    not taken at its word, and that it is over does not mean that ours is.
    """
    columns: dict[str, Any] = {"handle": progress.handle}
    if was_searched:
        columns["was_searched"] = True
    is_of_ours = not (was_searched or bulk.was_searched)
    if progress.is_finished:
        failed = {key: outcome for key, outcome in progress.outcomes.items() if not outcome.succeeded}
        columns |= {
            "state": State.FINISHED.value,
            "finished_at": now if is_of_ours else None,
            "poll_at": now,
            "refusals": {key: [outcome.error, outcome.words] for key, outcome in failed.items()},
            "unknown": [key for key in read_record_ids(bulk) if key not in progress.outcomes],
        }
    else:
        columns |= {"state": State.RUNNING.value, "poll_at": poll_at, "done": progress.done or 0, "lost_polls": 0}
        if (progress.done or 0) > bulk.done:
            columns["progressed_at"] = now
    update_rows(BulkWrite, {bulk.pk: tuple(columns.values())}, tuple(columns), guard=NOT_OVER)


def release_poll(*, bulk: BulkWrite, **columns: object) -> None:
    """Give the poll lease back; no-op for one that is concluded or that somebody else holds."""
    _update_polled(bulk, poll_lease=None, poll_lease_until=None, **columns)


def give_up_looking(*, bulk: BulkWrite, now: datetime) -> None:
    """Nobody will say what became of it: the records themselves are read. No-op when somebody else looks after it."""
    _update_polled(bulk, state=State.FINISHED.value, poll_at=now, unknown=read_record_ids(bulk))


def read_record_ids(bulk: BulkWrite) -> list[str]:
    """The records it is about, in the order they were sent."""
    return record_ids_of_bulk_write(bulk_write_id=bulk.pk)


def read_bulk_members(bulk: BulkWrite) -> list[BulkMember]:
    """Its records with their groups, as they stood when it was sent: nothing of them changes while it is on its way."""
    found: dict[int, list[Member]] = {}
    places: dict[int, tuple[int, str]] = {}
    for attempt_id, lane_id, record_id, member in members_of_bulk_write(bulk_write_id=bulk.pk):
        places[attempt_id] = (lane_id, record_id)
        found.setdefault(attempt_id, []).extend([member] if member else [])
    marks = read_marks(lane_ids=[lane_id for lane_id, _record_id in places.values()])
    records = [BulkMember(attempt_id, *place, Group(found[attempt_id])) for attempt_id, place in places.items()]
    for record in records:
        record.group.supersede(marks[record.lane_id])
    return records


def conclude_finished(
    *, bulk: BulkWrite, members: Sequence[BulkMember], records: Mapping[str, CRMRecord], now: datetime
) -> None:
    """Conclude every member by what the CRM said and what the records show. Raises LeaseLost."""
    unknown = set(bulk.unknown)
    results = []
    for member in members:
        record = records.get(member.record_id)
        if member.record_id in bulk.refusals and not bulk.was_searched:
            results.append(_send_alone(member, ": ".join(filter(None, bulk.refusals[member.record_id])), now))
        elif record is None:  # gone, it seems: its own call says so for certain
            results.append(_look_again(member, now))
        elif bulk.was_searched or member.record_id in unknown:
            member.group.settle_what_stands(record)
            results.append(_look_again(member, now))
        else:
            results.append(_verify(member, record))
    visit_failpoint("before_bulk_conclude")
    _conclude(bulk, results, now)


def conclude_refused(*, bulk: BulkWrite, error: CRMError, now: datetime) -> None:
    """Conclude a bulk write that the CRM did not take. Raises LeaseLost."""
    results = []
    for member in read_bulk_members(bulk):
        if not isinstance(error, NO_FAULT_OF_THE_WRITE) or not member.group.members:
            results.append(_send_alone(member, error.message, now))
            continue
        verdicts = [read_error(error, delivery=delivery, now=now)[0] for delivery in member.group.deliveries]
        conclusions = [
            Conclusion(each, verdict if each.sheet.pending else settled_outcome(each, verdict.attempt))
            for each, verdict in zip(member.group.members, verdicts, strict=True)
        ]
        results.append(_Result(member, verdicts[0], conclusions))
    _conclude(bulk, results, now, was_taken=False)


@transaction.atomic
def conclude_by_looking_alone(*, bulk: BulkWrite, now: datetime) -> None:
    """Conclude one that keeps killing its workers: each record is looked at and written by itself. Raises LeaseLost.

    By ids alone: what kills may be its values, and whoever looks at these here would die of them again.
    """
    lane_ids = _end_polling(bulk, now, late_at=first_late_look(bulk, now))
    attempts = Attempt.objects.filter(bulk_write=bulk, outcome=Attempt.Outcome.STARTED)
    sending = Delivery.objects.filter(attempts__in=attempts, state=Delivery.State.SENDING)
    delivery_ids = list(sending.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=delivery_ids).update(
        state=Delivery.State.WAITING,
        reason=DeliveryReason.SETTLING,
        reason_params={},
        next_attempt_at=now,
        must_look_first=True,
        goes_alone=True,
        attempt_count=F("attempt_count") + 1,
    )
    skip_unwanted(delivery_ids=delivery_ids, now=now)
    attempts.update(outcome=Attempt.Outcome.UNKNOWN, finished_at=now)
    free_lanes(lane_ids=lane_ids)


def _verify(member: BulkMember, record: CRMRecord) -> _Result:
    member.group.verify(record)
    conclusions = [
        Conclusion(each, settled_outcome(each, Attempt.Outcome.SUCCEEDED, status=200)) for each in member.group.members
    ]
    return _Result(member, ended_outcome(Attempt.Outcome.SUCCEEDED, Delivery.State.DELIVERED, "", 200), conclusions)


def _send_alone(member: BulkMember, words: str, now: datetime) -> _Result:
    """Refused: each delivery goes on by itself, so that one bad value costs no other anything."""
    outcome = Outcome(
        *(Attempt.Outcome.REFUSED, Delivery.State.WAITING, DeliveryReason.GOES_ALONE),
        due_at=now,
        goes_alone=True,
        words=words,
    )
    return _go_on(member, outcome)


def _look_again(member: BulkMember, now: datetime) -> _Result:
    """Nobody refused it, and it may still be applied: the newest value goes on, by a call that looks first.

    Alone and oldest first, an older value might be written over the newer one that came to stand meanwhile.
    """
    outcome = Outcome(
        *(Attempt.Outcome.UNKNOWN, Delivery.State.WAITING, DeliveryReason.SETTLING), due_at=now, must_look_first=True
    )
    return _go_on(member, outcome)


def _go_on(member: BulkMember, outcome: Outcome) -> _Result:
    """Every member of the group that still has something to send waits again."""
    conclusions = [
        Conclusion(each, outcome if each.sheet.pending else settled_outcome(each, outcome.attempt))
        for each in member.group.members
    ]
    return _Result(member, outcome, conclusions)


@transaction.atomic
def _conclude(bulk: BulkWrite, results: Sequence[_Result], now: datetime, *, was_taken: bool = True) -> None:
    """Bulk write, lanes, attempts, deliveries and marks together, or nothing."""
    lane_ids = _end_polling(bulk, now, late_at=first_late_look(bulk, now) if was_taken else None)
    endings = {result.member.attempt_id: _attempt_values(result.outcome, now) for result in results}
    update_rows(Attempt, endings, ATTEMPT_COLUMNS)
    store_conclusions({result.member.lane_id: result.conclusions for result in results}, now=now)
    free_lanes(lane_ids=lane_ids)


def _end_polling(bulk: BulkWrite, now: datetime, *, late_at: datetime | None) -> list[int]:
    """Note that it is concluded, and lock its lanes: their ids. Raises LeaseLost."""
    over = {"poll_at": late_at, "poll_lease": None, "poll_lease_until": None, "done": bulk.size}
    if not _update_polled(bulk, state=State.CONCLUDED.value, concluded_at=now, **over):
        raise LeaseLost
    return lock_lanes("bulk_write_id = %s", [bulk.pk])


def _update_polled(bulk: BulkWrite, **columns: object) -> int:
    """Change it as the one who looks after it; 0 when it is concluded or somebody else's."""
    lease = bulk.poll_lease and as_uuid(bulk.poll_lease)
    return update_rows(BulkWrite, {bulk.pk: tuple(columns.values())}, tuple(columns), guard=POLLED, guarded_by=[lease])


def _attempt_values(outcome: Outcome, now: datetime) -> tuple[Any, ...]:
    return (outcome.attempt.value, now, outcome.status, outcome.words[:WORDS_LIMIT], dict(outcome.answer))
