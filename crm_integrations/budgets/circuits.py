"""The circuit of an account: while its CRM is down, nobody pushes, and one delivery at a time looks whether it is back.

Only infrastructure opens it: whatever the CRM answers, be it a refusal, shows that it is there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

WINDOW_S = 60.0
FEWEST_CALLS = 10  # before so many calls nothing is concluded
FAILING_SHARE = 0.5
HUNG_S = 10.0  # a call that failed after so long hung; grants may be some seconds older than their call
HUNG_WEIGHT = 5  # of such a call: at one or two a minute and thread, ten would not come together in a window
LONGEST_WAIT = 10  # between probes, in times the first wait


class CircuitState(StrEnum):
    """`probe` is only ever a verdict: this caller, and nobody else, may try once."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Circuit:
    """`probes`: how many in a row have failed; `probe_at`: when the next may be made, by somebody.

    `calls` and `failures` are those of the window since `window_at`.
    """

    state: CircuitState = CircuitState.CLOSED
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0
    window_at: datetime | None = None
    calls: int = 0
    failures: int = 0


def note(circuit: Circuit, *, calls: int, failures: int, now: datetime, probe_s: float) -> Circuit:
    """After some calls: opened by too many failures, closed by any success, re-opened by a probe that failed."""
    if circuit.state is not CircuitState.CLOSED:
        return _note_while_open(circuit, calls, failures, now, probe_s)
    counted = _count(circuit, calls, failures, now)
    if counted.calls < FEWEST_CALLS or counted.failures < FAILING_SHARE * counted.calls:
        return counted
    return Circuit(CircuitState.OPEN, opened_at=now, probe_at=now + timedelta(seconds=probe_s))


def weigh_failure(*, lasted_s: float) -> int:
    """As how many failures a call counts that failed after so long."""
    return HUNG_WEIGHT if lasted_s >= HUNG_S else 1


def is_probe_due(circuit: Circuit, now: datetime) -> bool:
    """Whether somebody should try; also when the last who tried never came back."""
    return circuit.state is not CircuitState.CLOSED and (circuit.probe_at is None or circuit.probe_at <= now)


def begin_probe(circuit: Circuit, *, now: datetime, probe_s: float) -> Circuit:
    """One tries now; should nothing be heard of it, the next may after the same wait."""
    return replace(circuit, state=CircuitState.HALF_OPEN, probe_at=now + timedelta(seconds=_wait(circuit, probe_s)))


def _note_while_open(circuit: Circuit, calls: int, failures: int, now: datetime, probe_s: float) -> Circuit:
    if calls > failures:
        return Circuit()
    if not failures or circuit.state is CircuitState.OPEN:  # a late failure from before it opened tells nothing new
        return circuit
    failed = replace(circuit, state=CircuitState.OPEN, probes=circuit.probes + 1)
    return replace(failed, probe_at=now + timedelta(seconds=_wait(failed, probe_s)))


def _wait(circuit: Circuit, probe_s: float) -> float:
    return float(min(probe_s * 2 ** min(circuit.probes, 10), probe_s * LONGEST_WAIT))


def _count(circuit: Circuit, calls: int, failures: int, now: datetime) -> Circuit:
    is_over = circuit.window_at is None or circuit.window_at + timedelta(seconds=WINDOW_S) <= now
    if is_over:
        return replace(circuit, window_at=now, calls=calls, failures=failures)
    return replace(circuit, calls=circuit.calls + calls, failures=circuit.failures + failures)
