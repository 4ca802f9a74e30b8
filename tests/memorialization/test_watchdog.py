"""The watchdog: what it counts as silence, and how rarely it starts its worker again."""

import os
import sys

import pytest

from memorialization import watchdog
from memorialization.services.thread_places import ThreadPlaces
from memorialization.watchdog import RESTARTED_AT, Watchdog, canary_queue, may_restart, restart_process


@pytest.fixture
def restarts(monkeypatch, settings):
    settings.WATCHDOG_AFTER_S = 60
    monkeypatch.setattr(watchdog, "lease_length_s", lambda: 120)
    monkeypatch.delenv(RESTARTED_AT, raising=False)
    monkeypatch.setattr(watchdog, "PLACES", ThreadPlaces())
    monkeypatch.setattr(watchdog, "LAST_CALLS_S", 0.0)
    return []


@pytest.fixture
def dog(restarts):
    return Watchdog(queue="watch.me", threads=2, send=lambda queue: None, restart=lambda: restarts.append(1))


def look_until(dog, end, *, since=0):
    return [moment for moment in range(since, end + 1, 15) if dog.look(moment)]


def test_a_deaf_worker_starts_itself_again_after_the_time(dog, restarts):
    assert look_until(dog, 60) == [60]
    assert restarts == [1]


def test_a_worker_that_begins_tasks_is_let_alone(dog, restarts):
    for moment in range(0, 600, 15):
        dog.look(moment)
        dog._on_begin()
        dog._on_end()
    assert restarts == []


def test_a_broker_that_is_away_is_no_reason(restarts):
    def refuse(queue):
        raise ConnectionError

    dog = Watchdog(queue="watch.me", threads=2, send=refuse, restart=lambda: restarts.append(1))
    assert look_until(dog, 600) == []


def test_busy_threads_are_no_reason_until_no_turn_can_take_so_long(dog, restarts):
    dog._on_begin()
    dog._on_begin()
    assert look_until(dog, 165) == []
    assert look_until(dog, 180, since=180) == [180]


def test_a_worker_that_is_asked_to_end_does_not_start_again(dog, restarts):
    dog.stop()
    assert look_until(dog, 600) == []
    assert restarts == []


def test_it_grants_no_place_any_more_before_it_starts_again(dog):
    look_until(dog, 60)
    with watchdog.PLACES.place_on(1, threads=10, is_circuit_closed=lambda: True) as place:
        assert not place.is_granted


def test_a_worker_that_cannot_start_again_ends_for_its_supervisor(restarts, caplog):
    """It has closed its places: alive, it would do nothing and be missed by nobody."""

    def find_no_interpreter():
        raise FileNotFoundError("/venv/bin/python")

    ends = []
    dog = Watchdog(
        queue="watch.me",
        threads=2,
        send=lambda queue: None,
        restart=find_no_interpreter,
        end=lambda: ends.append(1),
    )
    look_until(dog, 60)
    assert ends == [1]
    assert "could not start itself again (/venv/bin/python); it ends" in caplog.text


def test_ending_says_that_it_failed(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    watchdog.end_process()
    assert codes == [1]


def test_it_starts_again_at_most_once_in_five_minutes(dog, restarts, monkeypatch, caplog):
    monkeypatch.setenv(RESTARTED_AT, "0")
    assert look_until(dog, 285) == []
    assert "waits before it starts itself once more" in caplog.text
    assert len(look_until(dog, 420, since=300)) == 1


def test_a_machine_that_started_anew_counts_as_long_ago(monkeypatch):
    monkeypatch.setenv(RESTARTED_AT, "5000")
    assert may_restart(now=10)
    assert not may_restart(now=5010)


def test_starting_again_runs_the_same_command_by_the_same_interpreter(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda path, command: started.append((path, command)))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "celery", "worker"])
    for name in (watchdog.RESTARTED, RESTARTED_AT):
        monkeypatch.setenv(name, "")
    restart_process()
    assert started == [(sys.executable, [sys.executable, "-m", "celery", "worker"])]
    assert os.environ[watchdog.RESTARTED] == "1"
    assert not may_restart(now=float(os.environ[RESTARTED_AT]) + 1)


def test_the_canaries_of_two_processes_do_not_meet_and_no_other_message_joins_them():
    queue = canary_queue(worker="celery@host")
    assert str(os.getpid()) in queue.name
    assert queue.routing_key == queue.name
    assert queue.expires == watchdog.QUEUE_LIFE_S
