"""The worker's own timer: it works without any broker, survives failures, and ends."""

import os
import threading
from datetime import timedelta

import pytest

from config.stack.processes import wait_until
from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import CRMAccount
from memorialization import sweep_timer
from memorialization.models import Delivery, Heartbeat
from memorialization.sweep_timer import RESTARTED, SweepTimer
from tests.engine import make_delivery
from tests.factories import make_configuration

PATIENCE_S = 10.0

pytestmark = pytest.mark.usefixtures("memory_crm")


@pytest.fixture
def no_broker(monkeypatch):
    for place in ("sweeping.send_hint", "waking.send_backlog_hint", "turns.send_backlog_hint"):
        monkeypatch.setattr(f"memorialization.services.{place}", lambda *, account_id: False)


def end(timer):
    timer.stop()
    timer._thread.join(timeout=PATIENCE_S)
    assert not timer._thread.is_alive()
    for thread in threading.enumerate():
        if thread.name.startswith("push"):
            thread.join(timeout=PATIENCE_S)


@pytest.mark.django_db(transaction=True)
def test_it_delivers_without_any_broker_and_stops(no_broker):
    make_delivery(make_configuration())
    timer = SweepTimer()
    timer.start()
    assert wait_until(lambda: Delivery.objects.get().state == "delivered", patience_s=PATIENCE_S)
    end(timer)


@pytest.mark.django_db(transaction=True)
def test_it_wakes_an_account_at_its_moment_between_two_sweeps(no_broker):
    configuration = make_configuration()
    make_delivery(configuration)
    CRMAccount.objects.update(wake_at=read_database_clock() - timedelta(seconds=1))
    timer = SweepTimer()
    timer.look()
    assert wait_until(lambda: Delivery.objects.get().state == "delivered", patience_s=PATIENCE_S)
    timer.pushes.stop()


class _NoConnections:
    def close_all(self):
        pass


def test_rounds_that_fail_do_not_end_it_and_are_logged_once(monkeypatch, settings, caplog):
    settings.SWEEP_EVERY_S = 0
    monkeypatch.setattr(sweep_timer, "LOOK_EVERY_S", 0)
    failures = []

    def fail(**_):
        failures.append(1)
        raise ConnectionError("Alex Caller")

    monkeypatch.setattr(sweep_timer, "sweep_once", fail)
    monkeypatch.setattr(sweep_timer, "read_database_clock", fail)
    monkeypatch.setattr(sweep_timer, "close_old_connections", lambda: None)
    monkeypatch.setattr(sweep_timer, "connections", _NoConnections())
    timer = SweepTimer()
    timer.start()
    assert wait_until(lambda: len(failures) >= 10, patience_s=PATIENCE_S)
    end(timer)
    assert len(caplog.records) == 2, "one of the sweep, one of the look"
    assert "A sweep of the worker's timer failed, it goes on trying: ConnectionError at" in caplog.text
    assert "Alex Caller" not in caplog.text, "an error may quote customers' text"


@pytest.mark.django_db
def test_a_sweep_leaves_a_sign_of_life_and_counts_a_start_by_the_watchdog_once(monkeypatch):
    monkeypatch.setenv(RESTARTED, "1")
    timer = SweepTimer(worker="celery@host")
    timer.sweep()
    timer.sweep()
    assert RESTARTED not in os.environ
    assert dict(Heartbeat.objects.exclude(name__in=["heal", "sweep"]).values_list("name", "count")) == {
        "worker:celery@host": 2,
        "restart:celery@host": 1,
    }
