"""Faults on demand: which of them hit a call, counted, by chance or for a while, and what they do to it.

All seconds and milliseconds here are real ones, whatever the time scale. The keys of a fault, all but `kind` optional:

- `method`, `path` (a regular expression searched in `api/v2/…`; the token endpoint is hit only when it is named:
  `oauth/tokens`), `probability`, `count` (strikes until it is gone), `after` and `until` (seconds from now between
  which it strikes; a fault past its `until` is forgotten).
- `status`: `status`, `shape` of a 429's body (json, errors, text, empty), `applied` (the call does its work first),
  `retry_after` (a number, or [least, most] to draw from; left out: no header), `retry_after_share` (the share of
  strikes that carry the header, 1.0), `limit_class` (the limit that the headers claim is used up: remaining=0).
- `slow`: `ms`. `drip`: `ms` between two bytes of the body (the headers come at once). `hang`: `seconds`.
- `job_entry`: `record_id` or `record_ids` (none: every record), `error`, `details`.
- `job_stuck`, `job_killed`, `job_failed`: `entries`, how many records the job still works on before it stops (0).
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from demo.zendesk.limits import BUCKETS

# kind → what it does
KINDS = {
    "status": "answers with another status",
    "slow": "waits before it answers",
    "drip": "applies the call, then answers one byte at a time",
    "hang": "accepts the call and never answers",
    "drop_before": "closes the connection before anything is applied",
    "drop_after": "applies the call, then closes the connection without an answer",
    "truncate": "applies the call, then breaks off in the middle of the answer",
    "job_entry": "fails records inside bulk jobs",
    "job_stuck": "bulk jobs never finish",
    "job_killed": "bulk jobs end as killed",
    "job_failed": "bulk jobs end as failed",
    "job_vanish": "bulk jobs answer 404",
}
JOB_STOPS = {"job_stuck": "stuck", "job_killed": "killed", "job_failed": "failed"}
DEFAULT_PATH = "api/v2/"


@dataclass(frozen=True)
class Fault:
    """One entry of the switchboard. `count` is how often it still strikes; None: until removed."""

    id: int
    kind: str
    method: str | None = None
    path: str = DEFAULT_PATH
    probability: float = 1.0
    count: int | None = None
    status: int = 503
    retry_after: Any = None
    retry_after_share: float = 1.0
    limit_class: str | None = None
    shape: str = "json"
    applied: bool = False
    seconds: float = 30.0
    ms: int = 1000
    after: float | None = None
    until: float | None = None
    added_at: float = 0.0
    record_id: Any = None
    record_ids: list[Any] | None = None
    entries: int = 0
    error: str = "TicketUpdateFailed"
    details: str = "Status: closed prevents ticket update"

    def matches(self, method: str, path: str) -> bool:
        """Is this call in its sights? `path` is a regular expression searched in the path."""
        if self.method and self.method.upper() != method:
            return False
        return re.search(self.path, path) is not None

    def hits_record(self, record_id: Any) -> bool:
        """Is this record of a bulk job in its sights?"""
        wanted = [*(self.record_ids or ()), *([] if self.record_id is None else [self.record_id])]
        return not wanted or str(record_id) in map(str, wanted)

    def has_begun(self, at: float) -> bool:
        """Is its time already here?"""
        return self.after is None or at >= self.added_at + self.after

    def is_past(self, at: float) -> bool:
        """Is its time over?"""
        return self.until is not None and at >= self.added_at + self.until

    def check(self) -> None:
        """Raises ValueError for values that could not strike."""
        wait = self.retry_after
        is_range = isinstance(wait, list) and len(wait) == 2 and all(isinstance(part, int | float) for part in wait)
        if wait is not None and not is_range and not isinstance(wait, int | float):
            raise ValueError("retry_after must be seconds or [least, most]")
        if self.limit_class is not None and self.limit_class not in BUCKETS:
            raise ValueError(f"limit_class must be one of {', '.join(BUCKETS)}")
        re.compile(self.path)


@dataclass
class FaultBoard:
    """The active faults of one account, and the chance they strike by."""

    faults: list[Fault] = field(default_factory=list)
    latency_ms: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - chance, not secrecy
    clock: Callable[[], float] = time.time
    _next_id: int = 1

    def add(self, values: dict[str, Any]) -> Fault:
        """Switch a fault on. Raises ValueError for an unknown kind, key or a broken pattern."""
        if values.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        own = {"id": self._next_id, "added_at": self.clock()}
        try:
            fault = Fault(**{**values, **own})
            fault.check()
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
        self._next_id += 1
        self.faults.append(fault)
        return fault

    def seed(self, number: int) -> None:
        """Begin the sequence of chances again."""
        self.chance = random.Random(number)  # noqa: S311 - chance, not secrecy

    def remove(self, fault_id: int | None = None) -> None:
        """Switch one fault off, or all."""
        self.faults = [fault for fault in self.faults if fault_id is not None and fault.id != fault_id]

    def pick(self, method: str, path: str) -> list[Fault]:
        """The faults that strike this call: every `slow`, and the first of the others."""
        struck: list[Fault] = []
        for fault in self._active():
            if fault.kind.startswith("job_"):
                continue
            if fault.kind != "slow" and any(other.kind != "slow" for other in struck):
                continue
            if fault.matches(method, path) and self._strikes(fault):
                struck.append(fault)
        return struck

    def pick_job(self, kind: str, record_id: Any = None) -> Fault | None:
        """The fault of a bulk job, or of one record in it."""
        for fault in self._active():
            if fault.kind == kind and fault.hits_record(record_id) and self._strikes(fault):
                return fault
        return None

    def draw_wait(self, fault: Fault) -> str | None:
        """The Retry-After of one strike; None: without the header."""
        if fault.retry_after is None or self.chance.random() >= fault.retry_after_share:
            return None
        if isinstance(fault.retry_after, list):
            return str(self.chance.randint(*map(int, fault.retry_after)))
        return str(fault.retry_after)

    def export(self) -> list[dict[str, Any]]:
        """The active faults as JSON."""
        return [asdict(fault) for fault in self._all_current()]

    def _all_current(self) -> list[Fault]:
        if self.faults:
            at = self.clock()
            self.faults = [fault for fault in self.faults if not fault.is_past(at)]
        return self.faults

    def _active(self) -> list[Fault]:
        current = self._all_current()
        return [fault for fault in current if fault.has_begun(self.clock())] if current else []

    def _strikes(self, fault: Fault) -> bool:
        if fault.probability < 1 and self.chance.random() >= fault.probability:
            return False
        if fault.count is None:
            return True
        left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
        place = self.faults.index(fault)
        self.faults[place : place + 1] = left
        return fault.count > 0
