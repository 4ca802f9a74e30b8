"""Pushes lanes one after the other, each write a call of its own: the way of few, of notes and of what went wrong."""

import logging
from collections.abc import Sequence
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, OperationalError

from crm_integrations.services.call_budgets import BudgetSpent
from memorialization.deliveries.coalescing import Group, choose_next
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.models import RecordLane
from memorialization.services.account_turn import Turn
from memorialization.services.call_errors import Next
from memorialization.services.claims import (
    LaneHold,
    LeaseLost,
    give_back_untouched,
    release_lanes,
)
from memorialization.services.due_work import WorkFinder
from memorialization.services.lane_looks import LaneLooks
from memorialization.services.pushing import push_group
from memorialization.services.rework_marks import begin_reworks
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)


def push_lanes(turn: Turn, finder: WorkFinder, holds: list[LaneHold]) -> bool:
    """Push lane after lane by calls of their own; what the turn has no time or budget for goes back untouched.

    Answers whether there was anything that the limits let through.
    """
    if holds:
        visit_failpoint("after_claim")
    looks = LaneLooks(holds)
    for position, hold in enumerate(holds):
        if turn.is_over and position:
            give_back_untouched(holds=holds[position:])
            turn.has_more = True
            break
        try:
            _push_lane(turn, finder, hold, looks)
        except BudgetSpent as error:
            turn.rest(error)
            give_back_untouched(holds=holds[position:])
            return position > 0
        except LeaseLost:
            logger.info("Lane %s was taken back; its next holder looks before it writes.", hold.lane_id)
        except (OperationalError, InterfaceError):
            with suppress(DatabaseError):  # away for every lane, or only busy: then the others come back at once
                give_back_untouched(holds=holds[position + 1 :])
            raise
        except Exception as error:  # noqa: BLE001 - one record's surprise must not stop the others
            abandon_lanes(turn, [hold], error)
    return bool(holds)


def _push_lane(turn: Turn, finder: WorkFinder, hold: LaneHold, looks: LaneLooks) -> None:
    """Push the lane's due deliveries in order of precedence; the last of them gives it back with its outcome."""
    while True:
        waiting, marks = looks.take(hold.lane_id)
        if not waiting or (waiting[0].delivery.next_attempt_at or turn.clock()) > turn.clock():
            break
        chosen = choose_next(waiting, is_suspect=hold.lost_leases > 0)  # what kills takes no other along
        group = Group(chosen.members)
        connection = turn.connect([hold], chosen.members[0].authentication_id)
        if connection is None:
            return
        following = push_group(
            hold=hold,
            group=group,
            marks=marks,
            connection=connection,
            write_classes=finder.classes(hold.entity_type, is_bulk=False),
            clock=turn.clock,
            is_last=turn.is_over or len(chosen.members) == len(waiting),
            kept_back=chosen.kept_back,
        )
        turn.tally.add_pushed(deliveries=len(group.members), is_written=group.is_settled)
        turn.has_more |= begin_reworks(deliveries=group.deliveries, now=turn.clock())
        if following is not Next.SAME_LANE:
            return
    release_lanes(holds=[hold])


def abandon_lanes(turn: Turn, holds: Sequence[LaneHold], error: Exception) -> None:
    """Leave lanes as a dead worker would: they are recovered at once, and each is looked at alone then.

    The error's own words may quote customers' text, so only its kind and place are logged.
    """
    lane_ids = [hold.lane_id for hold in holds]
    logger.error("Pushing to lanes %s raised %s.", lane_ids[:10], describe_error(error))
    RecordLane.objects.filter(pk__in=lane_ids, lease__in={hold.lease for hold in holds}).update(
        lease_until=turn.clock()
    )
