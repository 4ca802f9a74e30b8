"""Storing planned deliveries with their record lanes, and skipping those that are not wanted any more.

Everything here runs in the transaction of whoever plans. Lanes are locked in the order of their ids before deliveries
are touched, like everywhere else, so that planners and workers wait for each other instead of blocking each other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Least

from memorialization.models import Delivery, RecordLane
from memorialization.services.claims import set_next_due

State = Delivery.State


def store_deliveries(*, deliveries: Sequence[Delivery], account_id: int, now: datetime) -> None:
    """Insert planned deliveries; the waiting ones get their lanes, which fall due now."""
    waiting = [delivery for delivery in deliveries if delivery.state == State.WAITING]
    lanes = _lock_lanes({(delivery.entity_type, delivery.record_id) for delivery in waiting}, account_id)
    for delivery in waiting:
        delivery.lane = lanes[delivery.entity_type, delivery.record_id]
    Delivery.objects.bulk_create(deliveries)
    if lanes:
        earlier = Least(Coalesce("next_due_at", Value(now)), Value(now))
        RecordLane.objects.filter(pk__in=[lane.pk for lane in lanes.values()]).update(next_due_at=earlier)


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


def _lock_lanes(records: set[tuple[str, str]], account_id: int) -> dict[tuple[str, str], RecordLane]:
    """The lanes of these records, made where they are missing, and locked."""
    if not records:
        return {}
    wanted = [
        RecordLane(account_id=account_id, entity_type=entity_type, record_id=record_id)
        for entity_type, record_id in sorted(records)
    ]
    RecordLane.objects.bulk_create(wanted, ignore_conflicts=True)
    by_type: dict[str, list[str]] = {}
    for entity_type, record_id in records:
        by_type.setdefault(entity_type, []).append(record_id)
    matching = Q()
    for entity_type, record_ids in by_type.items():
        matching |= Q(entity_type=entity_type, record_id__in=record_ids)
    lanes = RecordLane.objects.select_for_update().filter(matching, account_id=account_id).order_by("pk")
    return {(lane.entity_type, lane.record_id): lane for lane in lanes}
