"""Celery's doors: real messages, unknown keywords, bounds per account, and the worker's own timer."""

import threading
import time

import pytest

from memorialization import sweep_timer, tasks
from memorialization.models import Delivery
from memorialization.services.hints import send_hint
from memorialization.sweep_timer import SweepTimer
from tests.engine import make_delivery
from tests.factories import make_configuration

pytestmark = pytest.mark.usefixtures("memory_crm")


def wait_for(is_true, patience_s=10.0):
    """Real threads do the work here; this bounds the test, it measures nothing."""
    ended = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < ended, "nothing happened"
        threading.Event().wait(0.02)


@pytest.mark.django_db(transaction=True)
def test_a_hint_makes_a_worker_push_through_a_real_broker(running_worker):
    configuration = make_configuration()
    make_delivery(configuration)
    assert send_hint(account_id=configuration.authentication.account_id)
    wait_for(lambda: Delivery.objects.get().state == "delivered")


@pytest.mark.django_db
def test_tasks_tolerate_keywords_of_another_version_and_may_run_twice():
    configuration = make_configuration()
    make_delivery(configuration)
    for _ in range(2):
        tasks.push_account(configuration.authentication.account_id, colour="blue")
        tasks.sweep(colour="blue")
    assert Delivery.objects.get().state == "delivered"


def test_one_accounts_backlog_leaves_threads_to_others(settings):
    settings.WORKER_CONCURRENCY = 4
    with tasks._place_on(1) as first, tasks._place_on(1) as second, tasks._place_on(1) as third:
        assert (first, second, third) == (True, True, False)
        with tasks._place_on(2) as other:
            assert other
    with tasks._place_on(1) as again:
        assert again


def test_a_turn_that_left_something_over_is_hinted_at_again(monkeypatch):
    class Turn:
        has_more = True

    sent = []
    monkeypatch.setattr(tasks, "drain_account", lambda *, account_id: Turn)
    monkeypatch.setattr(tasks, "send_hint", lambda *, account_id: sent.append(account_id))
    tasks.push_account(7)
    assert set(sent) == {7}


@pytest.mark.django_db(transaction=True)
def test_the_workers_own_timer_delivers_without_any_broker_and_stops(monkeypatch):
    monkeypatch.setattr("memorialization.services.sweeping.send_hint", lambda *, account_id: False)
    make_delivery(make_configuration())
    timer = SweepTimer()
    timer.start()
    wait_for(lambda: Delivery.objects.get().state == "delivered")
    timer.stop()
    timer._thread.join(timeout=10)
    assert not timer._thread.is_alive()


def test_a_sweep_that_fails_does_not_end_the_timer(monkeypatch, settings):
    settings.SWEEP_EVERY_S = 0
    rounds = []

    def fail_twice():
        rounds.append(1)
        if len(rounds) < 3:
            raise RuntimeError("away")

    monkeypatch.setattr(sweep_timer, "sweep_once", fail_twice)
    monkeypatch.setattr(sweep_timer, "close_old_connections", lambda: None)
    monkeypatch.setattr(sweep_timer, "connections", _NoConnections())
    timer = SweepTimer()
    timer.start()
    wait_for(lambda: len(rounds) >= 3)
    timer.stop()
    timer._thread.join(timeout=10)


class _NoConnections:
    def close_all(self):
        pass


def test_beat_sweeps_and_drops_rounds_that_piled_up(settings):
    from config.celery import app

    entry = app.conf.beat_schedule["sweep"]
    assert entry["task"] in app.tasks
    assert entry["schedule"] == settings.SWEEP_EVERY_S
    assert entry["options"]["expires"] > entry["schedule"]
    assert app.conf.beat_schedule["check-authentications"]["task"] in app.tasks
