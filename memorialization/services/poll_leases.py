"""Who looks after the bulk writes of an account now: one process at a time, for all of them together."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from crm_integrations.database_clock import Clock
from memorialization.models import BulkWrite
from memorialization.services.claims import LeaseLost, lease_length_s

State = BulkWrite.State
RENEWALS_PER_LEASE = 4


def claim_polls(*, account_id: int, now: datetime) -> list[BulkWrite]:
    """Take the account's open bulk writes, as soon as the time of one of them has come; ordered by authentication."""
    free = Q(poll_lease__isnull=True) | Q(poll_lease_until__lte=now)
    unconcluded = BulkWrite.objects.filter(free, account=account_id).exclude(state=State.CONCLUDED)
    if not unconcluded.filter(poll_at__lte=now).exists():
        return []
    lost = unconcluded.filter(poll_lease_until__lte=now)
    lost.update(lost_polls=F("lost_polls") + 1, poll_lease=None, poll_lease_until=None)
    lease, until = uuid.uuid4(), now + timedelta(seconds=lease_length_s())
    unconcluded.filter(Q(poll_at__lte=now) | Q(state=State.RUNNING)).update(poll_lease=lease, poll_lease_until=until)
    return list(BulkWrite.objects.filter(poll_lease=lease).order_by("authentication", "entity_type", "pk"))


class PollLease:
    """The lease on all bulk writes of one poll, renewed as long as it goes on."""

    def __init__(self, claimed: Sequence[BulkWrite], clock: Clock) -> None:
        self.clock = clock
        self._own = BulkWrite.objects.filter(
            pk__in=[bulk.pk for bulk in claimed], poll_lease__in={bulk.poll_lease for bulk in claimed}
        )
        self._renewed_at = clock()

    def renew(self) -> None:
        """Before a further call; most of the time it costs nothing. Raises LeaseLost."""
        now, length = self.clock(), timedelta(seconds=lease_length_s())
        if now < self._renewed_at + length / RENEWALS_PER_LEASE:
            return
        if not self._own.update(poll_lease_until=now + length):
            raise LeaseLost
        self._renewed_at = now

    def read_held(self, bulks: Sequence[BulkWrite]) -> list[BulkWrite]:
        """Those of them that are still ours, as they are now."""
        present = self._own.filter(pk__in=[bulk.pk for bulk in bulks]).exclude(state=State.CONCLUDED)
        return list(present.order_by("entity_type", "pk"))
