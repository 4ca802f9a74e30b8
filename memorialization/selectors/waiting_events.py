"""Events that are stored and not folded yet: how many, for how long, and whether anybody is at work on them.

Read from an index of just those events; what intake stores is folded within a second while workers run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from crm_integrations.models import Configuration
from memorialization.models import InteractionEvent
from memorialization.services.heartbeats import FOLD, last_heartbeat

STUCK_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WaitingEvents:
    """Those that somebody could fold now, or that failed and wait for another try."""

    count: int
    oldest_age_s: float


def read_waiting_events(*, now: datetime) -> WaitingEvents:
    """All of them; events of deleted configurations wait for a restoration and are left out."""
    figures = _waiting().aggregate(count=Count("pk"), oldest=Min("received_at"))
    oldest: datetime | None = figures["oldest"]
    return WaitingEvents(figures["count"], max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)


def are_events_stuck(*, now: datetime) -> bool:
    """Whether an event has waited for a minute in which nothing was folded; a backlog that moves is not stuck."""
    since = now - STUCK_AFTER
    could_be_folded = Q(fold_after__isnull=True) | Q(fold_after__lte=since)
    if not _waiting().filter(could_be_folded, received_at__lte=since).exists():
        return False
    last = last_heartbeat(name=FOLD)
    return last is None or last <= since


def _waiting() -> QuerySet[InteractionEvent]:
    present = ~Q(configuration__state=Configuration.State.DELETED)
    return InteractionEvent.objects.filter(present, contact__isnull=True)
