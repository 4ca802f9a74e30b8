"""One worker's turn on one account: claim due lanes, push what waits on them, give the rest back with a time.

A turn is bounded by time, so that accounts take turns; it never waits for a limit. All its calls to one account run
over one connection per authentication.
"""

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError

from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMConnection
from crm_integrations.providers.errors import CRMError, GrantEnded, RetryLater
from crm_integrations.services.account_limits import pause_account
from crm_integrations.services.connections import open_connection
from crm_integrations.services.tokens import TokenBusy
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.models import Delivery
from memorialization.services.call_errors import Next
from memorialization.services.claims import (
    LaneHold,
    LeaseLost,
    claim_lanes,
    claim_suspect_lane,
    first_waiting,
    give_back_untouched,
    postpone_lane,
    release_lane,
    update_held_lane,
)
from memorialization.services.pushing import push_delivery
from memorialization.services.recovery import recover_lost_lanes

logger = logging.getLogger(__name__)

TURN_S = 3.0  # then other accounts have their turn; the rest is claimed again
LANES_PER_CLAIM = 20
UNREACHABLE_S = 15.0  # how long a lane rests when no connection could be opened and nobody said for how long


@dataclass
class Turn:
    """What one turn did. `has_more`: it ended for lack of time, not of work."""

    account_id: int
    clock: Clock
    ends_at: float  # monotonic
    deliveries: int = 0
    has_more: bool = False
    is_paused: bool = False
    _stack: ExitStack = field(default_factory=ExitStack)
    _connections: dict[int, CRMConnection] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether the others should have theirs."""
        return time.monotonic() >= self.ends_at

    def connection_of(self, authentication_id: int) -> CRMConnection:
        """The turn's connection with these tokens, opened at its first use; never waits for somebody's renewal."""
        if authentication_id not in self._connections:
            authentication = (
                Authentication.objects.select_related("account")
                .defer("access_token", "refresh_token")
                .get(pk=authentication_id)
            )
            opened = open_connection(authentication=authentication, patience_s=0, clock=self.clock)
            self._connections[authentication_id] = self._stack.enter_context(opened)
        return self._connections[authentication_id]

    def close(self) -> None:
        """Give the connections back."""
        self._stack.close()


def drain_account(*, account_id: int, clock: Clock = read_database_clock, turn_s: float = TURN_S) -> Turn:
    """Push what is due on the account for at most about `turn_s` seconds."""
    recover_lost_lanes(now=clock())
    turn = Turn(account_id, clock, time.monotonic() + turn_s)
    try:
        for holds in _claims(turn):
            visit_failpoint("after_claim")
            _push_lanes(turn, holds)
    finally:
        turn.close()
    return turn


def _claims(turn: Turn) -> Iterator[list[LaneHold]]:
    """Leased lanes, batch by batch, until nothing is due: a suspect lane, alone, then some others, and so on."""
    is_done = False
    while not is_done:
        is_done = True
        for claim in (_claim_suspect, _claim_clean):
            if turn.is_over or turn.is_paused:
                turn.has_more = not turn.is_paused
                return
            if holds := claim(turn):
                is_done = False
                yield holds


def _claim_suspect(turn: Turn) -> list[LaneHold]:
    return claim_suspect_lane(account_id=turn.account_id, now=turn.clock())


def _claim_clean(turn: Turn) -> list[LaneHold]:
    return claim_lanes(account_id=turn.account_id, limit=LANES_PER_CLAIM, now=turn.clock())


def _push_lanes(turn: Turn, holds: list[LaneHold]) -> None:
    """Push lane after lane; what the turn has no time for goes back untouched."""
    for position, hold in enumerate(holds):
        if turn.is_paused or (turn.is_over and position):
            give_back_untouched(holds=holds[position:])
            turn.has_more = not turn.is_paused
            return
        try:
            _push_lane(turn, hold)
        except LeaseLost:
            logger.info("Lane %s was taken back; its next holder looks before it writes.", hold.lane_id)
        except (OperationalError, InterfaceError):
            with suppress(DatabaseError):  # away for every lane, or only busy: then the others come back at once
                give_back_untouched(holds=holds[position + 1 :])
            raise
        except Exception as error:  # noqa: BLE001 - one record's surprise must not stop the others
            _abandon_lane(turn, hold, error)


def _push_lane(turn: Turn, hold: LaneHold) -> None:
    """Push the lane's due deliveries in order of precedence, then give it back."""
    while not turn.is_over or not turn.deliveries:
        delivery = first_waiting(lane_id=hold.lane_id)
        if delivery is None or (delivery.next_attempt_at or turn.clock()) > turn.clock():
            break
        connection = _connect(turn, hold, delivery)
        if connection is None:
            return
        following = push_delivery(hold=hold, delivery=delivery, connection=connection, clock=turn.clock)
        turn.deliveries += 1
        turn.is_paused |= following is Next.OTHER_ACCOUNT
        if following is not Next.SAME_LANE:
            break
    release_lane(hold=hold)


def _connect(turn: Turn, hold: LaneHold, delivery: Delivery) -> CRMConnection | None:
    """The connection for a delivery; without one the lane was given back, due when it is worth another look."""
    authentication_id = delivery.configuration.authentication_id
    assert authentication_id is not None, "the claim yields deliveries of authenticated configurations only"
    try:
        return turn.connection_of(authentication_id)
    except GrantEnded:
        release_lane(hold=hold)  # held now: the claim passes over its deliveries
    except CRMError as error:
        wait_s = getattr(error, "retry_after_s", None) or UNREACHABLE_S
        if isinstance(error, RetryLater) and not isinstance(error, TokenBusy):
            _pause(turn, error)
        postpone_lane(hold=hold, due_at=turn.clock() + timedelta(seconds=wait_s))
    return None


def _pause(turn: Turn, error: RetryLater) -> None:
    turn.is_paused = True
    pause_account(
        account_id=turn.account_id,
        retry_after_s=error.retry_after_s,
        limit_class=error.limit_class,
        reason=error.message,
        now=turn.clock(),
    )


def _abandon_lane(turn: Turn, hold: LaneHold, error: Exception) -> None:
    """Leave the lane as a dead worker would: it is recovered at once, and its delivery fails after a few times.

    The error's own words may quote customers' text, so only its kind and place are logged.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    logger.error("A delivery on lane %s raised %s at %s.", hold.lane_id, type(error).__name__, place)
    try:
        update_held_lane(hold=hold, lease_until=turn.clock())
    except LeaseLost:
        logger.info("Lane %s was taken back meanwhile.", hold.lane_id)
