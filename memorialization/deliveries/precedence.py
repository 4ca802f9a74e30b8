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


def rank_of(entry: Mapping[str, Any]) -> str:
    """The time by which a field's value counts among those of its segment; empty for one without a time of its own.

    `ranked_at` stands where a later revision's value was heard of earlier than the one that it replaces.
    """
    return str(entry.get("ranked_at") or entry.get("occurred_at") or "")


def precedence_of_entry(entry: Mapping[str, Any], *, segment_ended_at: datetime, segment_key: str) -> Precedence:
    """Precedence of one field of a delivery; a value without a time of its own counts from the segment's end."""
    rank = rank_of(entry)
    occurred_at = datetime.fromisoformat(rank) if rank else segment_ended_at
    return Precedence(segment_ended_at, segment_key, occurred_at)
