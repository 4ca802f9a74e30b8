"""Marks: whose values the records hold because of us (semantics §5.18)."""

from collections.abc import Sequence

from memorialization.deliveries.precedence import Mark, Precedence
from memorialization.models import FieldMark

COLUMNS = ("lane_id", "crm_field", "segment_ended_at", "segment_key", "occurred_at", "delivery_id")


def read_marks(*, lane_ids: Sequence[int]) -> dict[int, dict[str, Mark]]:
    """The marks of each lane, by CRM field."""
    found: dict[int, dict[str, Mark]] = {lane_id: {} for lane_id in lane_ids}
    rows = FieldMark.objects.filter(lane__in=lane_ids).values_list(*COLUMNS)
    for lane_id, key, ended_at, segment_key, occurred_at, delivery_id in rows:
        found[lane_id][key] = Mark(Precedence(ended_at, segment_key, occurred_at), delivery_id)
    return found
