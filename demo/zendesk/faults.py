"""Faults on demand: which of them hit a call, counted or by chance, and what they do to it."""

import random
import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# kind → what it does
KINDS = {
    "status": "answers with another status",
    "slow": "waits before it answers",
    "hang": "accepts the call and never answers",
    "drop_before": "closes the connection before anything is applied",
    "drop_after": "applies the call, then closes the connection without an answer",
    "truncate": "applies the call, then breaks off in the middle of the answer",
    "job_entry": "fails records inside bulk jobs",
    "job_stuck": "bulk jobs never finish",
    "job_vanish": "bulk jobs answer 404",
}
DEFAULT_PATH = "api/v2/"  # the token endpoint is hit only by faults that name it


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
    retry_after: int | None = None
    shape: str = "json"
    applied: bool = False
    seconds: float = 30.0
    ms: int = 1000
    record_id: int | None = None
    error: str = "TicketUpdateFailed"
    details: str = "Status: closed prevents ticket update"

    def matches(self, method: str, path: str) -> bool:
        """Is this call in its sights? `path` is a regular expression searched in the path."""
        if self.method and self.method.upper() != method:
            return False
        return re.search(self.path, path) is not None


@dataclass
class FaultBoard:
    """The active faults of one account."""

    faults: list[Fault] = field(default_factory=list)
    latency_ms: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - chance, not secrecy
    _next_id: int = 1

    def add(self, values: dict[str, Any]) -> Fault:
        """Switch a fault on. Raises ValueError for an unknown kind, key or a broken pattern."""
        if values.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        try:
            fault = Fault(id=self._next_id, **{name: value for name, value in values.items() if name != "id"})
            re.compile(fault.path)
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
        self._next_id += 1
        self.faults.append(fault)
        return fault

    def remove(self, fault_id: int | None = None) -> None:
        """Switch one fault off, or all."""
        self.faults = [fault for fault in self.faults if fault_id is not None and fault.id != fault_id]

    def pick(self, method: str, path: str) -> list[Fault]:
        """The faults that strike this call: every `slow`, and the first of the others."""
        struck: list[Fault] = []
        for fault in [fault for fault in self.faults if not fault.kind.startswith("job_")]:
            if fault.kind != "slow" and any(other.kind != "slow" for other in struck):
                continue
            if fault.matches(method, path) and self._strikes(fault):
                struck.append(fault)
        return struck

    def pick_job(self, kind: str, record_id: int | None = None) -> Fault | None:
        """The fault of a bulk job, or of one record in it."""
        for fault in [fault for fault in self.faults if fault.kind == kind]:
            if fault.record_id in (None, record_id) and self._strikes(fault):
                return fault
        return None

    def export(self) -> list[dict[str, Any]]:
        """The active faults as JSON."""
        return [asdict(fault) for fault in self.faults]

    def _strikes(self, fault: Fault) -> bool:
        if fault.probability < 1 and self.chance.random() >= fault.probability:
            return False
        if fault.count is None:
            return True
        left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
        place = self.faults.index(fault)
        self.faults[place : place + 1] = left
        return fault.count > 0
