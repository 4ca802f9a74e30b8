"""Tries and what came of them: each is stored before its call and concluded in one transaction behind the fence."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import transaction

from crm_integrations.providers.base import CRMValue
from crm_integrations.row_inserts import insert_values
from crm_integrations.row_updates import update_rows
from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.deliveries.field_sheets import measure_values
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.precedence import Mark
from memorialization.deliveries.retry_policy import is_given_up, next_delay_s
from memorialization.models import Attempt, Delivery
from memorialization.services.claims import LaneHold, Leave, concluding_lane, renew_lease
from memorialization.services.marks import store_marks
from memorialization.services.rework_marks import mark_reworks
from memorialization.services.unwanted import skip_unwanted

logger = logging.getLogger(__name__)

DELIVERY_COLUMNS = (
    *("state", "reason", "reason_params", "fields", "next_attempt_at", "must_look_first", "goes_alone"),
    *("attempt_count", "backoff_spent_s", "finished_at"),
)
READ_COLUMNS = attrgetter(*DELIVERY_COLUMNS)
WORDS_LIMIT = 2_000  # characters of the CRM's words that are kept with an attempt


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt leads to. `words`, `status` and `answer` are the CRM's, redacted by the provider."""

    attempt: Attempt.Outcome
    state: Delivery.State
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    closed_until: datetime | None = None
    must_look_first: bool = False
    goes_alone: bool = False
    backoff_s: float = 0.0
    words: str = ""
    status: int | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether it was a try: waiting for a limit or a person is none."""
        return self.attempt != Attempt.Outcome.POSTPONED

    def as_waiting(self, *, due_at: datetime | None, goes_alone: bool = False) -> "Outcome":
        """The same try, of a delivery that goes on."""
        return replace(self, state=Delivery.State.WAITING, due_at=due_at, goes_alone=goes_alone)

    def as_ended(self, state: Delivery.State) -> "Outcome":
        """The same try, of a delivery whose other fields are settled."""
        return replace(self, state=state, reason="", params={})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What came of one delivery of a group."""

    member: Member
    outcome: Outcome


@transaction.atomic
def begin_attempt(*, hold: LaneHold, group: Group, is_looking: bool, now: datetime) -> int | None:
    """Store that a call is about to be made: the attempt's id; None when a member no longer waits. Raises LeaseLost."""
    renew_lease(hold=hold, now=now)
    sending = {delivery.pk: (Delivery.State.SENDING.value,) for delivery in group.deliveries}
    if update_rows(Delivery, sending, ("state",), guard="state = 'waiting'") != len(sending):
        transaction.set_rollback(True)
        return None
    request = describe_request(hold.entity_type, hold.record_id, group.values(), is_looking=is_looking)
    begun = (hold.lane_id, hold.fence, now, request)
    [(attempt_id,)] = insert_values(Attempt, ("lane_id", "fence", "started_at", "request"), [begun])
    link_members({attempt_id: group})
    return int(attempt_id)


def describe_request(
    entity_type: str, record_id: str, values: Mapping[str, CRMValue], *, is_looking: bool
) -> dict[str, Any]:
    """What an attempt keeps of its request: lengths in place of customers' text."""
    return {
        "entity_type": entity_type,
        "record_id": record_id,
        "looks_first": is_looking,
        "lengths": measure_values(values),
    }


def link_members(groups: Mapping[int, Group]) -> None:
    """Tie the deliveries of groups to their attempts, by the attempts' ids."""
    links = [(attempt_id, delivery.pk) for attempt_id, group in groups.items() for delivery in group.deliveries]
    insert_values(Attempt.deliveries.through, ("attempt_id", "delivery_id"), links)


def conclude_attempt(
    *,
    hold: LaneHold,
    attempt_id: int,
    outcome: Outcome,
    conclusions: Sequence[Conclusion],
    leave: Leave | None,
    now: datetime,
) -> None:
    """Store what came of a try: lane, deliveries, marks and attempt together, or nothing. Raises LeaseLost.

    With `leave` the lane goes back in the same transaction.
    """
    with concluding_lane(hold=hold, now=now, leave=leave, closed_until=outcome.closed_until):
        store_attempt(attempt_id, outcome, now)
        store_conclusions({hold.lane_id: conclusions}, now=now)
        mark_reworks(deliveries=[each.member.delivery for each in conclusions])
        visit_failpoint("during_commit")


def conclude_without_call(*, hold: LaneHold, group: Group, leave: Leave | None, now: datetime) -> None:
    """Store deliveries of which nothing has to be sent. Raises LeaseLost."""
    with concluding_lane(hold=hold, now=now, leave=leave):
        store_conclusions(_settled_conclusions([(hold, group)]), now=now)


@transaction.atomic(savepoint=False)
def conclude_groups_without_call(*, settled: Sequence[tuple[LaneHold, Group]], now: datetime) -> None:
    """The same for the groups of many lanes. Raises LeaseLost when one of them was taken back: then none is stored."""
    for hold, _group in settled:
        renew_lease(hold=hold, now=now)
    store_conclusions(_settled_conclusions(settled), now=now)


def _settled_conclusions(settled: Sequence[tuple[LaneHold, Group]]) -> dict[int, list[Conclusion]]:
    return {
        hold.lane_id: [Conclusion(each, settled_outcome(each, Attempt.Outcome.POSTPONED)) for each in group.members]
        for hold, group in settled
    }


def settled_outcome(
    member: Member, attempt: Attempt.Outcome, *, status: int | None = None, answer: Mapping[str, Any] | None = None
) -> Outcome:
    """What a member comes to after a write that succeeded; with a value still unsent it waits, due at once."""
    if member.sheet.pending:
        return Outcome(attempt, Delivery.State.WAITING, goes_alone=True, status=status, answer=answer or {})
    state, reason = member.sheet.conclude()
    ended = ended_outcome(attempt, state, reason, status)
    return replace(ended, answer=answer) if answer else ended


@lru_cache(maxsize=100)
def ended_outcome(attempt: Attempt.Outcome, state: Delivery.State, reason: str, status: int | None) -> Outcome:
    """The same for all deliveries that end so."""
    return Outcome(attempt, state, reason, status=status)


def store_attempt(attempt_id: int, outcome: Outcome, now: datetime) -> None:
    """Write down how a try ended."""
    ending = (outcome.attempt.value, now, outcome.status, outcome.words[:WORDS_LIMIT], dict(outcome.answer))
    update_rows(Attempt, {attempt_id: ending}, ("outcome", "finished_at", "status", "message", "answer"))


def store_conclusions(conclusions: Mapping[int, Sequence[Conclusion]], *, now: datetime) -> None:
    """Store deliveries and marks by lane id, in a few statements however many there are.

    The caller's transaction holds the lanes' rows, behind the fence.
    """
    every = [conclusion for members in conclusions.values() for conclusion in members]
    rows = {each.member.delivery.pk: _delivery_values(each, now) for each in every}
    update_rows(Delivery, rows, DELIVERY_COLUMNS, guard="state IN ('waiting', 'sending')")
    waiting = [each.member.delivery.pk for each in every if each.outcome.state == Delivery.State.WAITING]
    if waiting:
        skip_unwanted(delivery_ids=waiting, now=now)
    marks: dict[int, dict[str, Mark]] = {}
    for lane_id, members in conclusions.items():
        marks[lane_id] = {}
        for each in members:
            marks[lane_id] |= each.member.sheet.marks(each.member.delivery.pk)
    store_marks(marks=marks)


def _delivery_values(conclusion: Conclusion, now: datetime) -> list[Any]:
    """What is stored of a delivery, and noted on the instance: it may be tried again with it."""
    delivery, outcome = conclusion.member.delivery, conclusion.outcome
    is_waiting = outcome.state == Delivery.State.WAITING
    delivery.state = outcome.state.value
    delivery.reason = str(outcome.reason)
    delivery.reason_params = dict(outcome.params)
    delivery.fields = conclusion.member.sheet.entries
    delivery.next_attempt_at = (outcome.due_at or now) if is_waiting else None
    delivery.must_look_first = outcome.must_look_first
    delivery.goes_alone = delivery.goes_alone or outcome.goes_alone
    delivery.attempt_count += int(outcome.is_counted)
    delivery.backoff_spent_s += round(outcome.backoff_s)
    delivery.finished_at = None if is_waiting else now
    return list(READ_COLUMNS(delivery))


def retry_outcome(
    *,
    delivery: Delivery,
    reason: DeliveryReason,
    words: str,
    now: datetime,
    status: int | None = None,
    floor_s: float | None = None,
    is_unknown: bool = False,
    must_look_first: bool = False,
) -> Outcome:
    """Waiting again, with back-off; failed once three days of it are spent.

    `is_unknown`: the write may have been applied, so the lane also stays closed until it settles.
    """
    settle_s = settings.SETTLE_S if is_unknown else 0
    delay_s = max(next_delay_s(tries=delivery.attempt_count + 1, floor_s=floor_s), settle_s)
    attempt = Attempt.Outcome.UNKNOWN if is_unknown else Attempt.Outcome.RETRY
    is_over = is_given_up(backoff_spent_s=delivery.backoff_spent_s + delay_s)
    waiting_reason = DeliveryReason.SETTLING if is_unknown else reason
    return Outcome(
        attempt,
        Delivery.State.FAILED if is_over else Delivery.State.WAITING,
        DeliveryReason.GAVE_UP if is_over else waiting_reason,
        {"words": words},
        due_at=now + timedelta(seconds=delay_s),
        closed_until=now + timedelta(seconds=settle_s) if is_unknown else None,
        must_look_first=is_unknown or must_look_first,
        backoff_s=delay_s,
        words=words,
        status=status,
    )


def postponed_outcome(
    *, reason: DeliveryReason, words: str, due_at: datetime, must_look_first: bool, status: int | None = None
) -> Outcome:
    """Waiting for a limit or for a person: no try, no back-off."""
    return Outcome(
        Attempt.Outcome.POSTPONED,
        Delivery.State.WAITING,
        reason,
        {"words": words},
        due_at=due_at,
        must_look_first=must_look_first,
        words=words,
        status=status,
    )


def failed_outcome(*, reason: DeliveryReason, words: str, status: int | None = None) -> Outcome:
    """Refused for a reason that trying again does not cure."""
    return Outcome(Attempt.Outcome.REFUSED, Delivery.State.FAILED, reason, {"words": words}, words=words, status=status)


def skipped_outcome(*, reason: DeliveryReason, words: str, status: int | None = None) -> Outcome:
    """Not to be written to this record, and nobody's fault."""
    return Outcome(
        Attempt.Outcome.REFUSED, Delivery.State.SKIPPED, reason, {"words": words}, words=words, status=status
    )
