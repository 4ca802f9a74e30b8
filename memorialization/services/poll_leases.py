"""Who looks after the bulk writes of an account now: one process at a time, for all of them together."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from crm_integrations.database_clock import Clock
from crm_integrations.row_sql import as_time, as_uuid, places_for, read_rows, read_values
from memorialization.models import BulkWrite
from memorialization.models.bulk_writes import UNCONCLUDED
from memorialization.services.claims import LeaseLost, lease_length_s

State = BulkWrite.State
RENEWALS_PER_LEASE = 4
ANY_TO_LOOK_AT = f"""
SELECT 1 FROM {BulkWrite._meta.db_table}
WHERE account_id = %s AND {UNCONCLUDED} AND poll_at <= %s AND (poll_lease IS NULL OR poll_lease_until <= %s) LIMIT 1
"""  # noqa: S608 - the name of our own model


def claim_polls(*, account_id: int, now: datetime) -> list[BulkWrite]:
    """Take the account's open bulk writes, as soon as the time of one of them has come; ordered by authentication."""
    moment = as_time(now)
    if not read_values(ANY_TO_LOOK_AT, [account_id, moment, moment]):
        return []
    free = Q(poll_lease__isnull=True) | Q(poll_lease_until__lte=now)
    unconcluded = BulkWrite.objects.filter(free, account=account_id).exclude(state=State.CONCLUDED)
    lost = unconcluded.filter(poll_lease_until__lte=now)
    lost.update(lost_polls=F("lost_polls") + 1, poll_lease=None, poll_lease_until=None)
    lease, until = uuid.uuid4(), now + timedelta(seconds=lease_length_s())
    unconcluded.filter(Q(poll_at__lte=now) | Q(state=State.RUNNING)).update(poll_lease=lease, poll_lease_until=until)
    of_lease = f"account_id = %s AND {UNCONCLUDED} AND poll_lease = %s ORDER BY authentication_id, entity_type, id"
    return read_rows(BulkWrite, of_lease, [account_id, as_uuid(lease)])


class PollLease:
    """The lease on all bulk writes of one poll, renewed as long as it goes on."""

    def __init__(self, claimed: Sequence[BulkWrite], clock: Clock) -> None:
        self.clock = clock
        self._leases = {bulk.poll_lease for bulk in claimed if bulk.poll_lease}
        self._own = BulkWrite.objects.filter(pk__in=[bulk.pk for bulk in claimed], poll_lease__in=self._leases)
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
        ids, leases = [bulk.pk for bulk in bulks], [as_uuid(lease) for lease in self._leases]
        if not ids:
            return []
        places = f"id IN ({places_for(ids)}) AND poll_lease IN ({places_for(leases)})"
        return read_rows(BulkWrite, f"{places} AND {UNCONCLUDED} ORDER BY entity_type, id", [*ids, *leases])
