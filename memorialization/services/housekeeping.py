"""Forgets what nobody looks at any more: figures of minutes, bulk writes long over, what was found for old contacts."""

from datetime import datetime, timedelta

from crm_integrations.services.call_minutes import prune_call_minutes
from crm_integrations.services.contact_records import prune_contact_records
from memorialization.models import BulkWrite
from memorialization.services.work_tally import forget_old_minutes

BULK_WRITES_KEPT = timedelta(days=30)
ROWS_PER_ROUND = 500


def tidy_up(*, now: datetime) -> int:
    """Forget some of it; how many rows. Bounded, so that it never holds up a sweep."""
    figures = prune_call_minutes(now=now) + forget_old_minutes(now=now)
    return figures + _forget_bulk_writes(now) + prune_contact_records(now=now)


def _forget_bulk_writes(now: datetime) -> int:
    """The tries that went by them stay, and their deliveries."""
    over = BulkWrite.objects.filter(state=BulkWrite.State.CONCLUDED, concluded_at__lt=now - BULK_WRITES_KEPT)
    old = list(over.values_list("pk", flat=True)[:ROWS_PER_ROUND])
    BulkWrite.objects.filter(pk__in=old).delete()
    return len(old)
