"""The sweep: finds what nobody told a worker about. It runs by beat and by every worker's own timer.

Lost hints, a wiped broker, a dead beat or a dead worker cost one period and nothing else. Sweeps at once are harmless.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.services.account_limits import forget_past_pauses
from memorialization.models import Heartbeat
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.draining import drain_account
from memorialization.services.hints import send_hint
from memorialization.services.planning import plan_due_interactions
from memorialization.services.recovery import heal_lanes, recover_lost_lanes

PLANNED_PER_ROUND = 500
HEAL_EVERY_S = 600  # reads all waiting deliveries, and should find nothing
LATE_PERIODS = 3  # due for so many periods: hints are not answered, so the sweep pushes by itself


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What one round did: lanes taken back, interactions planned, accounts woken, accounts pushed by itself."""

    recovered: int
    planned: int
    woken: int
    pushed: int


def sweep_once(*, clock: Clock = read_database_clock) -> SweepReport:
    """One round of everything."""
    now = clock()
    recovered = recover_lost_lanes(now=now)
    forget_past_pauses(now=now)
    if _is_time_to(name="heal", every_s=HEAL_EVERY_S, now=now):
        recovered += heal_lanes()
        note_heartbeat(name="heal", now=now)
    planned = plan_due_interactions(now=now, limit=PLANNED_PER_ROUND)
    woken, pushed = _wake_accounts(clock)
    note_heartbeat(name="sweep", now=now)
    return SweepReport(recovered, planned, woken, pushed)


def note_heartbeat(*, name: str, now: datetime) -> None:
    """Write down that it happened."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})


def last_heartbeat(*, name: str) -> datetime | None:
    """When it last happened."""
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def _is_time_to(*, name: str, every_s: float, now: datetime) -> bool:
    last = last_heartbeat(name=name)
    return last is None or last + timedelta(seconds=every_s) <= now


def _wake_accounts(clock: Clock) -> tuple[int, int]:
    """Hint at every account with due lanes; push by itself where hints cannot be sent or are not answered."""
    now = clock()
    late = set(accounts_with_due_lanes(now=now - timedelta(seconds=LATE_PERIODS * settings.SWEEP_EVERY_S)))
    woken = pushed = 0
    for account_id in accounts_with_due_lanes(now=now):
        if send_hint(account_id=account_id) and account_id not in late:
            woken += 1
        else:
            drain_account(account_id=account_id, clock=clock)
            pushed += 1
    return woken, pushed
