"""Pushes one delivery: decide what to send, store the try, look if an earlier outcome is unknown, write, verify.

No transaction is open around a call. Every call is preceded by a check that the lane is still ours and that its lease
outlives the call; what comes back is stored under the same fence (services.outcomes).
"""

import time
from dataclasses import dataclass

from django.db.models import Min

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import CRMConnection, CRMRecord, WriteAnswer
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    CRMUnavailable,
    Misconfigured,
    RecordClosed,
    RecordGone,
    ValueRefused,
)
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.deliveries.field_sheets import STANDING, FieldSheet
from memorialization.deliveries.outcome_reasons import DeliveryReason, FieldReason
from memorialization.deliveries.precedence import Mark, Precedence
from memorialization.models import Attempt, Delivery, FieldMark
from memorialization.models.deliveries import FieldResult
from memorialization.services.call_errors import Next, Reading, read_error, read_error_after_write
from memorialization.services.claims import LaneHold, LeaseLost, call_bound_s, lease_length_s, renew_lease
from memorialization.services.outcomes import (
    Outcome,
    begin_attempt,
    conclude_attempt,
    conclude_without_call,
    failed_outcome,
)


class Unverified(Exception):
    """The write was accepted, and the record could not be read after it."""

    def __init__(self, cause: CRMError) -> None:
        super().__init__()
        self.cause = cause


@dataclass
class Push:
    """One delivery on its way, with everything that a step needs."""

    hold: LaneHold
    delivery: Delivery
    sheet: FieldSheet
    connection: CRMConnection
    clock: Clock
    comment_id: str = ""  # names the segment's note on this record, the same for every delivery of both
    is_looking: bool = False
    leased_at: float = 0.0  # monotonic

    @property
    def is_lease_short(self) -> bool:
        """Whether so much time went by that a call which starts now could outlive the lease."""
        return time.monotonic() - self.leased_at > lease_length_s() - call_bound_s()

    def checked(self) -> CRMConnection:
        """The connection, after the check that a call may start now. Raises LeaseLost."""
        return self.renewed() if self.is_lease_short else self.connection

    def renewed(self) -> CRMConnection:
        """The same for a further call of one try. Raises LeaseLost, also when this process stands still."""
        self.leased_at = time.monotonic()
        renew_lease(hold=self.hold, now=self.clock())
        if self.is_lease_short:
            raise LeaseLost
        return self.connection


def push_delivery(*, hold: LaneHold, delivery: Delivery, connection: CRMConnection, clock: Clock) -> Next:
    """Try one delivery and store what came of it. Raises LeaseLost when the lane was taken away meanwhile."""
    sheet = FieldSheet(delivery.fields, segment_ended_at=delivery.segment_ended_at, segment_key=delivery.segment_key)
    push = Push(hold, delivery, sheet, connection, clock, is_looking=delivery.must_look_first)
    sheet.supersede(_read_marks(hold.lane_id))
    if sheet.pending_comment is not None:
        _settle_by_siblings(push)
    while sheet.pending:
        following = _try_once(push)
        if following is not None:
            return following
    conclude_without_call(hold=hold, delivery=delivery, sheet=sheet, now=clock())
    return Next.SAME_LANE


def _read_marks(lane_id: int) -> dict[str, Mark]:
    """Whose values the record holds, by CRM field."""
    columns = ("crm_field", "segment_ended_at", "segment_key", "occurred_at", "delivery_id")
    rows = FieldMark.objects.filter(lane_id=lane_id).values_list(*columns)
    return {
        key: Mark(Precedence(ended_at, segment_key, occurred_at), delivery_id)
        for key, ended_at, segment_key, occurred_at, delivery_id in rows
    }


def _settle_by_siblings(push: Push) -> None:
    """A note stands once per segment and record: one that another delivery posted, or may have posted, counts."""
    siblings = Delivery.objects.filter(lane_id=push.hold.lane_id, interaction_id=push.delivery.interaction_id)
    push.comment_id = str(siblings.aggregate(first=Min("pk"))["first"])
    for other in siblings.exclude(pk=push.delivery.pk):
        notes = [entry for entry in other.fields if entry.get("type") == "comment"]
        if any(entry.get("result") in STANDING for entry in notes):
            push.sheet.settle_comment(FieldResult.UNCHANGED, FieldReason.COMMENT_POSTED_BEFORE)
        elif notes and other.attempt_count:
            push.is_looking = True


def _try_once(push: Push) -> Next | None:
    """One attempt; None when what is left of the delivery is to be tried at once."""
    push.leased_at = time.monotonic()
    attempt = begin_attempt(
        hold=push.hold,
        delivery=push.delivery,
        values=push.sheet.values(),
        is_looking=push.is_looking,
        now=push.clock(),
    )
    if attempt is None:
        return Next.SAME_LANE
    visit_failpoint("before_call")
    outcome, following = _make_calls(push)
    visit_failpoint("after_call")
    conclude_attempt(
        hold=push.hold,
        delivery=push.delivery,
        attempt=attempt,
        sheet=push.sheet,
        outcome=outcome,
        now=push.clock(),
    )
    return following


def _make_calls(push: Push) -> tuple[Outcome, Next | None]:
    """All calls of one attempt, and what they amount to."""
    try:
        if push.is_looking:
            _look_first(push)
        answer = _write(push) if push.sheet.pending else None
    except ValueRefused as error:
        return _leave_out_refused(push, error)
    except Unverified as error:
        return read_error_after_write(
            error.cause, delivery=push.delivery, account_id=push.hold.account_id, now=push.clock()
        )
    except (AccessDenied, Misconfigured) as error:
        return _read(push, _ask_whose_fault_it_is(push, error))
    except CRMError as error:
        return _read(push, error)
    return _conclude_success(push, answer), Next.SAME_LANE


def _read(push: Push, error: CRMError) -> Reading:
    return read_error(error, delivery=push.delivery, account_id=push.hold.account_id, now=push.clock())


def _look_first(push: Push) -> None:
    """Settle what the record holds already, since an earlier call may have been applied."""
    record = _get_record(push, push.checked())
    push.sheet.settle_what_stands(record)
    if push.sheet.pending_comment is not None:
        _look_for_comment(push)
    if record.is_closed and push.sheet.pending:
        raise RecordClosed("The record is closed.")


def _look_for_comment(push: Push) -> None:
    """Settle the note: posted; or nobody can know, then it is never posted again by itself."""
    try:
        trace = push.renewed().find_comment(push.hold.entity_type, push.hold.record_id, delivery_id=push.comment_id)
        is_posted = trace.is_posted
    except (AccessDenied, RecordGone, Misconfigured):
        is_posted = None
    if is_posted:
        push.sheet.settle_comment(FieldResult.WRITTEN, FieldReason.ALREADY_THERE)
    elif is_posted is None:
        push.sheet.settle_comment(FieldResult.NOT_APPLIED, FieldReason.OUTCOME_UNKNOWN)


def _write(push: Push) -> WriteAnswer:
    """The write, and the comparison of what was sent with what the record shows after it."""
    connection = push.renewed() if push.is_looking else push.checked()
    answer = connection.update_record(
        push.hold.entity_type,
        push.hold.record_id,
        push.sheet.values(),
        delivery_id=push.comment_id or str(push.delivery.pk),
        types=push.sheet.types(),
    )
    push.sheet.verify(answer.record or _read_back(push), is_comment_posted=answer.is_comment_posted)
    return answer


def _read_back(push: Push) -> CRMRecord:
    """The record after a write whose answer did not carry it."""
    try:
        return _get_record(push, push.renewed())
    except CRMError as error:
        raise Unverified(error) from error


def _get_record(push: Push, connection: CRMConnection) -> CRMRecord:
    record_id = push.hold.record_id
    found = connection.get_records(push.hold.entity_type, [record_id], types=push.sheet.types())
    if record_id not in found:
        raise RecordGone("The record was not found.")
    return found[record_id]


def _leave_out_refused(push: Push, error: ValueRefused) -> tuple[Outcome, Next | None]:
    """Leave out the fields that the CRM named and try the others; everything refused is a failure.

    It ends: every round leaves out at least one field more.
    """
    if not push.sheet.refuse(error.fields, error.message):
        return _read(push, error)
    push.is_looking = False  # refused as a whole: nothing of it can have been applied
    refused = failed_outcome(reason=DeliveryReason.VALUE_REFUSED, words=error.message, status=error.status)
    if push.sheet.pending:
        return refused.as_waiting(due_at=push.clock()), None
    state, _reason = push.sheet.conclude()
    return (refused if state == Delivery.State.FAILED else refused.as_ended(state)), Next.SAME_LANE


def _ask_whose_fault_it_is(push: Push, error: CRMError) -> CRMError:
    """The error that counts: it is no delivery's fault when the system user is refused everything.

    Nor is it when the account is not there at all.
    """
    try:
        push.renewed().identify()
    except Misconfigured as other:
        return CRMUnavailable(other.message, may_have_applied=False, status=other.status)
    except CRMError as other:
        return other
    return error


def _conclude_success(push: Push, answer: WriteAnswer | None) -> Outcome:
    state, reason = push.sheet.conclude()
    return Outcome(
        Attempt.Outcome.SUCCEEDED,
        state,
        reason,
        status=answer.status if answer else None,
        answer=dict(answer.answer) if answer else {"looked": True},
    )
