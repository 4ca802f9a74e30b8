"""Storing planned deliveries with their record lanes, and skipping those that are not wanted any more.

Everything here runs in the transaction of whoever plans. Lanes are locked in the order of their ids before deliveries
are touched, like everywhere else, so that planners and workers wait for each other instead of blocking each other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from crm_integrations.row_inserts import insert_missing, insert_rows
from crm_integrations.row_sql import places_for, read_values, row_lock, table_of
from memorialization.deliveries.coalescing import travels_alone
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery, RecordLane
from memorialization.services.claims import set_next_due
from memorialization.services.lanes import make_lanes_due

State = Delivery.State
LANE = table_of(RecordLane)
LANE_COLUMNS = ("account_id", "entity_type", "record_id", "next_due_at", "goes_alone")
LANES_OF_TYPE = f"SELECT id FROM {LANE} WHERE account_id = %s AND entity_type = %s AND record_id IN"  # noqa: S608
LANES_BY_ID = f"SELECT id FROM {LANE} WHERE id IN ({{}})"  # noqa: S608
Record = tuple[str, str]
"""Entity type and id."""


def store_deliveries(
    *, deliveries: Sequence[Delivery], account_id: int, now: datetime, unwanted: Iterable[Delivery] = ()
) -> None:
    """Insert planned deliveries; the waiting ones get their lanes, which fall due now.

    A lane says whether it goes alone, so that bulk writes do not take what they would have to give back. Lanes of
    `unwanted` deliveries, which are skipped after this, are locked with the others: all in one order.
    """
    waiting = [delivery for delivery in deliveries if delivery.state == State.WAITING]
    records: dict[Record, bool] = defaultdict(bool)
    for delivery in waiting:
        records[delivery.entity_type, delivery.record_id] |= travels_alone(delivery)
    lanes = _wake_lanes(records, account_id, _lanes_of(_under_way(unwanted)), now)
    for delivery in waiting:
        delivery.lane_id = lanes[delivery.entity_type, delivery.record_id]
    insert_rows(deliveries)


def lock_lanes_of(*, interaction_ids: Sequence[int]) -> None:
    """Lock the lanes of all deliveries of some interactions: no worker stores anything for these meanwhile."""
    if interaction_ids:
        lanes = RecordLane.objects.filter(deliveries__interaction__in=interaction_ids).values("pk")
        list(RecordLane.objects.select_for_update().filter(pk__in=lanes).order_by("pk").values_list("pk"))


def skip_unsent(*, deliveries: Iterable[Delivery], reason: str, now: datetime) -> None:
    """Skip deliveries that still wait; one that a worker is sending stays with it, or is skipped when it comes back.

    One that may have been applied to a record which is unlinked is looked at before: where its value stands, no older
    one may follow it.
    """
    unfinished = _under_way(deliveries)
    lane_ids = _lanes_of(unfinished)
    if not lane_ids:
        return
    list(RecordLane.objects.select_for_update().filter(pk__in=lane_ids).order_by("pk").values_list("pk"))
    waiting = Delivery.objects.filter(pk__in=[delivery.pk for delivery in unfinished], state=State.WAITING)
    if reason == DeliveryReason.UNLINKED:
        waiting = waiting.filter(must_look_first=False)
    waiting.update(state=State.SKIPPED, reason=reason, reason_params={}, next_attempt_at=None, finished_at=now)
    for lane_id in lane_ids:
        set_next_due(lane_id=lane_id)


def resolve_skipped(*, deliveries: Iterable[Delivery]) -> None:
    """Say of deliveries that had no record that a link resolved them."""
    pks = [delivery.pk for delivery in deliveries]
    if pks:
        skipped = Delivery.objects.filter(pk__in=pks, state=State.SKIPPED)
        skipped.update(reason="resolved_by_link", reason_params={})


def _under_way(deliveries: Iterable[Delivery]) -> list[Delivery]:
    return [delivery for delivery in deliveries if delivery.state in (State.WAITING, State.SENDING)]


def _lanes_of(deliveries: Iterable[Delivery]) -> list[int]:
    return sorted({delivery.lane_id for delivery in deliveries if delivery.lane_id})


def _wake_lanes(
    records: dict[Record, bool], account_id: int, besides: Sequence[int], now: datetime
) -> dict[Record, int]:
    """The ids of these records' lanes, made where they are missing, locked, and due now or when their rest is over.

    `records` says of each whether its lane goes alone from now on. Lanes are made before any is locked: who makes the
    same one waits for us, and must hold none that we ask for. `besides`: lanes that are locked in the same order.
    """
    if not records:
        return {}
    wanted = [(account_id, *record, now, goes_alone) for record, goes_alone in sorted(records.items())]
    made = insert_missing(RecordLane, LANE_COLUMNS, wanted, returning=("entity_type", "record_id", "id"))
    lanes = {(entity_type, record_id): pk for entity_type, record_id, pk in made}
    if known := records.keys() - lanes.keys():
        found = _lock_lanes(known, account_id, besides)
        for goes_alone in (False, True):
            chosen = [pk for record, pk in found.items() if records[record] is goes_alone]
            make_lanes_due(lane_ids=chosen, due_at=now, goes_alone=goes_alone)
        lanes |= found
    return lanes


def _lock_lanes(records: Collection[Record], account_id: int, besides: Sequence[int]) -> dict[Record, int]:
    """Locked in the order of their ids: an update alone would lock them in whatever order it finds them.

    Asked for type by type, each by the unique index: SQLite would make alternatives a walk through the account's lanes.
    """
    by_type: dict[str, list[str]] = defaultdict(list)
    for entity_type, record_id in sorted(records):
        by_type[entity_type].append(record_id)
    parts = [f"{LANES_OF_TYPE} ({places_for(ids)})" for ids in by_type.values()]
    parameters = [part for entity_type, ids in by_type.items() for part in (account_id, entity_type, *ids)]
    if besides:
        parts.append(LANES_BY_ID.format(places_for(besides)))
        parameters += besides
    wanted = " UNION ALL ".join(parts)
    columns = f"SELECT account_id, entity_type, record_id, id FROM {LANE}"  # noqa: S608 - our own words only
    locked = read_values(f"{columns} WHERE id IN ({wanted}) ORDER BY id{row_lock()}", parameters)
    found = {(entity_type, record_id): pk for owner, entity_type, record_id, pk in locked if owner == account_id}
    return {record: found[record] for record in records}
