"""Interactions whose records are still looked for: how many, for how long, and whether anybody is at work on them.

Read from an index of just those interactions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from crm_integrations.models import CRMAccount
from memorialization.services.heartbeats import MATCH, last_heartbeat
from memorialization.services.match_holds import unheld_matches

STUCK_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WaitingMatches:
    """Those that somebody may ask the CRM for, now or at their time."""

    count: int
    oldest_age_s: float  # since when the first of them has been due; 0 while none is


def read_waiting_matches(*, now: datetime) -> WaitingMatches:
    """All of them; what is held is left out."""
    figures = unheld_matches().aggregate(count=Count("pk"), oldest=Min("match_due_at"))
    oldest: datetime | None = figures["oldest"]
    return WaitingMatches(figures["count"], max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)


def are_matches_stuck(*, now: datetime) -> bool:
    """Whether one has been due for a minute in which nobody took any, while its account's circuit lets calls through.

    Whoever is stopped by a limit has taken one, and comes again when it opens.
    """
    since = now - STUCK_AFTER
    overdue = unheld_matches().filter(
        match_due_at__lte=since,
        configuration__authentication__state_changed_at__lte=since,
        configuration__authentication__account__circuit_state=CRMAccount.Circuit.CLOSED,
    )
    if not overdue.exists():
        return False
    last = last_heartbeat(name=MATCH)
    return last is None or last <= since
