"""Circuits: opened by infrastructure alone, tried by one at a time, closed by the first success."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_integrations.budgets.circuits import (
    FEWEST_CALLS,
    LONGEST_WAIT,
    WINDOW_S,
    Circuit,
    CircuitState,
    begin_probe,
    is_probe_due,
    note,
)

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
PROBE_S = 30.0


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def tell(circuit: Circuit, *, calls: int = 1, failures: int = 0, seconds: float = 0) -> Circuit:
    return note(circuit, calls=calls, failures=failures, now=at(seconds), probe_s=PROBE_S)


@pytest.fixture
def opened() -> Circuit:
    return tell(Circuit(), calls=10, failures=10)


@pytest.mark.parametrize(
    ("calls", "failures", "state"),
    [
        (FEWEST_CALLS - 1, FEWEST_CALLS - 1, CircuitState.CLOSED),
        (FEWEST_CALLS, 5, CircuitState.OPEN),
        (FEWEST_CALLS, 4, CircuitState.CLOSED),
        (100, 49, CircuitState.CLOSED),
        (100, 50, CircuitState.OPEN),
    ],
)
def test_half_of_at_least_ten_calls_must_fail(calls, failures, state):
    assert tell(Circuit(), calls=calls, failures=failures).state is state


def test_failures_of_an_earlier_minute_do_not_count():
    seen = tell(Circuit(), calls=9, failures=9)
    assert tell(seen, failures=1, seconds=WINDOW_S).state is CircuitState.CLOSED
    assert tell(seen, failures=1, seconds=WINDOW_S - 1).state is CircuitState.OPEN


def test_the_first_probe_is_due_after_the_wait_and_only_one(opened):
    assert not is_probe_due(opened, at(PROBE_S - 1))
    assert is_probe_due(opened, at(PROBE_S))
    probing = begin_probe(opened, now=at(PROBE_S), probe_s=PROBE_S)
    assert not is_probe_due(probing, at(PROBE_S + 1))
    assert is_probe_due(probing, at(2 * PROBE_S))  # the prober never came back


def test_a_probe_that_fails_doubles_the_wait_up_to_ten_times(opened):
    circuit, waits, seconds = opened, [], PROBE_S
    for _ in range(6):
        circuit = tell(begin_probe(circuit, now=at(seconds), probe_s=PROBE_S), failures=1, seconds=seconds)
        waits.append((circuit.probe_at - at(seconds)).total_seconds())
        seconds += waits[-1]
    assert waits == [60, 120, 240, 300, 300, 300]
    assert circuit.opened_at == NOW


def test_failures_that_began_before_it_opened_do_not_move_the_probe(opened):
    assert tell(opened, calls=8, failures=8, seconds=20) == opened


def test_any_success_closes_it_and_forgets(opened):
    probing = begin_probe(opened, now=at(PROBE_S), probe_s=PROBE_S)
    assert tell(opened) == tell(probing) == Circuit()


@given(st.lists(st.tuples(st.floats(0, 90), st.booleans(), st.booleans()), max_size=80))
def test_it_never_waits_longer_than_ten_waits_and_always_closes_on_a_success(events):
    circuit, seconds = Circuit(), 0.0
    for gap, has_failed, is_probing in events:
        seconds += gap
        if is_probing and is_probe_due(circuit, at(seconds)):
            circuit = begin_probe(circuit, now=at(seconds), probe_s=PROBE_S)
        circuit = tell(circuit, failures=int(has_failed), seconds=seconds)
        if circuit.state is not CircuitState.CLOSED:
            assert has_failed
            assert circuit.probe_at <= at(seconds + LONGEST_WAIT * PROBE_S)
