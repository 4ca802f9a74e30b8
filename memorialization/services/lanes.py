"""Makes record lanes due, for those who plan deliveries or bring them forward."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from crm_integrations.row_sql import among, as_time, change_rows, table_of
from memorialization.models import RecordLane

EARLIER_LATER = {"sqlite": ("MIN", "MAX"), "postgresql": ("LEAST", "GREATEST")}


def make_lanes_due(*, lane_ids: Collection[int], due_at: datetime, goes_alone: bool = False) -> None:
    """Have lanes looked at by `due_at`, one that rests when that is over; in the transaction that adds what waits.

    With `goes_alone` they go alone from then on; a lane that goes alone already still does. Each row is written even
    when nothing changes: that is what keeps a worker, who is just concluding that nothing waits, from overlooking what
    this transaction adds.
    """
    if not lane_ids:
        return
    earlier, later = EARLIER_LATER[connection.vendor]
    due = f"{earlier}(COALESCE(next_due_at, %s), %s)"
    alone = ", goes_alone = TRUE" if goes_alone else ""
    condition, ids = among(sorted(lane_ids))
    moment = as_time(due_at)
    change_rows(
        f"UPDATE {table_of(RecordLane)} SET next_due_at = {later}({due}, COALESCE(closed_until, {due})){alone} "  # noqa: S608
        f"WHERE id {condition}",
        [moment] * 4 + ids,
    )
