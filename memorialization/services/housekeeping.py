"""Forgets what nobody looks at any more: figures of minutes that no chart shows, and bulk writes long over."""

from datetime import datetime, timedelta

from crm_integrations.services.call_minutes import prune_call_minutes
from memorialization.models import BulkWrite
from memorialization.services.work_tally import forget_old_minutes

BULK_WRITES_KEPT = timedelta(days=30)
ROWS_PER_ROUND = 500


def tidy_up(*, now: datetime) -> int:
    """Forget some of it; how many rows. Bounded, so that it never holds up a sweep."""
    return prune_call_minutes(now=now) + forget_old_minutes(now=now) + _forget_bulk_writes(now)


def _forget_bulk_writes(now: datetime) -> int:
    """The tries that went by them stay, and their deliveries."""
    over = BulkWrite.objects.filter(state=BulkWrite.State.CONCLUDED, concluded_at__lt=now - BULK_WRITES_KEPT)
    old = list(over.values_list("pk", flat=True)[:ROWS_PER_ROUND])
    BulkWrite.objects.filter(pk__in=old).delete()
    return len(old)
