"""The stored circuit of an account: opened and closed with its calls, one probe for everybody."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction

from crm_integrations.budgets.circuits import CircuitState
from crm_integrations.models import CRMAccount
from crm_integrations.services.call_budgets import CallAnswer, acquire, settle
from crm_integrations.services.circuits import CircuitVerdict, give_probe_back, may_push, note_on_locked

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def probe_s(settings):
    settings.CIRCUIT_PROBE_S = 30


def make_account():
    return CRMAccount.objects.create(provider="memory", address="acme")


def note(account, *, calls=1, failures=0, seconds=0.0):
    with transaction.atomic():
        locked = CRMAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        note_on_locked(locked, calls=calls, failures=failures, now=at(seconds))


def ask(account, seconds=0.0):
    return may_push(account_id=account.pk, now=at(seconds))


def test_a_circuit_opens_lets_one_probe_through_and_closes_on_its_success():
    account = make_account()
    note(account, calls=9, failures=9)
    assert ask(account) == CircuitVerdict(CircuitState.CLOSED)
    note(account, failures=1)
    assert ask(account, 29) == CircuitVerdict(CircuitState.OPEN, at(30))
    assert ask(account, 30) == CircuitVerdict(CircuitState.PROBE, at(60))
    assert ask(account, 31) == CircuitVerdict(CircuitState.OPEN, at(60))
    note(account, seconds=32)
    assert ask(account, 32).state is CircuitState.CLOSED
    account.refresh_from_db()
    assert (account.circuit_probe_at, account.circuit_failures) == (None, 0)


def test_a_probe_that_fails_opens_it_again_for_twice_as_long():
    account = make_account()
    note(account, calls=10, failures=10)
    assert ask(account, 30).state is CircuitState.PROBE
    note(account, failures=1, seconds=31)
    assert ask(account, 90) == CircuitVerdict(CircuitState.OPEN, at(91))
    assert ask(account, 91).state is CircuitState.PROBE


def test_a_prober_that_died_leaves_its_place_to_the_next():
    account = make_account()
    note(account, calls=10, failures=10)
    assert ask(account, 30).state is CircuitState.PROBE
    assert ask(account, 59).state is CircuitState.OPEN
    assert ask(account, 60).state is CircuitState.PROBE


def test_a_probe_that_was_given_back_is_the_next_ones_and_one_that_was_lost_is_not_given_back():
    account = make_account()
    note(account, calls=10, failures=10)
    verdict = ask(account, 30)
    give_probe_back(account_id=account.pk, verdict=verdict, now=at(31))
    assert ask(account, 31).state is CircuitState.PROBE
    give_probe_back(account_id=account.pk, verdict=verdict, now=at(32))
    assert ask(account, 32).state is CircuitState.OPEN


@pytest.mark.parametrize(("lasted_s", "state"), [(20, CircuitState.OPEN), (1, CircuitState.CLOSED)])
def test_two_calls_that_hang_open_it_though_they_fill_a_minute(lasted_s, state):
    account = make_account()
    for seconds in (0, lasted_s):
        grant = acquire(account_id=account.pk, limit_classes=["account"], is_interactive=False, now=at(seconds))
        settle(account_id=account.pk, answers=[CallAnswer(grant, at(seconds + lasted_s), has_failed=True)])
    assert ask(account, 2 * lasted_s).state is state


@pytest.mark.parametrize(("has_failed", "answered"), [(False, -1), (True, 29)])
def test_what_tells_of_before_it_opened_changes_nothing(has_failed, answered):
    """A worker keeps answers until its next grant, and a call that hung tells of the time when it began."""
    account = make_account()
    grant = acquire(account_id=account.pk, limit_classes=["account"], is_interactive=False, now=at(-2))
    note(account, calls=10, failures=10)
    verdict = ask(account, 30)
    settle(account_id=account.pk, answers=[CallAnswer(grant, at(answered), has_failed=has_failed)])
    account.refresh_from_db()
    assert (account.circuit_state, account.circuit_probe_at) == (CircuitState.HALF_OPEN, verdict.until)


def test_a_success_after_it_opened_closes_it_whenever_the_call_began():
    account = make_account()
    grant = acquire(account_id=account.pk, limit_classes=["account"], is_interactive=False, now=at(-2))
    note(account, calls=10, failures=10)
    settle(account_id=account.pk, answers=[CallAnswer(grant, at(1))])
    assert ask(account, 2).state is CircuitState.CLOSED


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_wins_the_probe():
    account = make_account()
    note(account, calls=10, failures=10)
    start, states = threading.Barrier(8), []

    def work():
        try:
            start.wait()
            states.append(ask(account, 30).state)
        except Exception as error:
            states.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [CircuitState.OPEN] * 7 + [CircuitState.PROBE]
