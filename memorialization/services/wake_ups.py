"""When an account is worth another look: noted at the end of each turn, read by every worker's timer."""

from datetime import datetime

from crm_integrations.models import CRMAccount
from crm_integrations.row_sql import as_time, change_rows, read_rows, table_of
from memorialization.models import BulkWrite, RecordLane
from memorialization.models.bulk_writes import UNCONCLUDED


def note_wake_up(*, account_id: int, opens_at: datetime | None, since: datetime) -> None:
    """Have the account looked at when a limit opens, a retry falls due or a bulk write should be over.

    `since`: when it was last looked for what is due; what fell due from then on was not seen.
    """
    free_later = "account_id = %s AND lease IS NULL AND next_due_at > %s ORDER BY next_due_at LIMIT 1"
    open_writes = f"account_id = %s AND {UNCONCLUDED} AND poll_at IS NOT NULL ORDER BY poll_at LIMIT 1"
    moments = [lane.next_due_at for lane in read_rows(RecordLane, free_later, [account_id, as_time(since)])]
    moments += [bulk.poll_at for bulk in read_rows(BulkWrite, open_writes, [account_id])]
    wake_at(account_id=account_id, moment=min(filter(None, [opens_at, *moments]), default=None))


def wake_at(*, account_id: int, moment: datetime | None) -> None:
    """Have the account looked at then, or when it was to be anyway; the earlier counts."""
    if moment is not None:
        statement = (
            f"UPDATE {table_of(CRMAccount)} SET wake_at = %s WHERE id = %s AND (wake_at IS NULL OR wake_at > %s)"  # noqa: S608
        )
        change_rows(statement, [as_time(moment), account_id, as_time(moment)])
