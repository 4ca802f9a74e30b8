"""The claim of record lanes, in the SQL of each database.

Both are one statement. SQLite runs writers one after the other. PostgreSQL skips rows another claim has locked; its
sub-select is an array, which is made once, as the planner may otherwise run it again and update more rows than its
limit. It holds the places of the rows, not their ids, so that they are not looked for again; a row that was changed
since the statement began has another place, and waits for the next claim.
"""

import uuid
from contextlib import nullcontext
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from crm_integrations.models import Authentication, Configuration
from crm_integrations.row_sql import planner_fence
from crm_integrations.soft_commits import soft_commit
from memorialization.models import Delivery, RecordLane

LANE = RecordLane._meta.db_table
DELIVERY = Delivery._meta.db_table
CONFIGURATION = Configuration._meta.db_table
AUTHENTICATION = Authentication._meta.db_table

# Configurations that are active and whose authentication, for this very account, is not held: found once for a claim.
USABLE = f"""
SELECT usable.id FROM {CONFIGURATION} usable
JOIN {AUTHENTICATION} working ON working.id = usable.authentication_id
WHERE usable.state = 'active' AND working.state = 'active' AND working.account_id = %(account)s
"""  # noqa: S608 - table names of our own models
# Their deliveries alone are looked at. That there are any comes first: wholly held, an account costs nothing however
# much waits.
DUE_LANES = f"""
SELECT {{row}} FROM {{source}}
WHERE lane.account_id = %(account)s
  AND lane.next_due_at <= %(now)s
  AND lane.lease IS NULL
  AND (lane.closed_until IS NULL OR lane.closed_until <= %(now)s)
  AND {{condition}}
  AND EXISTS ({USABLE})
  AND EXISTS (
    SELECT 1 FROM (
      SELECT next_attempt_at, configuration_id FROM {DELIVERY}
      WHERE lane_id = lane.id AND state = 'waiting'{{fence}}) delivery
    WHERE delivery.next_attempt_at <= %(now)s AND delivery.configuration_id {{among_usable}})
ORDER BY lane.next_due_at
LIMIT %(limit)s
"""  # noqa: S608 - table names of our own models
WORDS = {
    "sqlite": {"row": "lane.id", "among_usable": f"IN ({USABLE})"},
    "postgresql": {"row": "lane.ctid", "among_usable": f"= ANY (ARRAY({USABLE}))"},
}
LEASED = "lease = %(lease)s, lease_until = %(until)s, fence = fence + 1"
RETURNED = "id, account_id, entity_type, record_id, fence, lost_leases, suspect_to"


class Which(NamedTuple):
    """Which due lanes: where they are read from, as `lane`, and what must hold of them."""

    source: str
    condition: str

    def due_lanes(self) -> str:
        """The statement that finds them."""
        return DUE_LANES.format(
            source=self.source, condition=self.condition, fence=planner_fence(), **WORDS[connection.vendor]
        )


# A soft commit (soft_commits) without statements of its own; in somebody's transaction it would be for all of that.
SOFT_HERE = "SELECT set_config('synchronous_commit', 'off', true)"
AS_IT_IS = "SELECT 1"
SQLITE_CLAIM = f"UPDATE {LANE} SET {LEASED} WHERE id IN ({{due_lanes}}) RETURNING {RETURNED}"  # noqa: S608
POSTGRESQL_CLAIM = f"""
UPDATE {LANE} SET {LEASED}
WHERE ctid = ANY (ARRAY({{due_lanes}} FOR UPDATE OF lane SKIP LOCKED)) AND ({{soft}}) IS NOT NULL RETURNING {RETURNED}
"""  # noqa: S608
CLAIMS = {"sqlite": SQLITE_CLAIM, "postgresql": POSTGRESQL_CLAIM}

OF_TYPE = Which(
    f"{LANE} lane",
    "lane.entity_type = %(entity_type)s AND lane.goes_alone = %(goes_alone)s AND lane.lost_leases = 0",
)
OF_ACCOUNT = Which(f"{LANE} lane", "0 = 0")
# Few are, mostly none, and they have an index of their own, which tells so at once: PostgreSQL, while it knows nothing
# of new tables, would look for them through everything that is due. SQLite begins with the left side of a CROSS JOIN.
ANY_SUSPECT = f"SELECT 1 FROM {LANE} WHERE account_id = %s AND lost_leases > 0 LIMIT 1"  # noqa: S608
SUSPECT = Which(
    f"(SELECT id FROM {LANE} WHERE account_id = %(account)s AND lost_leases > 0) suspect CROSS JOIN {LANE} lane",  # noqa: S608
    "lane.id = suspect.id AND lane.entity_type = %(entity_type)s",
)


def is_any_due(*, account_id: int, now: datetime) -> bool:
    """Whether there is a lane that could be claimed."""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(OF_ACCOUNT.due_lanes(), {"account": account_id, "now": adapt(now), "limit": 1})
        return cursor.fetchone() is not None


def run_claim(
    *, account_id: int, limit: int, lease: uuid.UUID, until: datetime, now: datetime, which: Which, **chosen: Any
) -> list[tuple[Any, ...]]:
    """Lease up to `limit` due lanes in one statement; rows of RETURNED, in no order. `which`: OF_TYPE or SUSPECT."""
    adapt = connection.ops.adapt_datetimefield_value
    soft = AS_IT_IS if connection.in_atomic_block else SOFT_HERE
    statement = CLAIMS[connection.vendor].format(due_lanes=which.due_lanes(), soft=soft)
    parameters = {
        "account": account_id,
        "now": adapt(now),
        "until": adapt(until),
        "lease": RecordLane._meta.get_field("lease").get_db_prep_value(lease, connection),
        "limit": limit,
        **chosen,
    }
    is_soft_already = connection.vendor == "postgresql"
    with nullcontext() if is_soft_already else soft_commit(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
