"""Hands the writes of many records to the CRM in one call, committed before it with all its members (semantics §6.23).

From that commit on the bulk write owns the lanes of its records; services.bulk_polling finds out what became of it,
whatever happens to this process.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import BulkProgress, CRMValue
from crm_integrations.providers.errors import AccessDenied, CRMError, Misconfigured, RetryLater
from crm_integrations.row_inserts import insert_rows, insert_values
from crm_integrations.row_sql import read_rows, read_values
from crm_integrations.row_updates import update_rows
from crm_integrations.services.account_rows import lock_account
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.bulk_pace import LONGEST_S, expected_duration_s
from memorialization.deliveries.coalescing import Group, merge_types
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.models import Attempt, BulkWrite, Delivery, RecordLane
from memorialization.models.bulk_writes import UNCONCLUDED
from memorialization.services.access_checks import find_cause
from memorialization.services.bulk_results import conclude_refused, release_poll, store_progress
from memorialization.services.claims import LaneHold, LeaseLost, call_bound_s, lease_length_s, lock_held_lanes
from memorialization.services.outcomes import describe_request, link_members

State = BulkWrite.State
Updates = Mapping[str, Mapping[str, CRMValue]]  # by record, in the order of the lanes
ATTEMPT_COLUMNS = ("lane_id", "bulk_write_id", "fence", "started_at", "request")
# Those that are not concluded, by the index of these: the concluded ones are kept, and become many.
OPEN = f"FROM {BulkWrite._meta.db_table} WHERE account_id = %s AND {UNCONCLUDED} AND poll_at IS NOT NULL"
LATEST_SEEN = "account_id = %s AND entity_type = %s AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1"
STOOD_STILL = "The worker stood still before its call."


class NoSlot(Exception):
    """As many bulk writes are on their way as the account takes at a time."""


@dataclass(frozen=True, slots=True)
class BulkLane:
    """A leased lane with the group that shares its write."""

    hold: LaneHold
    group: Group


@dataclass(frozen=True, slots=True)
class BulkSpec:
    """What the bulk writes of one kind have in common. `slots`: how many the account takes at a time."""

    account_id: int
    authentication_id: int
    entity_type: str
    slots: int
    write_classes: Sequence[str]


def send_bulk_write(
    *, spec: BulkSpec, lanes: Sequence[BulkLane], connection: AuthenticatedConnection, clock: Clock
) -> bool:
    """Commit the bulk write, make the call and store its handle; False when the CRM surely did not take it.

    Raises BudgetSpent or NoSlot before anything was begun, LeaseLost when a lane was taken or a member changed
    meanwhile: then nothing was begun either, and the lanes are still leased to their claim.
    """
    connection.gate.reserve(spec.write_classes)
    began = time.monotonic()
    updates = {lane.hold.record_id: lane.group.values() for lane in lanes}
    bulk = _prepare(spec, lanes, updates, clock())
    visit_failpoint("before_bulk_call")
    types = merge_types(lane.group.types for lane in lanes)
    if time.monotonic() - began > lease_length_s() - call_bound_s():  # we stood still: the call could outlive the lease
        conclude_refused(bulk=bulk, error=RetryLater(STOOD_STILL, retry_after_s=1.0), now=clock())
        return False
    try:
        progress = connection.update_records(spec.entity_type, updates, types=types)
    except CRMError as error:
        return _handle_error(bulk, error, connection, clock)
    visit_failpoint("after_bulk_call")
    _store_handle(bulk, progress, clock())
    visit_failpoint("bulk_waiting")
    return True


def count_on_their_way(*, account_id: int, entity_type: str = "") -> int:
    """Bulk writes that the CRM may have under way, of all record types or of one."""
    of_type = " AND entity_type = %s" if entity_type else ""
    parameters = [account_id, *([entity_type] if entity_type else [])]
    [(count,)] = read_values(f"SELECT COUNT(*) {OPEN} AND state <> 'finished'{of_type}", parameters)
    return int(count)


def count_records_underway(*, account_id: int, entity_type: str) -> int:
    """Records of bulk writes that are not concluded."""
    statement = f"SELECT COALESCE(SUM(size), 0) {OPEN} AND entity_type = %s"
    [(count,)] = read_values(statement, [account_id, entity_type])
    return int(count)


@transaction.atomic
def _prepare(spec: BulkSpec, lanes: Sequence[BulkLane], updates: Updates, now: datetime) -> BulkWrite:
    """Everything that the call is about, in one commit."""
    # Whoever else wants a slot waits; a planner that makes a lane, and so refers to the account, does not.
    lock_account(account_id=spec.account_id)
    if count_on_their_way(account_id=spec.account_id) >= spec.slots:
        raise NoSlot
    until = now + timedelta(seconds=lease_length_s())
    bulk = BulkWrite(
        account_id=spec.account_id,
        authentication_id=spec.authentication_id,
        entity_type=spec.entity_type,
        size=len(lanes),
        deliveries=sum(len(lane.group.members) for lane in lanes),
        lease=uuid.uuid4(),
        created_at=now,
        progressed_at=now,
        poll_at=until,  # in case this process does not come back from the call
        poll_lease=uuid.uuid4(),
        poll_lease_until=until,
    )
    insert_rows([bulk])
    _take_lanes(bulk, lanes)
    _store_attempts(bulk, lanes, updates, now)
    return bulk


def _take_lanes(bulk: BulkWrite, lanes: Sequence[BulkLane]) -> None:
    lane_ids = lock_held_lanes(holds=[lane.hold for lane in lanes])
    if len(lane_ids) != len(lanes):
        raise LeaseLost
    update_rows(RecordLane, dict.fromkeys(lane_ids, (bulk.pk, bulk.lease)), ("bulk_write_id", "lease"))
    sending = {delivery.pk: (Delivery.State.SENDING.value,) for lane in lanes for delivery in lane.group.deliveries}
    if update_rows(Delivery, sending, ("state",), guard="state = 'waiting'") != len(sending):
        raise LeaseLost


def _store_attempts(bulk: BulkWrite, lanes: Sequence[BulkLane], updates: Updates, now: datetime) -> None:
    requests = [
        describe_request(bulk.entity_type, record_id, values, is_looking=False) for record_id, values in updates.items()
    ]
    attempts = [
        (lane.hold.lane_id, bulk.pk, lane.hold.fence, now, request)
        for lane, request in zip(lanes, requests, strict=True)
    ]
    made = dict(insert_values(Attempt, ATTEMPT_COLUMNS, attempts, returning=("lane_id", "id")))
    link_members({made[lane.hold.lane_id]: lane.group for lane in lanes})


def _store_handle(bulk: BulkWrite, progress: BulkProgress, now: datetime) -> None:
    """From now on whoever polls owns it; also when this process was so slow that somebody began to look for it."""
    size = seen_s = None
    for seen in read_rows(BulkWrite, LATEST_SEEN, [bulk.account_id, bulk.entity_type]):
        size, seen_s = seen.size, ((seen.finished_at or now) - seen.created_at).total_seconds()
    wait_s = min(expected_duration_s(size=bulk.size, seen_size=size, seen_s=seen_s), LONGEST_S)
    store_progress(bulk=bulk, progress=progress, poll_at=now + timedelta(seconds=wait_s), now=now)
    release_poll(bulk=bulk)


def _handle_error(bulk: BulkWrite, error: CRMError, connection: AuthenticatedConnection, clock: Clock) -> bool:
    """Refused as a whole: the members wait again or go on alone. An unknown outcome (True) is looked for later."""
    if error.may_have_applied:
        settled_at = clock() + timedelta(seconds=settings.SETTLE_S)
        BulkWrite.objects.filter(pk=bulk.pk, state=State.PREPARED, poll_lease=bulk.poll_lease).update(
            state=State.SEARCHING, poll_at=settled_at, poll_lease=None, poll_lease_until=None
        )
        return True
    if isinstance(error, AccessDenied | Misconfigured):
        error = find_cause(connection, bulk.entity_type, error)
    conclude_refused(bulk=bulk, error=error, now=clock())
    return False
