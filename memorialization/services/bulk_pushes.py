"""Pushes many lanes by one bulk write; what cannot share one goes the way of single pushes."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError

from crm_integrations.providers.base import FieldType
from crm_integrations.services.call_budgets import BudgetSpent
from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.services.account_turn import Turn
from memorialization.services.bulk_writing import BulkLane, BulkSpec, NoSlot, send_bulk_write
from memorialization.services.claims import (
    LaneHold,
    LeaseLost,
    give_back_untouched,
    may_share,
    release_lanes,
    send_alone,
)
from memorialization.services.due_work import WorkFinder
from memorialization.services.marks import read_marks
from memorialization.services.members import waiting_on_lanes
from memorialization.services.outcomes import conclude_groups_without_call
from memorialization.services.single_pushes import abandon_lanes, push_lanes

logger = logging.getLogger(__name__)


def push_in_bulk(turn: Turn, finder: WorkFinder, holds: Sequence[LaneHold], *, fewest: int) -> bool:
    """Hand the lanes to the CRM in one bulk write per authentication; those that cannot share one go singly.

    So do fewer than `fewest`. An unexpected error costs no bulk write that was begun, and sends the other lanes the
    single way. Answers that there was something to do: lanes that met a limit are not claimed the same way again.
    """
    visit_failpoint("after_claim")
    try:
        apart = _push(turn, finder, holds, fewest)
    except (OperationalError, InterfaceError):
        with suppress(DatabaseError):
            give_back_untouched(holds=holds)
        raise
    except Exception as error:  # noqa: BLE001 - one record's surprise must not stop the others
        abandon_lanes(turn, holds, error)
        return True
    push_lanes(turn, finder, apart)  # a call may be under way when that fails, so it gives back what it must by itself
    return True


def _push(turn: Turn, finder: WorkFinder, holds: Sequence[LaneHold], fewest: int) -> list[LaneHold]:
    """All but the calls for single lanes; answers the lanes that need those, still leased."""
    waiting = waiting_on_lanes(lane_ids=[hold.lane_id for hold in holds])
    marks = read_marks(lane_ids=list(waiting))
    together: dict[int, list[BulkLane]] = {}
    apart, settled = [], []
    now = turn.clock()
    for hold in holds:
        members = waiting[hold.lane_id]
        if not _may_share(members, now):
            apart.append(hold)
            continue
        group = Group(members)
        group.supersede(marks[hold.lane_id])
        if group.is_settled:
            settled.append((hold, group))
        else:
            together.setdefault(members[0].authentication_id, []).append(BulkLane(hold, group))
    _conclude_settled(turn, settled)
    for authentication_id, lanes in together.items():
        apart += _send_together(turn, finder, authentication_id, lanes, fewest)
    if apart:
        send_alone(holds=apart)  # or, while no limit lets them through, every claim for bulk writes would meet them
    return apart


def _may_share(members: Sequence[Member], now: datetime) -> bool:
    """Whether all that waits on a lane goes now, in bulk with others'; where the first waits for its next try, none."""
    return bool(members) and (members[0].delivery.next_attempt_at or now) <= now and may_share(members)


def _conclude_settled(turn: Turn, settled: Sequence[tuple[LaneHold, Group]]) -> None:
    """Store groups of which nothing is to be sent, and free their lanes."""
    if not settled:
        return
    try:
        conclude_groups_without_call(settled=settled, now=turn.clock())
    except LeaseLost:
        logger.info("A lane was taken back; its next holder looks before it writes.")
        give_back_untouched(holds=[hold for hold, _group in settled])
        return
    release_lanes(holds=[hold for hold, _group in settled])


def _send_together(
    turn: Turn, finder: WorkFinder, authentication_id: int, lanes: Sequence[BulkLane], fewest: int
) -> list[LaneHold]:
    """One bulk write; answers the lanes that the CRM does not take in bulk, still leased."""
    holds = [lane.hold for lane in lanes]
    entity_type = holds[0].entity_type
    connection = turn.connect(holds, authentication_id)
    if connection is None:
        return []
    limits: dict[frozenset[FieldType], int] = {}
    fit: list[BulkLane] = []
    unfit: list[BulkLane] = []
    for lane in lanes:
        types = frozenset(lane.group.types.values())
        if types not in limits:
            limits[types] = connection.bulk_limit(entity_type, types)
        (fit if limits[types] else unfit).append(lane)
    if len(fit) < fewest:
        return holds
    most = min(limits[types] for types in limits if limits[types])
    give_back_untouched(holds=[lane.hold for lane in fit[most:]])
    fit = fit[:most]
    spec = BulkSpec(
        turn.account.pk, authentication_id, entity_type, finder.slots, finder.classes(entity_type, is_bulk=True)
    )
    try:
        with turn.counting_bulk_calls():
            is_taken = send_bulk_write(spec=spec, lanes=fit, connection=connection, clock=turn.clock)
    except BudgetSpent as error:
        turn.rest(error)
        turn.is_bulk_at_limit = True
        give_back_untouched(holds=[lane.hold for lane in fit])
    except (NoSlot, LeaseLost):
        give_back_untouched(holds=[lane.hold for lane in fit])
    else:
        if not is_taken:
            finder.note_in_flight(turn.clock())  # it takes no place of the CRM's
        turn.tally.add_sent(deliveries=sum(len(lane.group.members) for lane in fit))
    return [lane.hold for lane in unfit]
