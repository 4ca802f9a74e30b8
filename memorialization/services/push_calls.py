"""The calls of one push: the look before a write whose earlier outcome is unknown, the write, and the reading after it.

Each is preceded by a check that the lane is still ours and that its lease outlives the call.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import CRMRecord, WriteAnswer
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    Misconfigured,
    RecordClosed,
    RecordGone,
)
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.field_sheets import STANDING
from memorialization.deliveries.outcome_reasons import FieldReason
from memorialization.models.deliveries import FieldResult
from memorialization.services.claims import LaneHold, LeaseLost, call_bound_s, lease_length_s, renew_lease
from memorialization.services.members import deliveries_of


class Unverified(Exception):
    """The write was accepted, and the record could not be read after it."""

    def __init__(self, cause: CRMError) -> None:
        super().__init__()
        self.cause = cause


@dataclass
class Push:
    """A group on its way, with everything that a step needs."""

    hold: LaneHold
    group: Group
    connection: AuthenticatedConnection
    write_classes: Sequence[str]
    clock: Clock
    is_last: bool  # nothing else is to be tried on the lane now
    kept_back: Sequence[Member] = ()  # who may stand on the record, too: until they are looked at, it is only read
    comment_id: str = ""  # names the segment's note on this record, the same for every delivery of both
    is_looking: bool = False
    leased_at: float = 0.0  # monotonic

    @property
    def is_lease_short(self) -> bool:
        """Whether so much time went by that a call which starts now could outlive the lease."""
        return time.monotonic() - self.leased_at > lease_length_s() - call_bound_s()

    def checked(self) -> AuthenticatedConnection:
        """The connection, after the check that a call may start now. Raises LeaseLost."""
        return self.renewed() if self.is_lease_short else self.connection

    def renewed(self) -> AuthenticatedConnection:
        """The same for a further call of one try. Raises LeaseLost, also when this process stands still."""
        self.leased_at = time.monotonic()
        renew_lease(hold=self.hold, now=self.clock())
        if self.is_lease_short:
            raise LeaseLost
        return self.connection


def settle_by_siblings(push: Push) -> None:
    """A note stands once per segment and record: one that another delivery posted, or may have posted, counts."""
    delivery, sheet = push.group.deliveries[0], push.group.sheets[0]
    found = deliveries_of(lane_id=push.hold.lane_id, interaction_id=delivery.interaction_id)
    push.comment_id = str(min((other.pk for other in found), default=delivery.pk))
    for other in found:
        if other.pk == delivery.pk:
            continue
        notes = [entry for entry in other.fields if entry.get("type") == "comment"]
        if any(entry.get("result") in STANDING for entry in notes):
            sheet.settle_comment(FieldResult.UNCHANGED, FieldReason.COMMENT_POSTED_BEFORE)
        elif notes and other.attempt_count:
            push.is_looking = True


def look_first(push: Push) -> None:
    """Settle what the record holds already, since an earlier call may have been applied."""
    record = _get_record(push, push.checked())
    push.group.settle_what_stands(record)
    if push.group.pending_comment is not None:
        _look_for_comment(push)
    if record.is_closed and not push.group.is_settled:
        raise RecordClosed("The record is closed.")


def _look_for_comment(push: Push) -> None:
    """Settle the note: posted; or nobody can know, then it is never posted again by itself."""
    sheet = push.group.sheets[0]
    try:
        trace = push.renewed().find_comment(push.hold.entity_type, push.hold.record_id, delivery_id=push.comment_id)
        is_posted = trace.is_posted
    except (AccessDenied, RecordGone, Misconfigured):
        is_posted = None
    if is_posted:
        sheet.settle_comment(FieldResult.WRITTEN, FieldReason.ALREADY_THERE)
    elif is_posted is None:
        sheet.settle_comment(FieldResult.NOT_APPLIED, FieldReason.OUTCOME_UNKNOWN)


def write(push: Push) -> WriteAnswer:
    """The write, and the comparison of what was sent with what the record shows after it."""
    connection = push.renewed() if push.is_looking else push.checked()
    answer = connection.update_record(
        push.hold.entity_type,
        push.hold.record_id,
        push.group.values(),
        delivery_id=push.comment_id or str(push.group.deliveries[0].pk),
        types=push.group.types,
    )
    push.group.verify(answer.record or _read_back(push), is_comment_posted=answer.is_comment_posted)
    return answer


def _read_back(push: Push) -> CRMRecord:
    """The record after a write whose answer did not carry it."""
    try:
        return _get_record(push, push.renewed())
    except CRMError as error:
        raise Unverified(error) from error


def _get_record(push: Push, connection: AuthenticatedConnection) -> CRMRecord:
    record_id = push.hold.record_id
    found = connection.get_records(push.hold.entity_type, [record_id], types=push.group.types)
    if record_id not in found:
        raise RecordGone("The record was not found.")
    return found[record_id]
