"""Reading times as sources write them: ISO 8601, with or without an offset. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

DATE_LENGTH = 10  # YYYY-MM-DD
YEARS = range(2, 9999)  # at the ends, a change of zone would leave the calendar


@dataclass(frozen=True, slots=True)
class ReadTime:
    """A moment in UTC. Without an offset it was taken as UTC; `is_date_only` means that no time of day was given."""

    moment: datetime
    has_offset: bool
    is_date_only: bool


def read_time(text: str) -> ReadTime | None:
    """The moment behind an ISO 8601 text, or None when it is none."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        has_offset = moment.tzinfo is not None
        in_utc = moment.astimezone(UTC) if has_offset else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    if in_utc.year not in YEARS:
        return None
    return ReadTime(in_utc, has_offset, is_date_only=len(text) <= DATE_LENGTH)


def format_utc(moment: datetime) -> str:
    """ISO 8601 in UTC with a final Z, as it stands in segment ids."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
