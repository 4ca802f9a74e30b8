"""What an error of the CRM means for a delivery, its lane and its account: wait, wait for a person, or fail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMError,
    CRMUnavailable,
    GrantEnded,
    Misconfigured,
    Reauthenticate,
    RecordClosed,
    RecordGone,
    RetryLater,
    ValueRefused,
)
from crm_integrations.services.tokens import TokenBusy, TokenUnavailable
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery
from memorialization.services.outcomes import (
    Outcome,
    failed_outcome,
    postponed_outcome,
    retry_outcome,
    skipped_outcome,
)


class Next(Enum):
    """How a worker goes on after a delivery."""

    SAME_LANE = auto()  # with the lane's next deliveries
    OTHER_LANE = auto()  # this lane was given back: nothing else waits on it, or it has to wait


LIMIT_WITHOUT_A_TIME_S = 10.0  # a limit that gives no time (the official Ruby client waits as long)
Reading = tuple[Outcome, Next]
Reader = Callable[[CRMError, Delivery, datetime], Reading]

FAILURES: dict[type[CRMError], DeliveryReason] = {
    ValueRefused: DeliveryReason.VALUE_REFUSED,
    RecordGone: DeliveryReason.RECORD_GONE,
    AccessDenied: DeliveryReason.ACCESS_DENIED,
    Misconfigured: DeliveryReason.MISCONFIGURED,
}


def read_error(error: CRMError, *, delivery: Delivery, now: datetime) -> Reading:
    """The outcome of the try for one delivery, and how the worker goes on."""
    for kind, reader in READERS:
        if isinstance(error, kind):
            return reader(error, delivery, now)
    return _read_failure(error, delivery, now)


def read_error_after_write(error: CRMError, *, delivery: Delivery, now: datetime) -> Reading:
    """The same for an error of reading the record back: the write itself was accepted, so look before the next one."""
    outcome, following = read_error(error, delivery=delivery, now=now)
    if outcome.state == Delivery.State.WAITING:
        return replace(outcome, must_look_first=True), following
    words = error.message
    unverified = retry_outcome(
        delivery=delivery, reason=DeliveryReason.SETTLING, words=words, now=now, status=error.status
    )
    return replace(unverified, must_look_first=True), Next.OTHER_LANE


def _read_token_trouble(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    """The token is being renewed, or could not be for a passing reason: no fault of the delivery."""
    wait_s = getattr(error, "retry_after_s", None) or 1.0
    return _postpone(
        error, delivery, DeliveryReason.TOKEN_UNAVAILABLE, now + timedelta(seconds=wait_s)
    ), Next.OTHER_LANE


def _read_limit(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    """The call's gate has noted the limit for everybody; here the delivery itself waits as long as the CRM asks."""
    until = now + timedelta(seconds=getattr(error, "retry_after_s", None) or LIMIT_WITHOUT_A_TIME_S)
    return _postpone(error, delivery, DeliveryReason.LIMIT, until), Next.OTHER_LANE


def _read_unavailable(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    outcome = retry_outcome(
        delivery=delivery,
        reason=DeliveryReason.CRM_UNAVAILABLE,
        words=error.message,
        now=now,
        status=error.status,
        floor_s=getattr(error, "retry_after_s", None),
        is_unknown=error.may_have_applied,
        # This try may have failed while it was still looking; and what answered at all may have done more than it says.
        must_look_first=delivery.must_look_first or error.status is not None,
    )
    return outcome, Next.OTHER_LANE


def _read_conflict(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    outcome = retry_outcome(
        delivery=delivery,
        reason=DeliveryReason.CONFLICT,
        words=error.message,
        now=now,
        status=error.status,
        must_look_first=delivery.must_look_first,
    )
    return outcome, Next.OTHER_LANE


def _read_held(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    """A person must authorise again; the claim passes over the delivery until then."""
    return _postpone(error, delivery, DeliveryReason.HELD, now), Next.OTHER_LANE


def _read_closed(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    """A record that takes no changes is no failure: the configuration says what becomes of it (product §6)."""
    return skipped_outcome(
        reason=DeliveryReason.RECORD_CLOSED, words=error.message, status=error.status
    ), Next.SAME_LANE


def _read_failure(error: CRMError, delivery: Delivery, now: datetime) -> Reading:
    reason = next(
        (reason for kind, reason in FAILURES.items() if isinstance(error, kind)), DeliveryReason.MISCONFIGURED
    )
    return failed_outcome(reason=reason, words=error.message, status=error.status), Next.SAME_LANE


def _postpone(error: CRMError, delivery: Delivery, reason: DeliveryReason, due_at: datetime) -> Outcome:
    return postponed_outcome(
        reason=reason,
        words=error.message,
        due_at=due_at,
        must_look_first=delivery.must_look_first,
        status=error.status,
    )


READERS: tuple[tuple[type[CRMError], Reader], ...] = (
    (TokenBusy, _read_token_trouble),
    (TokenUnavailable, _read_token_trouble),
    (RetryLater, _read_limit),
    (CRMUnavailable, _read_unavailable),
    (Conflict, _read_conflict),
    (GrantEnded, _read_held),
    (Reauthenticate, _read_held),
    (RecordClosed, _read_closed),
)
"""First match wins, so a subclass stands before its base."""
