"""Time that runs faster in the demo: windows, jobs and tokens follow it; what the demo reports is real time."""

import pytest

from demo.zendesk.__main__ import read_arguments
from demo.zendesk.app import create_app
from demo.zendesk.demo_time import resume_time, wait_text
from tests.demo.zendesk.conftest import Desk


@pytest.fixture
def fast(clock):
    return Desk(create_app(now=clock, time_scale=10).test_client())


def test_a_window_of_a_minute_is_over_after_six_seconds(fast, clock):
    fast.control("POST", "limits", {"values": {"account": 1}})
    first, refused = fast.call("GET", "tickets/1"), fast.call("GET", "tickets/1")
    assert (first.status_code, first.headers["ratelimit-reset"]) == (200, "6")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "6")
    clock.advance(5.9)
    assert fast.call("GET", "tickets/1").headers["Retry-After"] == "1"
    clock.advance(0.1)
    assert fast.call("GET", "tickets/1").status_code == 200


def test_tenths_of_seconds_are_told_when_they_are_asked_for(fast, clock):
    assert fast.control("POST", "settings", {"precise_seconds": True}).get_json()["settings"]["precise_seconds"]
    first = fast.put_ticket(2, subject="one")
    assert first.headers["zendesk-ratelimit-tickets-update"] == "total=100; remaining=99; resets=6.0"
    clock.advance(0.22)
    assert fast.call("GET", "tickets/1").headers["ratelimit-reset"] == "5.8"


def test_a_job_of_ten_is_done_after_a_fifth_of_a_second(fast, clock):
    ids = ",".join(map(str, (2, 3, 4, 5, 9, 10, 11, 12, 13, 17)))
    started = fast.call("PUT", f"tickets/update_many?ids={ids}", {"ticket": {"priority": "low"}}).get_json()
    clock.advance(0.19)
    path = f"job_statuses/{started['job_status']['id']}"
    assert fast.get(path)["job_status"]["status"] == "working"
    clock.advance(0.02)
    assert fast.get(path)["job_status"]["status"] == "completed"


def test_a_token_lives_as_long_as_its_answer_said(fast, clock):
    assert fast.pair["expires_in"] == 180
    clock.advance(179)
    assert fast.call("GET", "tickets/1").status_code == 200
    clock.advance(2)
    assert fast.call("GET", "tickets/1").status_code == 401


def test_latency_stays_real(clock, waits):
    desk = Desk(create_app(now=clock, sleep=waits.append, time_scale=10).test_client())
    desk.control("POST", "latency", {"ms": 100})
    desk.call("GET", "tickets/1")
    assert waits == [0.1]


def test_the_logs_know_the_real_time_of_calls_and_of_records_in_jobs(fast, clock):
    begin = clock().timestamp()
    fast.call("PUT", "tickets/update_many?ids=2", {"ticket": {"subject": "x"}})
    clock.advance(1)
    [write] = fast.control("GET", "writes").get_json()["writes"]
    assert write[1] - begin == pytest.approx(0.11)
    last = fast.control("GET", "log").get_json()["calls"][-1]
    assert (last["method"], last["real_at"] - begin) == ("JOB", pytest.approx(0.11))


@pytest.mark.parametrize(
    ("seconds", "scale", "whole", "precise"), [(60, 1, "60", "60.0"), (59.01, 10, "6", "6.0"), (0.2, 20, "1", "0.1")]
)
def test_no_wait_is_told_too_short(seconds, scale, whole, precise):
    assert (wait_text(seconds, scale), wait_text(seconds, scale, is_precise=True)) == (whole, precise)
    assert min(float(whole), float(precise)) >= seconds / scale


def test_time_never_goes_back_when_the_scale_changes(tmp_path, clock):
    path = str(tmp_path / "zendesk.sqlite3")
    fast = create_app(path, clock, time_scale=20).extensions["world"]
    clock.advance(60)
    late = fast.time.at(clock())
    fast.close()
    again = create_app(path, clock).extensions["world"]
    assert again.time.at(clock()) == late
    clock.advance(5)
    assert (again.time.at(clock()) - late).total_seconds() == 5


def test_the_scale_has_bounds_and_an_environment_variable(monkeypatch):
    monkeypatch.setenv("DEMO_ZENDESK_TIME_SCALE", "5")
    assert read_arguments([]).time_scale == 5
    assert read_arguments(["--time-scale", "2.5"]).time_scale == 2.5
    with pytest.raises(ValueError, match="between 1 and 20"):
        resume_time(None, 0.0, 21)
