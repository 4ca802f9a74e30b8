"""Which of two values for one CRM field is the newer: by when the segment ended, never by arrival. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Precedence(NamedTuple):
    """Compares as a tuple: the segment's end, its key (a tie-break that is the same everywhere), the event."""

    segment_ended_at: datetime
    segment_key: str
    occurred_at: datetime


class Mark(NamedTuple):
    """Whose value a field of a record holds."""

    precedence: Precedence
    delivery_id: int | None


def precedence_of_entry(entry: Mapping[str, Any], *, segment_ended_at: datetime, segment_key: str) -> Precedence:
    """Precedence of one field of a delivery; a value without a time of its own counts from the segment's end."""
    occurred_at = datetime.fromisoformat(entry["occurred_at"]) if entry.get("occurred_at") else segment_ended_at
    return Precedence(segment_ended_at, segment_key, occurred_at)
