"""Places for calls that people wait for: a CRM that hangs never takes all threads of a process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.utils import translation

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.services import call_places
from crm_integrations.services.call_places import CallPlaces, PlacesTaken

PATIENCE_S = 30


@pytest.fixture(autouse=True)
def two_places(settings):
    settings.INTERACTIVE_CALLS = 2


@pytest.fixture
def slow(monkeypatch):
    """Every act that has a place has taken its time already."""
    monkeypatch.setattr(call_places, "BRISK_S", -1.0)


def test_a_place_that_was_given_back_is_free_also_after_an_error(slow):
    places = CallPlaces()
    for _act in range(3):
        with pytest.raises(ZeroDivisionError), places.taking(), places.taking():
            raise ZeroDivisionError


def test_when_all_are_taken_by_slow_acts_the_next_is_refused_at_once_and_told_when_to_come_back(slow):
    places = CallPlaces()
    with places.taking(), places.taking():
        with pytest.raises(PlacesTaken) as refusal, places.taking():
            pass
        assert refusal.value.retry_after_s > 0
        assert explain_crm_error(refusal.value) == "The CRM is slow to answer just now. Try again in a moment."
    with places.taking():
        pass


def test_it_is_told_in_the_readers_language_whatever_that_of_the_act_was():
    with translation.override("en"):
        taken = PlacesTaken()
    with translation.override("fr-ca"):
        assert explain_crm_error(taken) == "Le CRM tarde à répondre en ce moment. Réessayez dans un instant."


def test_there_is_one_place_whatever_the_setting_says(slow, settings):
    settings.INTERACTIVE_CALLS = 0
    places = CallPlaces()
    with places.taking(), pytest.raises(PlacesTaken), places.taking():
        pass


def test_of_brisk_acts_the_next_waits_for_a_place(monkeypatch):
    monkeypatch.setattr(call_places, "BRISK_S", PATIENCE_S)
    places, is_in = CallPlaces(), threading.Event()

    def act():
        with places.taking():
            is_in.set()

    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        held.enter_context(places.taking())
        with places.taking():
            waiting = pool.submit(act)
            assert not is_in.is_set()
        waiting.result(PATIENCE_S)
        assert is_in.is_set()
