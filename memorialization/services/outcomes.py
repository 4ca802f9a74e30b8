"""Tries and what came of them: each is stored before its call and concluded in one transaction behind the fence."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from crm_integrations.providers.base import CRMValue
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.deliveries.field_sheets import FieldSheet, measure_values
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.retry_policy import is_given_up, next_delay_s
from memorialization.models import Attempt, Delivery, FieldMark
from memorialization.services.claims import LaneHold, renew_lease, update_held_lane

logger = logging.getLogger(__name__)

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
    backoff_s: float = 0.0
    words: str = ""
    status: int | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether it was a try: waiting for a limit or a person is none."""
        return self.attempt != Attempt.Outcome.POSTPONED

    def as_waiting(self, *, due_at: datetime) -> "Outcome":
        """The same try, of a delivery that goes on."""
        return replace(self, state=Delivery.State.WAITING, due_at=due_at)

    def as_ended(self, state: Delivery.State) -> "Outcome":
        """The same try, of a delivery whose other fields are settled."""
        return replace(self, state=state, reason="", params={})


@transaction.atomic
def begin_attempt(
    *, hold: LaneHold, delivery: Delivery, values: Mapping[str, CRMValue], is_looking: bool, now: datetime
) -> Attempt | None:
    """Store that a call is about to be made; None when the delivery no longer waits. Raises LeaseLost."""
    renew_lease(hold=hold, now=now)
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
    if not waiting.update(state=Delivery.State.SENDING):
        return None
    request = {
        "entity_type": hold.entity_type,
        "record_id": hold.record_id,
        "looks_first": is_looking,
        "lengths": measure_values(values),
    }
    attempt = Attempt.objects.create(lane_id=hold.lane_id, fence=hold.fence, started_at=now, request=request)
    attempt.deliveries.add(delivery)
    return attempt


@transaction.atomic
def conclude_attempt(
    *, hold: LaneHold, delivery: Delivery, attempt: Attempt, sheet: FieldSheet, outcome: Outcome, now: datetime
) -> None:
    """Store what came of a try: lane, delivery, marks and attempt together, or nothing. Raises LeaseLost."""
    if outcome.closed_until is not None:
        update_held_lane(hold=hold, closed_until=outcome.closed_until)
    else:
        renew_lease(hold=hold, now=now)
    _store_attempt(attempt, outcome, now)
    _store_delivery(delivery, sheet, outcome, now)
    if outcome.state == Delivery.State.WAITING:
        skip_unlinked(delivery_ids=[delivery.pk], now=now)
    _store_marks(hold, delivery, sheet)
    visit_failpoint("during_commit")


@transaction.atomic
def conclude_without_call(*, hold: LaneHold, delivery: Delivery, sheet: FieldSheet, now: datetime) -> None:
    """Store a delivery of which nothing has to be sent. Raises LeaseLost."""
    renew_lease(hold=hold, now=now)
    state, reason = sheet.conclude()
    done = Outcome(Attempt.Outcome.POSTPONED, state, reason)
    _store_delivery(delivery, sheet, done, now)
    _store_marks(hold, delivery, sheet)


def skip_unlinked(*, delivery_ids: Sequence[int], now: datetime) -> None:
    """Skip those whose record was unlinked while a worker had them; the caller holds their lane's row."""
    waiting = Delivery.objects.filter(pk__in=delivery_ids, state=Delivery.State.WAITING)
    for delivery_id, entity_type, record_id, unlinks in waiting.values_list(
        "pk", "entity_type", "record_id", "interaction__unlinks"
    ):
        if {"entity_type": entity_type, "id": record_id} in unlinks:
            waiting.filter(pk=delivery_id).update(
                state=Delivery.State.SKIPPED,
                reason=DeliveryReason.UNLINKED,
                reason_params={},
                next_attempt_at=None,
                finished_at=now,
            )


def _store_attempt(attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(
        outcome=outcome.attempt,
        finished_at=now,
        status=outcome.status,
        message=outcome.words[:WORDS_LIMIT],
        answer=dict(outcome.answer),
    )


def _store_delivery(delivery: Delivery, sheet: FieldSheet, outcome: Outcome, now: datetime) -> None:
    is_waiting = outcome.state == Delivery.State.WAITING
    unfinished = Delivery.objects.filter(pk=delivery.pk, state__in=[Delivery.State.WAITING, Delivery.State.SENDING])
    unfinished.update(
        state=outcome.state,
        reason=outcome.reason,
        reason_params=dict(outcome.params),
        fields=sheet.entries,
        next_attempt_at=(outcome.due_at or now) if is_waiting else None,
        must_look_first=outcome.must_look_first,
        attempt_count=F("attempt_count") + int(outcome.is_counted),
        backoff_spent_s=F("backoff_spent_s") + round(outcome.backoff_s),
        finished_at=None if is_waiting else now,
    )


def _store_marks(hold: LaneHold, delivery: Delivery, sheet: FieldSheet) -> None:
    """Note whose values the record holds; what was sent was not lower than the mark, so the row is simply replaced."""
    marks = {
        key: FieldMark(
            lane_id=hold.lane_id,
            crm_field=key,
            segment_ended_at=precedence.segment_ended_at,
            segment_key=precedence.segment_key,
            occurred_at=precedence.occurred_at,
            delivery=delivery,
        )
        for key, precedence in sheet.standing()
    }
    FieldMark.objects.bulk_create(
        marks.values(),
        update_conflicts=True,
        unique_fields=["lane", "crm_field"],
        update_fields=["segment_ended_at", "segment_key", "occurred_at", "delivery"],
    )


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
