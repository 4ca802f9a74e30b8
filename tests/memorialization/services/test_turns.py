"""Turns in a worker's threads: accounts that hang, what is hinted at again, and pushes without a broker."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from itertools import count, islice

import pytest

from memorialization.services import turns
from memorialization.services.thread_places import ThreadPlaces
from memorialization.services.turns import BackgroundPushes, take_turn
from tests.factories import make_authentication

PATIENCE_S = 10.0  # bounds a test that fails; none waits for it


class Turn:
    def __init__(self, has_more):
        self.has_more = has_more


@pytest.fixture(autouse=True)
def places(monkeypatch, settings):
    settings.WORKER_CONCURRENCY = 10
    fresh = ThreadPlaces()
    monkeypatch.setattr(turns, "PLACES", fresh)
    monkeypatch.setattr(turns, "has_closed_circuit", lambda *, account_id: True)
    return fresh


@pytest.fixture
def engine(monkeypatch):
    """Turns that end when they are told to; `begun` counts them by account."""
    return Engine(monkeypatch)


class Engine:
    def __init__(self, monkeypatch):
        self.begun = Counter()
        self.changed = threading.Condition()
        self.release = threading.Event()
        self.hanging = set()
        monkeypatch.setattr(turns, "drain_account", self.drain)

    def drain(self, *, account_id, call_others):
        with self.changed:
            self.begun[account_id] += 1
            self.changed.notify_all()
        if account_id in self.hanging:
            assert self.release.wait(PATIENCE_S)
        return Turn(has_more=False)

    def wait_for(self, is_true):
        with self.changed:
            assert self.changed.wait_for(is_true, PATIENCE_S)


def wait_for_some(futures, count):
    """Until so many of them are done."""
    assert len(list(islice(as_completed(futures, timeout=PATIENCE_S), count))) == count


def test_two_accounts_that_hang_leave_threads_to_a_third(engine):
    engine.hanging = {1, 2}
    with ThreadPoolExecutor(10) as worker:
        hanging = [worker.submit(take_turn, account_id=account_id) for account_id in (1, 2) for _ in range(20)]
        engine.wait_for(lambda: engine.begun == {1: 3, 2: 3})
        wait_for_some(hanging, 34)
        fresh = [worker.submit(take_turn, account_id=3) for _ in range(5)]
        done, late = wait(fresh, timeout=PATIENCE_S)
        engine.release.set()
    assert late == set() and engine.begun[3] >= 1
    assert sum(each.result() for each in hanging) == 2, "each of the two is hinted at once more"


@pytest.fixture
def backlog(monkeypatch):
    """An account that always has more; the list of the turns on it, of which the fifth is the last that is allowed."""
    taken = []

    def drain(*, account_id, call_others):
        taken.append(account_id)
        assert len(taken) < 6
        return Turn(has_more=True)

    monkeypatch.setattr(turns, "drain_account", drain)
    return taken


@pytest.mark.parametrize(("seconds", "most"), [(turns.STAY_S, 1), (turns.STAY_S / 3, 3)])
def test_a_thread_goes_on_with_an_account_for_a_while_and_leaves_the_rest_to_two_hints(
    backlog, monkeypatch, seconds, most
):
    monkeypatch.setattr(turns, "SLOW_TURN_S", 2 * turns.STAY_S)
    moments = count(100.0, seconds)
    with monkeypatch.context() as patch:
        patch.setattr(turns.time, "monotonic", lambda: next(moments))
        assert take_turn(account_id=1) == 2
    assert len(backlog) == most


def test_a_thread_does_not_go_on_while_no_other_is_free(backlog, settings):
    settings.WORKER_CONCURRENCY = 3
    assert (take_turn(account_id=1), len(backlog)) == (2, 1)


def test_a_thread_does_not_go_on_with_a_slow_account(backlog, monkeypatch):
    monkeypatch.setattr(turns, "SLOW_TURN_S", 0.0)
    assert (take_turn(account_id=1), len(backlog)) == (2, 1)


def test_a_thread_does_not_go_on_in_a_process_that_is_about_to_end(places, monkeypatch):
    def drain(*, account_id, call_others):
        places.close()
        return Turn(has_more=True)

    monkeypatch.setattr(turns, "drain_account", drain)
    assert take_turn(account_id=1) == 2


def test_a_turn_that_left_nothing_calls_for_no_hint(engine):
    assert take_turn(account_id=1) == 0


@pytest.mark.parametrize(("seconds", "most"), [(turns.SLOW_TURN_S - 0.1, 3), (turns.SLOW_TURN_S, 1)])
def test_an_account_is_slow_when_its_turn_took_much_longer_than_a_turn(engine, places, monkeypatch, seconds, most):
    moments = iter([100.0, 100.0 + seconds])
    with monkeypatch.context() as patch:
        patch.setattr(turns.time, "monotonic", lambda: next(moments))
        take_turn(account_id=1)
    engine.hanging = {1}
    with ThreadPoolExecutor(10) as worker:
        asked = [worker.submit(take_turn, account_id=1) for _ in range(10)]
        wait_for_some(asked, 10 - most)
        engine.release.set()
    assert engine.begun[1] == 1 + most


def test_a_turn_that_fails_gives_its_place_back(places, monkeypatch):
    def fail(*, account_id, call_others):
        raise ConnectionError

    monkeypatch.setattr(turns, "drain_account", fail)
    with pytest.raises(ConnectionError):
        take_turn(account_id=1)
    assert places.taken == 0


@pytest.mark.django_db
def test_a_turn_on_an_account_that_was_deleted_does_nothing(monkeypatch, places):
    monkeypatch.undo()
    account = make_authentication().account
    gone = account.pk
    account.authentications.all().delete()
    account.delete()
    assert take_turn(account_id=gone) == 0


@pytest.mark.django_db
def test_only_a_closed_circuit_is_closed(monkeypatch):
    monkeypatch.undo()
    account = make_authentication().account
    assert turns.has_closed_circuit(account_id=account.pk)
    account.circuit_state = account.Circuit.HALF_OPEN
    account.save()
    assert not turns.has_closed_circuit(account_id=account.pk)


def test_without_a_broker_a_backlog_is_pushed_turn_by_turn(monkeypatch):
    monkeypatch.setattr(turns, "send_backlog_hint", lambda *, account_id: False)
    left, finished = {1: 3, 2: 1}, threading.Barrier(3, timeout=PATIENCE_S)

    def drain(*, account_id, call_others):
        left[account_id] -= 1
        if not left[account_id]:
            finished.wait()
        return Turn(has_more=left[account_id] > 0)

    monkeypatch.setattr(turns, "drain_account", drain)
    pushes = BackgroundPushes()
    pushes.push(1)
    pushes.push(2)
    finished.wait()
    pushes.stop()
    assert left == {1: 0, 2: 0}


def test_a_push_that_fails_says_where_and_not_what_the_error_says(monkeypatch, caplog):
    def fail(*, account_id, call_others):
        raise ValueError("Alex Caller")

    monkeypatch.setattr(turns, "drain_account", fail)
    BackgroundPushes()._take_turn(1)
    assert "A turn on account 1 failed, the sweep comes back to it: ValueError at test_turns.py:" in caplog.text
    assert "Alex Caller" not in caplog.text


def test_pushes_that_were_stopped_begin_no_turn(engine):
    pushes = BackgroundPushes()
    pushes.stop()
    pushes.push(1)
    assert engine.begun == {}
