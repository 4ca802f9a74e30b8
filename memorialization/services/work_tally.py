"""What turns did, by account and minute: what the live page and its charts are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_integrations.row_sql import as_time, change_rows
from crm_integrations.services.call_minutes import begin_of_minute
from memorialization.models import BulkWrite, DeliveryMinute

KEPT = timedelta(hours=24)
COUNTED = ("deliveries", "writes", "bulk_writes", "calls", "bulk_calls")
MINUTES = DeliveryMinute._meta.db_table
SUMS = ", ".join(f"{name} = {MINUTES}.{name} + excluded.{name}" for name in COUNTED)
ADD = f"""
INSERT INTO {MINUTES} (account_id, minute, {", ".join(COUNTED)}) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, minute) DO UPDATE SET {SUMS}
"""  # noqa: S608 - names of our own model


@dataclass
class WorkTally:
    """Counted during a turn, stored at its end. What was refused or must be tried again is no write."""

    tried: int = 0  # deliveries, whatever became of them
    deliveries: int = 0  # that shared the writes
    writes: int = 0  # of records
    bulk_writes: int = 0  # of records, in bulk
    calls: int = 0
    bulk_calls: int = 0

    def add_pushed(self, *, deliveries: int, is_written: bool) -> None:
        """A group was pushed by calls of its own."""
        self.tried += deliveries
        if is_written:
            self.deliveries += deliveries
            self.writes += 1

    def add_sent(self, *, deliveries: int) -> None:
        """So many deliveries are on their way in a bulk write."""
        self.tried += deliveries

    def add_concluded(self, bulks: Sequence[BulkWrite]) -> None:
        """These bulk writes are over; records that go on alone are counted with their own calls."""
        for bulk in bulks:
            written = bulk.size - len(bulk.refusals)
            self.deliveries += bulk.deliveries * written // bulk.size
            self.writes += written
            self.bulk_writes += written

    def store(self, *, account_id: int, now: datetime) -> None:
        """Add it to the account's minute."""
        if not (self.deliveries or self.writes or self.calls):
            return
        counts = [getattr(self, name) for name in COUNTED]
        change_rows(ADD, [account_id, as_time(begin_of_minute(now)), *counts])


def forget_old_minutes(*, now: datetime) -> int:
    """Prune what no chart shows any more."""
    return DeliveryMinute.objects.filter(minute__lt=now - KEPT).delete()[0]
