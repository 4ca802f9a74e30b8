"""Failpoints: armed by one variable, silent otherwise."""

import pytest

from memorialization.deliveries import failpoints
from memorialization.deliveries.failpoints import Failpoint, FailpointReached, parse_failpoint, visit_failpoint


def test_without_the_variable_nothing_is_armed_and_a_visit_does_nothing():
    assert parse_failpoint("") is None
    assert failpoints.armed is None
    visit_failpoint("before_call")


def test_the_nth_visit_of_the_named_place_fires_once():
    point = parse_failpoint("after_call:raise:3")
    point.visit("after_call")
    point.visit("before_call")
    point.visit("after_call")
    with pytest.raises(FailpointReached):
        point.visit("after_call")
    point.visit("after_call")


def test_kill_is_sigkill_to_this_process(monkeypatch):
    signals = []
    monkeypatch.setattr(failpoints.os, "kill", lambda pid, number: signals.append((pid, number)))
    with pytest.raises(FailpointReached):
        Failpoint("after_claim", "kill").visit("after_claim")
    assert signals == [(failpoints.os.getpid(), 9)]


@pytest.mark.parametrize("text", ["somewhere:kill", "after_call", "after_call:explode", "after_call:kill:soon"])
def test_a_value_that_names_no_failpoint_stops_the_start(text):
    with pytest.raises(ValueError, match="FAILPOINT must be"):
        parse_failpoint(text)


def test_every_place_is_described_and_visited_by_the_engine(project_dir):
    sources = "".join(path.read_text() for path in (project_dir / "memorialization/services").glob("*.py"))
    for name in failpoints.NAMES:
        assert f'visit_failpoint("{name}")' in sources
        assert name in failpoints.__doc__
