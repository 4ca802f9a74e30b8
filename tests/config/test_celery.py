"""The worker outlives its broker: what closing a lost connection raises, and errors that end it."""

import gc
from types import SimpleNamespace

import pytest
from celery.platforms import EX_FAILURE, EX_OK
from celery.worker.consumer import Consumer

from config.celery import (
    OBJECTS_PER_COLLECTION,
    app,
    begin_anew_after_an_error,
    stop_companions,
    warm_up,
)
from config.lasting_consumer import LastingConsumer
from crm_integrations.providers import registry
from memorialization import watchdog
from memorialization.services import turns
from memorialization.services.thread_places import ThreadPlaces


def test_the_worker_connects_anew_whatever_closing_the_lost_connection_raised(monkeypatch):
    seen = []

    def fail(self, exc):
        seen.append(exc)
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Consumer, "on_connection_error_after_connected", fail)
    lost = ConnectionError("gone")
    LastingConsumer.__new__(LastingConsumer).on_connection_error_after_connected(lost)
    assert seen == [lost]
    assert app.conf.worker_consumer == "config.lasting_consumer:LastingConsumer"


@pytest.mark.parametrize(
    ("exitcode", "seconds_ago", "restarts"),
    [(EX_FAILURE, None, 1), (EX_FAILURE, watchdog.RESTARTS_EVERY_S / 2, 0), (EX_OK, None, 0), (None, None, 0)],
)
def test_a_worker_that_ended_by_an_error_starts_itself_again_but_not_for_ever(
    monkeypatch, exitcode, seconds_ago, restarts
):
    started = []
    monkeypatch.setattr(watchdog, "restart_process", lambda: started.append(1))
    monkeypatch.setattr("config.celery.time.monotonic", lambda: 10_000.0)
    monkeypatch.delenv(watchdog.RESTARTED_AT, raising=False)
    if seconds_ago is not None:
        monkeypatch.setenv(watchdog.RESTARTED_AT, str(10_000.0 - seconds_ago))
    begin_anew_after_an_error(SimpleNamespace(exitcode=exitcode))
    assert len(started) == restarts


def test_a_worker_has_loaded_its_crms_before_it_consumes_and_walks_through_nothing_of_it_again(monkeypatch):
    called = []
    monkeypatch.setattr(gc, "freeze", lambda: called.append("freeze"))
    monkeypatch.setattr(gc, "set_threshold", called.append)
    monkeypatch.setattr(registry, "all_providers", lambda: called.append("load"))
    warm_up()
    assert called == ["load", "freeze", OBJECTS_PER_COLLECTION]


def test_a_worker_that_is_asked_to_end_begins_no_further_turn(monkeypatch):
    places = ThreadPlaces()
    monkeypatch.setattr(turns, "PLACES", places)
    assert places.may_stay(threads=10)
    stop_companions()
    assert not places.may_stay(threads=10)
