"""Marks: whose values the records hold because of us (semantics §5.18)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection

from crm_integrations.row_sql import Selection, among, read_values, selection, table_of
from crm_integrations.row_updates import upsert_crossed_rows
from memorialization.deliveries.precedence import Mark, Precedence
from memorialization.models import FieldMark

COLUMNS = ("lane_id", "crm_field", "segment_ended_at", "segment_key", "occurred_at", "delivery_id")
OF_MARK = ("lane_id", "segment_ended_at", "segment_key", "occurred_at", "delivery_id")  # without the field


def read_marks(*, lane_ids: Sequence[int]) -> dict[int, dict[str, Mark]]:
    """The marks of each lane, by CRM field."""
    found: dict[int, dict[str, Mark]] = {lane_id: {} for lane_id in lane_ids}
    if not found:
        return found
    columns: Selection[FieldMark] = selection(FieldMark, connection.vendor, "stored", COLUMNS)
    condition, ids = among(lane_ids)
    statement = f"SELECT {columns.names} FROM {table_of(FieldMark)} stored WHERE stored.lane_id {condition}"  # noqa: S608
    for row in read_values(statement, ids):
        lane_id, key, ended_at, segment_key, occurred_at, delivery_id = columns.read(row)
        found[lane_id][key] = Mark(Precedence(ended_at, segment_key, occurred_at), delivery_id)
    return found


def store_marks(*, marks: Mapping[int, Mapping[str, Mark]]) -> None:
    """Note marks by lane and CRM field. None of them is lower than what stands there: that is simply replaced."""
    alike: dict[tuple[str, ...], list[tuple[int, Mark]]] = defaultdict(list)
    for lane_id, own in marks.items():
        fields_of: dict[Mark, list[str]] = {}
        for key, mark in own.items():
            fields_of.setdefault(mark, []).append(key)
        for mark, fields in fields_of.items():
            alike[tuple(fields)].append((lane_id, mark))
    for keys, found in alike.items():
        rows = [
            (lane_id, when.segment_ended_at, when.segment_key, when.occurred_at, mark.delivery_id)
            for lane_id, mark in found
            for when in [mark.precedence]
        ]
        upsert_crossed_rows(FieldMark, rows, OF_MARK, ("crm_field", keys), unique=("lane_id", "crm_field"))
