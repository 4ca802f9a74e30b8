"""The sweep: finds what nobody told a worker about. It runs by beat and by every worker's own timer.

Lost hints, a wiped broker, a dead beat or a dead worker cost one period and nothing else. Sweeps at once are harmless.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError

from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.services.call_budgets import forget_past_blocks
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.draining import drain_account
from memorialization.services.event_folding import fold_all_events
from memorialization.services.heartbeats import forget_lost_workers, last_heartbeat, note_heartbeat
from memorialization.services.hints import send_hint
from memorialization.services.housekeeping import move_log, tidy_up
from memorialization.services.planning import plan_due_interactions
from memorialization.services.recovery import heal_lanes, recover_lost_lanes
from memorialization.services.replay_runs import continue_replay_runs
from memorialization.services.rework_marks import find_lost_reworks
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

PLANNED_PER_ROUND = 500
FOLDING_S = 2.0  # of a round, at the most; accounts fold their own in their turns
KEEP_BLOCKS = timedelta(seconds=60)  # readiness asks what held an account up within the last minute
HEAL_EVERY_S = 600  # reads all waiting deliveries, and should find nothing
LATE_PERIODS = 3  # due for so many periods: hints are not answered, so the sweep pushes by itself


@dataclass(frozen=True, slots=True)
class FoundWork:
    """What nobody had looked at: lanes taken back or healed, events folded, interactions planned."""

    recovered: int
    folded: int
    planned: int


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What one round did: what it found, and accounts woken or pushed by itself."""

    found: FoundWork
    woken: int
    pushed: int


def sweep_once(*, clock: Clock = read_database_clock, push: Callable[[int], None] | None = None) -> SweepReport:
    """One round of everything. `push` is for accounts whose hints go nowhere; without it they are pushed here."""
    now = clock()
    found = find_work(clock=clock)
    continue_replay_runs(now=now, clock=clock)
    # What was folded and planned just now is due since then, and would else wait for the next round.
    woken, pushed = _wake_accounts(clock(), push or (lambda account_id: _drain_here(account_id, clock)))
    note_heartbeat(name="sweep", now=now)
    return SweepReport(found, woken, pushed)


def find_work(*, clock: Clock = read_database_clock) -> FoundWork:
    """Make everything due that is to be; nobody is told of it."""
    now = clock()
    move_log()
    recovered = recover_lost_lanes(now=now)
    forget_past_blocks(now=now - KEEP_BLOCKS)
    if _is_time_to(name="heal", every_s=HEAL_EVERY_S, now=now):
        recovered += heal_lanes(now=now)
        forget_lost_workers(now=now)
        tidy_up(now=now)
        note_heartbeat(name="heal", now=now)
    folded = fold_all_events(clock=clock, most_s=FOLDING_S)
    planned = plan_due_interactions(now=now, limit=PLANNED_PER_ROUND)
    find_lost_reworks(now=now)
    return FoundWork(recovered, folded, planned)


def _is_time_to(*, name: str, every_s: float, now: datetime) -> bool:
    last = last_heartbeat(name=name)
    return last is None or last + timedelta(seconds=every_s) <= now


def _wake_accounts(now: datetime, push: Callable[[int], None]) -> tuple[int, int]:
    """Hint at every account with work; push where hints cannot be sent or are not answered."""
    late = set(accounts_with_due_lanes(now=now - timedelta(seconds=LATE_PERIODS * settings.SWEEP_EVERY_S)))
    woken = pushed = 0
    for account_id in accounts_with_due_lanes(now=now):
        if send_hint(account_id=account_id) and account_id not in late:
            woken += 1
        else:
            _push_safely(account_id, push)
            pushed += 1
    return woken, pushed


def _push_safely(account_id: int, push: Callable[[int], None]) -> None:
    """An account that cannot be pushed, say of a CRM that was taken out of the settings, must not keep back others."""
    try:
        push(account_id)
    except (OperationalError, InterfaceError):  # of the database: away for every account
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this account's alone
        logger.error("Account %s could not be pushed: %s.", account_id, describe_error(error))


def _drain_here(account_id: int, clock: Clock) -> None:
    drain_account(account_id=account_id, clock=clock)
