"""Whether work makes progress: events are folded, records looked for and what is due is tried soon, what a dead worker
left comes back.

Waiting for a held authentication, a limit, a circuit or a settling record is no failure, so none of them counts. Nor
does a backlog that is being worked off: taking the web processes out of service would only stop the intake.
"""

from datetime import datetime

from crm_integrations.readiness import CheckResult
from memorialization.models import RecordLane
from memorialization.selectors.account_progress import STUCK_AFTER, read_progress
from memorialization.selectors.waiting_events import are_events_stuck
from memorialization.selectors.waiting_matches import are_matches_stuck


def check_deliveries(now: datetime) -> CheckResult:
    """Not ready while an account's deliveries have been due for a minute in which none of them was tried.

    Nor while events wait for a minute in which none was folded, or interactions whose records nobody looks for.
    """
    if are_events_stuck(now=now):
        return CheckResult(False, "no event was folded for a minute although events wait")
    if are_matches_stuck(now=now):
        return CheckResult(False, "no record was looked for for a minute although interactions wait for theirs")
    lost = RecordLane.objects.filter(lease__isnull=False, bulk_write__isnull=True, lease_until__lt=now - STUCK_AFTER)
    if lost.exists():
        return CheckResult(False, "a worker's lease ended more than a minute ago and nobody took it back")
    progress = read_progress(now=now)
    stuck = sum(each.is_stuck for each in progress)
    if stuck:
        return CheckResult(False, f"nothing was tried for a minute although deliveries are due; accounts: {stuck}")
    return CheckResult(True, _describe(is_overdue=[each.is_waiting for each in progress if each.is_overdue]))


def _describe(*, is_overdue: list[bool]) -> str:
    """`is_overdue`: of every account that is, whether it waits for a limit or its circuit."""
    if not is_overdue:
        return "nothing is overdue"
    return "waiting for the CRM" if all(is_overdue) else "working off a backlog"
