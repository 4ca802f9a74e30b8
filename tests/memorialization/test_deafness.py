"""When silence means that a worker is deaf, and when it does not."""

import pytest

from memorialization.deafness import CanaryWatch


@pytest.fixture
def watch():
    return CanaryWatch(after_s=60, full_s=120)


def send(watch, *moments):
    for moment in moments:
        watch.note_sent(moment)


def test_canaries_that_nobody_executes_for_the_whole_time_mean_deaf(watch):
    send(watch, 0, 15, 30, 45)
    assert not watch.is_deaf(59, is_full=False)
    assert watch.is_deaf(60, is_full=False)


def test_any_sign_of_life_begins_the_time_anew(watch):
    send(watch, 0, 15, 30)
    watch.forget()
    send(watch, 45, 60, 75)
    assert not watch.is_deaf(104, is_full=False)
    assert watch.is_deaf(105, is_full=False)


def test_a_process_that_slept_through_the_time_is_not_deaf(watch):
    send(watch, 0, 3600)
    assert not watch.is_deaf(3600, is_full=False)


def test_while_every_thread_is_at_work_the_longest_turn_is_waited_for(watch):
    send(watch, 0, 15, 30, 45)
    assert not watch.is_deaf(179, is_full=True)
    assert watch.is_deaf(180, is_full=True)


def test_a_worker_to_which_nothing_was_sent_is_not_deaf(watch):
    assert not watch.is_deaf(10_000, is_full=False)
