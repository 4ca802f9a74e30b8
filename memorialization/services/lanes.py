"""Ways into a record lane for those who plan deliveries: find it, and make it due."""

from datetime import datetime

from django.db.models import Value
from django.db.models.functions import Coalesce, Least

from memorialization.models import RecordLane


def find_lane(*, account_id: int, entity_type: str, record_id: str) -> RecordLane:
    """The lane of a record, made when it is the first delivery to it."""
    lane, _created = RecordLane.objects.get_or_create(
        account_id=account_id, entity_type=entity_type, record_id=record_id
    )
    return lane


def make_lane_due(*, lane_id: int, due_at: datetime) -> None:
    """Have the lane looked at by `due_at`; call it in the transaction that adds or changes a waiting delivery.

    The row is written even when nothing changes: that is what keeps a worker, who is just concluding that nothing
    waits, from overlooking what this transaction adds.
    """
    earlier = Least(Coalesce("next_due_at", Value(due_at)), Value(due_at))
    RecordLane.objects.filter(pk=lane_id).update(next_due_at=earlier)
