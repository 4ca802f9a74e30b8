"""Storing planned deliveries with their record lanes, and skipping those that are not wanted any more.

Everything here runs in the transaction of whoever plans. Lanes are locked in the order of their ids before deliveries
are touched, like everywhere else, so that planners and workers wait for each other instead of blocking each other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from crm_integrations.row_sql import as_time, insert_missing, insert_rows, places_for, read_values, row_lock, table_of
from memorialization.models import Delivery, RecordLane
from memorialization.services.claims import set_next_due

State = Delivery.State
LANE = table_of(RecordLane)
LANE_COLUMNS = ("account_id", "entity_type", "record_id", "next_due_at")
LANE_IDS = f"SELECT entity_type, record_id, id FROM {LANE} WHERE account_id = %s"  # noqa: S608 - our own words only


def store_deliveries(*, deliveries: Sequence[Delivery], account_id: int, now: datetime) -> None:
    """Insert planned deliveries; the waiting ones get their lanes, which fall due now."""
    waiting = [delivery for delivery in deliveries if delivery.state == State.WAITING]
    lanes = _wake_lanes({(delivery.entity_type, delivery.record_id) for delivery in waiting}, account_id, now)
    for delivery in waiting:
        delivery.lane_id = lanes[delivery.entity_type, delivery.record_id]
    insert_rows(deliveries)


def skip_unsent(*, deliveries: Iterable[Delivery], reason: str, now: datetime) -> None:
    """Skip deliveries that still wait; one that a worker is sending stays with it, or is skipped when it comes back."""
    unfinished = [delivery for delivery in deliveries if delivery.state in (State.WAITING, State.SENDING)]
    lane_ids = sorted({delivery.lane_id for delivery in unfinished if delivery.lane_id})
    if not lane_ids:
        return
    list(RecordLane.objects.select_for_update().filter(pk__in=lane_ids).order_by("pk").values_list("pk"))
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in unfinished], state=State.WAITING).update(
        state=State.SKIPPED, reason=reason, reason_params={}, next_attempt_at=None, finished_at=now
    )
    for lane_id in lane_ids:
        set_next_due(lane_id=lane_id)


def resolve_skipped(*, deliveries: Iterable[Delivery]) -> None:
    """Say of deliveries that had no record that a link resolved them."""
    pks = [delivery.pk for delivery in deliveries]
    if pks:
        skipped = Delivery.objects.filter(pk__in=pks, state=State.SKIPPED)
        skipped.update(reason="resolved_by_link", reason_params={})


def _wake_lanes(records: set[tuple[str, str]], account_id: int, now: datetime) -> dict[tuple[str, str], int]:
    """The ids of these records' lanes, made where they are missing, locked, and due now at the latest."""
    if not records:
        return {}
    wanted = [(account_id, entity_type, record_id, now) for entity_type, record_id in sorted(records)]
    made = insert_missing(RecordLane, LANE_COLUMNS, wanted, returning=("entity_type", "record_id", "id"))
    lanes = {(entity_type, record_id): pk for entity_type, record_id, pk in made}
    if known := records - lanes.keys():
        lanes |= _wake_known_lanes(known, account_id, now)
    return lanes


def _wake_known_lanes(records: set[tuple[str, str]], account_id: int, now: datetime) -> dict[tuple[str, str], int]:
    """Locked in the order of their ids first: an update alone would lock them in whatever order it finds them."""
    wanted = " OR ".join(["(entity_type = %s AND record_id = %s)"] * len(records))
    parameters = [account_id, *(part for record in sorted(records) for part in record)]
    locked = read_values(f"{LANE_IDS} AND ({wanted}) ORDER BY id{row_lock()}", parameters)
    least = "LEAST" if connection.vendor == "postgresql" else "MIN"
    moment, ids = as_time(now), [pk for _entity_type, _record_id, pk in locked]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {LANE} SET next_due_at = {least}(COALESCE(next_due_at, %s), %s) WHERE id IN ({places_for(ids)})",  # noqa: S608
            [moment, moment, *ids],
        )
    return {(entity_type, record_id): pk for entity_type, record_id, pk in locked}
