"""One worker's turn on one account: its clock, its connections, what it did and when it is worth another look."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_integrations.database_clock import Clock
from crm_integrations.models import Authentication, CRMAccount
from crm_integrations.providers.errors import CRMError, GrantEnded
from crm_integrations.services.call_budgets import BudgetSpent
from crm_integrations.services.connections import AuthenticatedConnection, open_connection
from memorialization.services.claims import LaneHold, postpone_lane, release_lanes
from memorialization.services.work_tally import WorkTally

MOMENT_S = 0.25  # a window that is felt out opens within it, and a limit that is nearly over
MOST_WAITS = 10  # of a turn
pause: Callable[[float], None] = time.sleep
UNREACHABLE_S = 15.0  # how long a lane rests when no connection could be opened and nobody said for how long


@dataclass
class Turn:
    """What one turn did. `has_more`: it ended for lack of time, not of work."""

    account: CRMAccount
    clock: Clock
    ends_at: float  # monotonic
    call_others: Callable[[], None] | None = None  # when there is more to do than one thread should
    is_probe: bool = False  # the circuit lets one delivery through
    has_more: bool = False
    is_bulk_at_limit: bool = False  # a limit stopped the latest bulk write, and would stop the next
    opens_at: datetime | None = None  # when a limit that stopped this turn opens again
    looked_at: datetime | None = None  # when it last looked for what is due
    tally: WorkTally = field(default_factory=WorkTally)
    _stack: ExitStack = field(default_factory=ExitStack)
    _connections: dict[int, AuthenticatedConnection] = field(default_factory=dict)
    _latest: int | None = None
    _waits: int = 0

    @property
    def deliveries(self) -> int:
        """How many deliveries were tried or concluded."""
        return self.tally.tried

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return sum(connection.gate.calls for connection in self._connections.values())

    @contextmanager
    def counting_bulk_calls(self) -> Iterator[None]:
        """Count the calls of the block as those of bulk writes."""
        before = self.calls
        try:
            yield
        finally:
            self.tally.bulk_calls += self.calls - before

    @contextmanager
    def leaving(self, seconds: float) -> Iterator[None]:
        """End the block so much earlier than the turn, at half of it at the latest."""
        left, whole = self.ends_at - time.monotonic(), self.ends_at
        self.ends_at -= min(seconds, max(left, 0.0) / 2)
        try:
            yield
        finally:
            self.ends_at = whole

    @property
    def is_over(self) -> bool:
        """Whether the others should have theirs."""
        return time.monotonic() >= self.ends_at

    def connection_of(self, authentication_id: int) -> AuthenticatedConnection:
        """The turn's connection with these tokens, opened at its first use; never waits for somebody's renewal."""
        if self._latest not in (None, authentication_id):
            self.flush()  # what one connection has not noted yet would look to another like calls under way
        self._latest = authentication_id
        if authentication_id not in self._connections:
            authentication = (
                Authentication.objects.select_related("account")
                .defer("access_token", "refresh_token")
                .get(pk=authentication_id)
            )
            opened = open_connection(
                authentication=authentication, patience_s=0, clock=self.clock, is_interactive=False
            )
            self._connections[authentication_id] = self._stack.enter_context(opened)
        return self._connections[authentication_id]

    def connect(self, holds: Sequence[LaneHold], authentication_id: int) -> AuthenticatedConnection | None:
        """The connection for these lanes; without one they were given back, due when it is worth another look."""
        try:
            return self.connection_of(authentication_id)
        except GrantEnded:
            release_lanes(holds=holds)  # held now: the claim passes over their deliveries
        except CRMError as error:
            wait_s = getattr(error, "retry_after_s", None) or UNREACHABLE_S
            for hold in holds:
                postpone_lane(hold=hold, due_at=self.clock() + timedelta(seconds=wait_s))
        return None

    def rest(self, error: BudgetSpent) -> None:
        """A limit is used up: nothing was begun, and the account is looked at again when it opens."""
        opens_at = self.clock() + timedelta(seconds=error.retry_after_s)
        self.opens_at = min(self.opens_at or opens_at, opens_at)

    def await_opening(self) -> bool:
        """Wait for a limit that opens in a moment; whether it does. For a later one the timer comes back."""
        if self.opens_at is None or self.is_over or self._waits >= MOST_WAITS:
            return False
        wait_s = (self.opens_at - self.clock()).total_seconds()
        if wait_s > MOMENT_S:
            return False
        self._waits += 1
        pause(max(wait_s, 0.0))
        return True

    def ask_for_help(self) -> None:
        """Call the others, once a turn; a probe is a matter for one.

        Only who has claimed something may: lanes whose deliveries are held look due and nobody can claim them, and
        turns that find nothing would call each other for ever.
        """
        call, self.call_others = self.call_others, None
        if call is not None and not self.is_probe:
            call()

    def flush(self) -> None:
        """Note all answers, so that the budgets are seen as they are."""
        for connection in self._connections.values():
            connection.gate.flush()

    def close(self) -> None:
        """Give the connections back; their gates note what they have not noted yet."""
        self.tally.calls = self.calls
        self._stack.close()
