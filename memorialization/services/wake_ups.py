"""When an account is worth another look: noted at the end of each turn, read by every worker's timer."""

from datetime import datetime

from django.db.models import Min, Q

from crm_integrations.models import CRMAccount
from memorialization.models import BulkWrite, RecordLane


def note_wake_up(*, account_id: int, opens_at: datetime | None, since: datetime) -> None:
    """Have the account looked at when a limit opens, a retry falls due or a bulk write should be over.

    `since`: when it was last looked for what is due; what fell due from then on was not seen.
    """
    lanes = RecordLane.objects.filter(account=account_id, lease__isnull=True, next_due_at__gt=since)
    polls = BulkWrite.objects.filter(account=account_id).exclude(state=BulkWrite.State.CONCLUDED)
    moments = [
        opens_at,
        lanes.aggregate(first=Min("next_due_at"))["first"],
        polls.aggregate(first=Min("poll_at"))["first"],
    ]
    wake_at(account_id=account_id, moment=min((moment for moment in moments if moment is not None), default=None))


def wake_at(*, account_id: int, moment: datetime | None) -> None:
    """Have the account looked at then, or when it was to be anyway; the earlier counts."""
    if moment is not None:
        later = Q(wake_at__isnull=True) | Q(wake_at__gt=moment)
        CRMAccount.objects.filter(later, pk=account_id).update(wake_at=moment)
