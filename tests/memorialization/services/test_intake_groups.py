"""Calls that wait for each other are made together; everybody gets his own answer, and nobody another's error."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError

from memorialization.services.intake_groups import GroupedCalls

PATIENCE_S = 30


class Store:
    """Answers each part with its double. The first call waits at a door; `fails` names parts that raise."""

    def __init__(self, *, limit: int = 10, fails: dict[int, Exception] | None = None) -> None:
        self.calls: list[list[int]] = []
        self.fails = fails or {}
        self.has_begun, self.door = threading.Event(), threading.Event()
        self.grouped = GroupedCalls(self.run, limit=limit)

    def run(self, parts):
        self.calls.append(list(parts))
        self.has_begun.set()
        assert self.door.wait(PATIENCE_S)
        for part in parts:
            if part in self.fails:
                raise self.fails[part]
        return [2 * part for part in parts]

    def send(self, *parts, key=lambda part: "one", size=1) -> list[Future]:
        """The first part's call is under way when the others come, in their order; then the door opens."""
        with ThreadPoolExecutor(len(parts)) as pool:
            futures = []
            for place, part in enumerate(parts):
                futures.append(pool.submit(self.grouped.call, key=key(part), part=part, size=size))
                assert self.has_begun.wait(PATIENCE_S)
                while len(self.grouped._waiting) < place:
                    pass
            self.door.set()
        return futures


def test_a_call_that_finds_nobody_is_made_at_once_and_alone():
    store = Store()
    store.door.set()
    assert [store.grouped.call(key="one", part=part, size=1) for part in (1, 2)] == [2, 4]
    assert store.calls == [[1], [2]]


def test_what_comes_meanwhile_goes_together_in_its_order_and_each_gets_its_own_answer():
    store = Store()
    futures = store.send(1, 2, 3, 4)
    assert [future.result() for future in futures] == [2, 4, 6, 8]
    assert store.calls == [[1], [2, 3, 4]]


def test_only_calls_of_one_key_go_together():
    store = Store()
    futures = store.send(1, 2, 3, 4, key=lambda part: part % 2)
    assert [future.result() for future in futures] == [2, 4, 6, 8]
    assert store.calls == [[1], [2, 4], [3]]


def test_a_group_is_bounded_but_a_larger_call_goes_alone():
    store = Store(limit=2)
    assert [future.result() for future in store.send(1, 2, 3, 4)] == [2, 4, 6, 8]
    assert store.calls == [[1], [2, 3], [4]]
    store = Store(limit=2)
    assert [future.result() for future in store.send(1, 2, 3, size=5)] == [2, 4, 6]
    assert store.calls == [[1], [2], [3]]


def test_an_error_is_only_for_the_one_whose_it_is():
    store = Store(fails={3: ZeroDivisionError("three")})
    first, second, third, fourth = store.send(1, 2, 3, 4)
    assert (first.result(), second.result(), fourth.result()) == (2, 4, 8)
    with pytest.raises(ZeroDivisionError, match="three"):
        third.result()
    assert store.calls == [[1], [2, 3, 4], [2], [3], [4]]


def test_a_database_that_is_away_is_an_error_for_everybody_in_the_group_and_tried_once():
    store = Store(fails={3: OperationalError("away")})
    first, *others = store.send(1, 2, 3, 4)
    assert first.result() == 2
    for future in others:
        with pytest.raises(OperationalError):
            future.result()
    assert store.calls == [[1], [2, 3, 4]]
    assert store.grouped.call(key="one", part=5, size=1) == 10
