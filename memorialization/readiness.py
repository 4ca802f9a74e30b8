"""Whether deliveries make progress: what is due is tried soon, and what a dead worker left behind comes back.

Waiting for a held authentication, a paused account or a settling record is no failure, so none of them counts. Nor
does a backlog that is being worked off: taking the web processes out of service would only stop the intake.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_integrations.models import Authentication, Configuration
from crm_integrations.readiness import CheckResult
from memorialization.models import Attempt, Delivery, RecordLane

STUCK_AFTER = timedelta(seconds=60)  # due for longer, and nothing tried meanwhile: no worker and no sweep is at work
NEWEST_ATTEMPTS = 1_000  # looked at for signs of work; more than a minute of one worker's calls


def check_deliveries(now: datetime) -> CheckResult:
    """Not ready while an account's deliveries have been due for a minute in which none of them was tried."""
    since = now - STUCK_AFTER
    if RecordLane.objects.filter(lease__isnull=False, lease_until__lt=since).exists():
        return CheckResult(False, "a worker's lease ended more than a minute ago and nobody took it back")
    overdue = set(due_lanes(now=since).values_list("account_id", flat=True).distinct())
    stuck = overdue - accounts_at_work(since=since)
    if stuck:
        return CheckResult(False, f"nothing was tried for a minute although deliveries are due; accounts: {len(stuck)}")
    return CheckResult(True, "working off a backlog" if overdue else "nothing is overdue")


def accounts_at_work(*, since: datetime) -> set[int]:
    """Accounts for which a call was started since then."""
    newest = Attempt.objects.order_by("-pk").values("pk")[:NEWEST_ATTEMPTS]
    recent = Attempt.objects.filter(pk__in=newest, started_at__gte=since)
    return set(recent.order_by().values_list("lane__account_id", flat=True).distinct())


def oldest_due_at(*, now: datetime) -> datetime | None:
    """Since when the oldest delivery that could be tried right now has been due."""
    return due_lanes(now=now).order_by("next_due_at").values_list("next_due_at", flat=True).first()


def due_lanes(*, now: datetime) -> QuerySet[RecordLane]:
    """Record lanes that a worker could claim at this moment (as the claim asks), or whose lease is over."""
    return RecordLane.objects.filter(
        Q(account__paused_until__isnull=True) | Q(account__paused_until__lte=now),
        Q(closed_until__isnull=True) | Q(closed_until__lte=now),
        Q(lease_until__isnull=True) | Q(lease_until__lte=now),
        Exists(_deliveries_to_try(now)),
        next_due_at__lte=now,
    )


def _deliveries_to_try(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        lane=OuterRef("pk"),
        state=Delivery.State.WAITING,
        next_attempt_at__lte=now,
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__account=OuterRef("account"),
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__state_changed_at__lte=now,
    )
