"""Upkeep between the work: forgets figures of minutes, bulk writes long over and what was found for old contacts, and
moves SQLite's log into its database.
"""

from datetime import datetime, timedelta

from django.db import connection

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


def move_log() -> None:
    """Move what SQLite has logged into its database, so that nobody who commits has to; nobody is held up meanwhile."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _forget_bulk_writes(now: datetime) -> int:
    """The tries that went by them stay, and their deliveries."""
    over = BulkWrite.objects.filter(state=BulkWrite.State.CONCLUDED, concluded_at__lt=now - BULK_WRITES_KEPT)
    old = list(over.values_list("pk", flat=True)[:ROWS_PER_ROUND])
    BulkWrite.objects.filter(pk__in=old).delete()
    return len(old)
