"""What was called: an append-only list per account, which tests read to count calls and applied writes."""

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

KEPT = 200_000  # entries; the numbers go on when older ones are forgotten


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One call, or one record a bulk job wrote (method JOB). `status` 0: the client got no answer.

    `at` is the account's own time, `real_at` the machine's (seconds since 1970). `retry_after` is what the answer
    told the client to wait, `limit_class` the limit a 429 was about.
    """

    n: int
    at: str
    method: str
    path: str
    endpoint: str
    status: int
    applied: bool
    records: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    fault: str | None = None
    user_id: int | None = None
    real_at: float = 0.0
    retry_after: str | None = None
    limit_class: str | None = None


NAMES = tuple(one.name for one in fields(LogEntry))


@dataclass
class Outcome:
    """What a call did, filled in while it is carried out."""

    endpoint: str = "unknown"
    applied: bool = False
    records: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    user_id: int | None = None
    limit_class: str | None = None


class CallLog:
    """Numbered from 1 and never renumbered while the demo runs."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._next = 1
        self.counters: Counter[str] = Counter()

    def append(self, at: datetime, **values: Any) -> LogEntry:
        """Add an entry."""
        entry = LogEntry(n=self._next, at=at.isoformat(timespec="milliseconds"), **values)
        self._next += 1
        self._entries.append(entry)
        self.counters[f"{entry.method} {entry.endpoint} {entry.status}"] += 1
        if len(self._entries) > KEPT:
            del self._entries[: KEPT // 10]
        return entry

    def since(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Entries with n > number, oldest first."""
        if not self._entries:
            return []
        start = max(0, number + 1 - self._entries[0].n)
        return [{name: getattr(entry, name) for name in NAMES} for entry in self._entries[start : start + limit]]

    @property
    def last(self) -> int:
        """The number of the newest entry."""
        return self._next - 1

    def clear(self) -> None:
        """Forget the entries and the counters; the numbers go on."""
        self._entries = []
        self.counters = Counter()
