"""Leases on record lanes: who may write to a record now. A lane is claimed whole, with all that waits for it.

A lease carries a fencing token: whatever its holder stores later is refused once the lane was taken back from it.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Authentication, Configuration, CRMAccount
from crm_integrations.row_sql import (
    among,
    as_time,
    as_uuid,
    change_rows,
    places_for,
    read_values,
    soft_row_lock,
    table_of,
)
from crm_integrations.row_updates import update_rows
from crm_integrations.services.connections import CALLS_PER_ACT
from memorialization.deliveries.claim_sql import ANY_SUSPECT, OF_TYPE, SUSPECT, Which, is_any_due, run_claim
from memorialization.deliveries.coalescing import Member, travels_alone
from memorialization.models import BulkWrite, Interaction, RecordLane
from memorialization.services.members import WaitingCount, count_waiting, waiting_on_lanes

HELD_LOOK_S = 60  # a lane with held deliveries is looked at this soon, however long another one's back-off is
FREE: dict[str, Any] = {"lease": None, "lease_until": None, "bulk_write_id": None}
NOT_DUE: dict[str, Any] = {"next_due_at": None, "goes_alone": False}
NOT_SUSPECT: dict[str, Any] = {"lost_leases": 0, "suspect_to": None}
POSTPONE = f"""
UPDATE {table_of(RecordLane)} SET lease = NULL, lease_until = NULL,
  next_due_at = CASE WHEN next_due_at IS NOT NULL THEN %s END
WHERE id = %s AND lease = %s AND fence = %s
"""  # noqa: S608 - our own words only
DueColumns = tuple[datetime | None, bool]
SLACK_S = 5  # at least this much of a lease is left over when the longest call ends


class LeaseLost(Exception):
    """The lane belongs to somebody else now; nothing may be stored for it any more."""


@dataclass(frozen=True, slots=True)
class LaneHold:
    """A leased lane, as its holder knows it."""

    lane_id: int
    account_id: int
    entity_type: str
    record_id: str
    lease: uuid.UUID
    fence: int
    lost_leases: int
    suspect_to: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """A lane is to go back: due when its first waiting delivery is, and closed until `not_before`."""

    not_before: datetime | None = None


def call_bound_s() -> float:
    """The longest that one act on a connection can take: its calls, each up to its total time-out."""
    return CALLS_PER_ACT * settings.CALL_TIMEOUT_S


def lease_length_s() -> float:
    """LEASE_S, or more when calls may take longer than that: no call may outlive its lease."""
    return max(settings.LEASE_S, call_bound_s() + SLACK_S)


def claim_lanes(*, account_id: int, entity_type: str, goes_alone: bool, limit: int, now: datetime) -> list[LaneHold]:
    """Lease due lanes of one account and record type, the longest due first; none that cost a worker its life."""
    return _claim(account_id, limit, now, OF_TYPE, entity_type=entity_type, goes_alone=goes_alone)


def has_suspect_lanes(*, account_id: int) -> bool:
    """Whether the account has lanes whose last holder never came back."""
    return bool(read_values(ANY_SUSPECT, [account_id]))


def claim_suspect_lane(*, account_id: int, entity_type: str, now: datetime) -> list[LaneHold]:
    """Lease one such lane that is due: alone, so that it takes no other lane with it."""
    return _claim(account_id, 1, now, SUSPECT, entity_type=entity_type)


def _claim(account_id: int, limit: int, now: datetime, which: Which, **chosen: Any) -> list[LaneHold]:
    lease = uuid.uuid4()
    until = now + timedelta(seconds=lease_length_s())
    rows = run_claim(account_id=account_id, limit=limit, lease=lease, until=until, now=now, which=which, **chosen)
    holds = [LaneHold(row[0], row[1], row[2], row[3], lease, *row[4:]) for row in rows]
    return sorted(holds, key=lambda hold: hold.lane_id)


def renew_lease(*, hold: LaneHold, now: datetime) -> None:
    """Make the lease outlive one more act; this is the check that it is still ours. Raises LeaseLost."""
    update_held_lane(hold=hold, lease_until=now + timedelta(seconds=lease_length_s()))


def update_held_lane(*, hold: LaneHold, **columns: object) -> None:
    """Change the lane as its holder. Raises LeaseLost; inside a transaction that undoes the rest of it."""
    rows, fence = {hold.lane_id: tuple(columns.values())}, (as_uuid(hold.lease), hold.fence)
    if not update_rows(RecordLane, rows, tuple(columns), guard="lease = %s AND fence = %s", guarded_by=fence):
        raise LeaseLost


@contextmanager
def concluding_lane(
    *, hold: LaneHold, now: datetime, leave: Leave | None, closed_until: datetime | None = None
) -> Iterator[None]:
    """One transaction behind the fence for what the block stores; with `leave` the lane goes back in it.

    The fence is asked by the statement that keeps or frees the lane. Raises LeaseLost. Until `closed_until` and the
    time of `leave` the record is left alone, whatever is planned for it meanwhile.
    """
    columns = (
        {"lease_until": now + timedelta(seconds=lease_length_s())} if leave is None else FREE | NOT_DUE | NOT_SUSPECT
    )
    ends = (closed_until, leave.not_before if leave else None)
    until = max((end for end in ends if end), default=None)
    if until is not None:
        columns["closed_until"] = until
    with transaction.atomic():
        update_held_lane(hold=hold, **columns)
        yield
        if leave is not None:
            _make_due_again(hold, until)


def release_lanes(*, holds: Sequence[LaneHold]) -> None:
    """Give lanes back, each due when its first waiting delivery is; no-op for one that was taken from us."""
    with transaction.atomic(savepoint=False):
        free_lanes(lane_ids=lock_held_lanes(holds=holds), holds=holds)


def postpone_lane(*, hold: LaneHold, due_at: datetime) -> None:
    """Give the lane back, not to be looked at before `due_at`; its deliveries stay as they are.

    Whoever skipped all of them meanwhile has taken its time away: it stays due never.
    """
    change_rows(POSTPONE, [as_time(due_at), hold.lane_id, as_uuid(hold.lease), hold.fence])


def give_back_untouched(*, holds: Sequence[LaneHold]) -> None:
    """Give back lanes that were claimed and not looked at."""
    _change_held_lanes(holds, lease=None, lease_until=None)


def send_alone(*, holds: Sequence[LaneHold]) -> None:
    """Have lanes claimed for calls of their own until they are released: what waits there cannot share a bulk write."""
    _change_held_lanes(holds, goes_alone=True)


def lock_held_lanes(*, holds: Sequence[LaneHold]) -> list[int]:
    """Lock those of these lanes that are still held and answer their ids."""
    leases = {as_uuid(hold.lease) for hold in holds}
    if not leases:
        return []
    condition, ids = among([hold.lane_id for hold in holds])
    return lock_lanes(f"id {condition} AND lease IN ({places_for(list(leases))})", [*ids, *leases])


def lock_lanes(condition: str, parameters: Sequence[Any]) -> list[int]:
    """Lock lanes and answer their ids, in the order of these like everybody: a change of many takes them in any."""
    statement = f"SELECT id FROM {table_of(RecordLane)} WHERE {condition} ORDER BY id{soft_row_lock()}"  # noqa: S608
    return [lane_id for (lane_id,) in read_values(statement, parameters)]


@transaction.atomic
def _change_held_lanes(holds: Sequence[LaneHold], **columns: object) -> None:
    if lane_ids := lock_held_lanes(holds=holds):
        RecordLane.objects.filter(pk__in=lane_ids).update(**columns)


def free_lanes(*, lane_ids: Sequence[int], holds: Sequence[LaneHold] = ()) -> None:
    """Give lanes back that nobody works on any more; the caller has locked them in this very transaction.

    `holds`: as they were claimed. Lanes without any are not suspect, as those that go in bulk.
    """
    waiting, due = _read_due(lane_ids)
    claimed = {hold.lane_id: hold for hold in holds}
    free = tuple(FREE.values())
    rows = {
        lane_id: (*columns, *free, *_suspicion(claimed.get(lane_id), waiting.get(lane_id)))
        for lane_id, columns in due.items()
    }
    update_rows(RecordLane, rows, (*NOT_DUE, *FREE, *NOT_SUSPECT))


def set_next_due(*, lane_id: int) -> None:
    """Write down when the lane's first waiting delivery may be tried, and whether it goes alone.

    The caller has changed or locked the lane's row in this very transaction. That holds it against planners
    (make_lanes_due writes it too), so what they add is either seen here or makes the lane due after us.
    """
    _waiting, due = _read_due([lane_id])
    update_rows(RecordLane, due, tuple(NOT_DUE))


def _make_due_again(hold: LaneHold, not_before: datetime | None) -> None:
    """Have a lane that was left looked at when its first waiting delivery is due, if any waits."""
    waiting, due = _read_due([hold.lane_id])
    due_at, goes_alone = due[hold.lane_id]
    if due_at is None:
        return
    row = (max(due_at, not_before or due_at), goes_alone, *_suspicion(hold, waiting[hold.lane_id]))
    update_rows(RecordLane, {hold.lane_id: row}, (*NOT_DUE, *NOT_SUSPECT))


def _read_due(lane_ids: Sequence[int]) -> tuple[dict[int, WaitingCount], dict[int, DueColumns]]:
    """What waits on lanes, and NOT_DUE's columns for each: by a few statements however many there are."""
    waiting = count_waiting(lane_ids=lane_ids)
    unheld = waiting_on_lanes(lane_ids=list(waiting))
    due: dict[int, DueColumns] = {
        lane_id: _due_columns(unheld[lane_id], waiting[lane_id]) if lane_id in waiting else (None, False)
        for lane_id in lane_ids
    }
    return waiting, due


def _suspicion(hold: LaneHold | None, waiting: WaitingCount | None) -> tuple[int, int | None]:
    """NOT_SUSPECT's columns for a lane that goes back.

    It stays suspect as long as anything waits, held or not, that waited when it first went back after a loss: what
    killed may be among it. What comes later does not count, or a busy record would go one by one for ever. Its holder
    came back, so that losses in a row begin anew.
    """
    if hold is None or not hold.lost_leases or waiting is None:
        return 0, None
    suspect_to = waiting.highest_id if hold.suspect_to is None else hold.suspect_to
    return (1, suspect_to) if waiting.lowest_id <= suspect_to else (0, None)


def _due_columns(unheld: Sequence[Member], waiting: WaitingCount) -> DueColumns:
    """When a lane is due on which so much waits, and whether it goes alone."""
    due_at = unheld[0].delivery.next_attempt_at if unheld else None
    if due_at is None:  # only held ones: they stay due, and the claim does not look at them
        return waiting.first_due_at, False
    if waiting.total > len(unheld):
        due_at = min(due_at, read_database_clock() + timedelta(seconds=HELD_LOOK_S))
    return due_at, not may_share(unheld)


def may_share(members: Sequence[Member]) -> bool:
    """Whether all that waits on a lane can go in one bulk write with others'."""
    return not any(
        travels_alone(each.delivery)
        or each.delivery.must_look_first
        or each.authentication_id != members[0].authentication_id
        for each in members
    )


def accounts_with_due_lanes(*, now: datetime) -> list[int]:
    """Accounts with work whose time has come. Whether it may be done is not asked.

    Deliveries of wholly held accounts are passed over; what became of a bulk write is asked whatever was deactivated.
    """
    usable = Configuration.objects.filter(
        state=Configuration.State.ACTIVE,
        authentication__state=Authentication.State.ACTIVE,
        authentication__account=OuterRef("pk"),
    )
    of_account = RecordLane.objects.filter(account=OuterRef("pk"), lease__isnull=True)
    first_due = Subquery(of_account.filter(next_due_at__lte=now).order_by("next_due_at").values("next_due_at")[:1])
    asked_about = BulkWrite.objects.filter(account=OuterRef("pk"), poll_at__lte=now)
    concluded = BulkWrite.State.CONCLUDED
    polls, late_looks = asked_about.exclude(state=concluded), asked_about.filter(state=concluded)
    matches = Interaction.objects.filter(
        match_due_at__lte=now,
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__account=OuterRef("pk"),
    )
    may_be = CRMAccount.objects.annotate(
        is_asked_for=Exists(polls) | Exists(late_looks) | Exists(matches), first_due=first_due
    )
    found = may_be.filter(Q(is_asked_for=True) | (Q(first_due__isnull=False) & Exists(usable))).order_by("pk")
    return [
        account_id
        for account_id, is_asked_for in found.values_list("pk", "is_asked_for")
        if is_asked_for or is_any_due(account_id=account_id, now=now)
    ]
