"""Deliveries as members of groups: what waits on lanes, and what a bulk write carries.

Every push reads these, most of them a hundred at once, so they are read past the ORM.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min

from crm_integrations.models import Authentication, Configuration
from crm_integrations.row_sql import Selection, among, planner_fence, read_values, selection, table_of
from memorialization.deliveries.coalescing import Member
from memorialization.models import Attempt, Delivery, RecordLane

PUSHED = (
    *("id", "lane_id", "interaction_id", "entity_type", "record_id", "revision", "fields", "state", "segment_ended_at"),
    *("segment_key", "next_attempt_at", "must_look_first", "goes_alone", "attempt_count", "backoff_spent_s"),
)
READ_MOST = 5_000  # deliveries at a time; of a hundred lanes, as many as go in bulk, fifty each
# Whose turn it is on a lane: by precedence, and before that what may have been applied already, so that its mark stands
# before an older value that came late is sent.
TURN_ORDER = "stored.must_look_first DESC, stored.segment_ended_at, stored.segment_key, stored.revision, stored.id"


class WaitingCount(NamedTuple):
    """What waits on a lane, held or not: how much, when the first is due, and the lowest and highest id."""

    total: int
    first_due_at: datetime
    lowest_id: int
    highest_id: int


def waiting_on_lanes(*, lane_ids: Sequence[int]) -> dict[int, list[Member]]:
    """What waits on each lane, in turn order; what an authentication or configuration holds is passed over.

    A delivery that waits for its next try keeps its place, and with it the lane: order is by precedence, not by due
    time. Where a great many wait, the first of each lane come, so that what follows fits into memory and a transaction.
    """
    found = _read_waiting(lane_ids, READ_MOST) if lane_ids else {}
    if sum(map(len, found.values())) < READ_MOST:
        return found
    return {lane_id: _read_waiting([lane_id], READ_MOST // len(lane_ids))[lane_id] for lane_id in lane_ids}


def _read_waiting(lane_ids: Sequence[int], most: int) -> dict[int, list[Member]]:
    found: dict[int, list[Member]] = {lane_id: [] for lane_id in lane_ids}
    columns, (condition, ids) = _columns(), among(lane_ids)
    statement = f"""
        SELECT stored.lane_id, configuration.authentication_id, {columns.names} FROM (
          SELECT * FROM {table_of(Delivery)} WHERE lane_id {condition} AND state = 'waiting'
          {planner_fence()}) stored
        JOIN {table_of(Configuration)} configuration ON configuration.id = stored.configuration_id
        JOIN {table_of(Authentication)} authentication ON authentication.id = configuration.authentication_id
        JOIN {table_of(RecordLane)} lane ON lane.id = stored.lane_id
        WHERE configuration.state = 'active'
        AND authentication.state = 'active' AND authentication.account_id = lane.account_id
        ORDER BY {TURN_ORDER} LIMIT {most}"""  # noqa: S608 - names of our own models
    for lane_id, authentication_id, *values in read_values(statement, ids):
        found[lane_id].append(Member(columns.build(values), authentication_id))
    return found


def count_waiting(*, lane_ids: Sequence[int]) -> dict[int, WaitingCount]:
    """The lanes on which anything waits."""
    if not lane_ids:
        return {}
    condition, ids = among(lane_ids)
    statement = f"SELECT DISTINCT lane_id FROM {table_of(Delivery)} WHERE lane_id {condition} AND state = 'waiting'"  # noqa: S608
    found = [lane_id for (lane_id,) in read_values(statement, ids)]
    if not found:
        return {}
    waiting = Delivery.objects.filter(lane__in=found, state=Delivery.State.WAITING).order_by()
    counted = waiting.values_list("lane_id").annotate(Count("pk"), Min("next_attempt_at"), Min("pk"), Max("pk"))
    return {lane_id: WaitingCount(*counts) for lane_id, *counts in counted}


def deliveries_of(*, lane_id: int, interaction_id: int) -> list[Delivery]:
    """All deliveries of an interaction to a lane's record: which fields they have, and whether they were tried."""
    columns: Selection[Delivery] = selection(Delivery, connection.vendor, "stored", ("id", "fields", "attempt_count"))
    statement = (
        f"SELECT {columns.names} FROM {table_of(Delivery)} stored "  # noqa: S608 - names of our own model
        "WHERE stored.lane_id = %s AND stored.interaction_id = %s"
    )
    return [columns.build(values) for values in read_values(statement, [lane_id, interaction_id])]


def members_of_bulk_write(*, bulk_write_id: int) -> Iterator[tuple[int, int, str, Member | None]]:
    """Attempt, lane, record and delivery of a bulk write's unfinished attempts, in the order they were sent.

    An attempt whose deliveries were deleted meanwhile comes with None.
    """
    columns = _columns()
    statement = f"""
        SELECT attempt.id, lane.id, lane.record_id, configuration.authentication_id, {columns.names}
        FROM {table_of(Attempt)} attempt
        JOIN {table_of(RecordLane)} lane ON lane.id = attempt.lane_id
        LEFT JOIN {table_of(Attempt.deliveries.through)} link ON link.attempt_id = attempt.id
        LEFT JOIN {table_of(Delivery)} stored ON stored.id = link.delivery_id
        LEFT JOIN {table_of(Configuration)} configuration ON configuration.id = stored.configuration_id
        WHERE attempt.bulk_write_id = %s AND attempt.outcome = 'started'
        ORDER BY attempt.id, {TURN_ORDER}"""  # noqa: S608 - names of our own models
    for attempt_id, lane_id, record_id, authentication_id, *values in read_values(statement, [bulk_write_id]):
        delivery_id = values[0]
        yield attempt_id, lane_id, record_id, Member(columns.build(values), authentication_id) if delivery_id else None


def record_ids_of_bulk_write(*, bulk_write_id: int) -> list[str]:
    """The records that a bulk write is about, in the order they were sent."""
    statement = f"""
        SELECT lane.record_id FROM {table_of(Attempt)} attempt
        JOIN {table_of(RecordLane)} lane ON lane.id = attempt.lane_id
        WHERE attempt.bulk_write_id = %s ORDER BY attempt.id"""  # noqa: S608 - names of our own models
    return [record_id for (record_id,) in read_values(statement, [bulk_write_id])]


def _columns() -> Selection[Any]:
    """The id comes first, as in the model."""
    return selection(Delivery, connection.vendor, "stored", PUSHED)
