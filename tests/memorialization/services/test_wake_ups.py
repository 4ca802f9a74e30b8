"""When an account is looked at again: nothing that fell due is missed, and nobody looks while it is no use."""

from datetime import timedelta

import pytest

from crm_integrations.models import CRMAccount
from memorialization.models import RecordLane
from memorialization.services import draining
from memorialization.services.wake_ups import wake_at
from tests.engine import NOW, make_delivery, push_all
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def open_circuit(*, probe_in_s, probes=0):
    CRMAccount.objects.update(
        circuit_state="open", circuit_probe_at=NOW + timedelta(seconds=probe_in_s), circuit_probes=probes
    )


def test_of_two_moments_the_earlier_counts(configuration):
    account_id = configuration.authentication.account_id
    for seconds in (9, 5, 7):
        wake_at(account_id=account_id, moment=NOW + timedelta(seconds=seconds))
    wake_at(account_id=account_id, moment=None)
    assert CRMAccount.objects.get().wake_at == NOW + timedelta(seconds=5)


def test_what_falls_due_while_a_turn_ends_is_not_left_to_the_sweep(configuration, clock, monkeypatch):
    due_at = NOW + timedelta(milliseconds=5)
    make_delivery(configuration, next_attempt_at=due_at)
    find = draining.WorkFinder.find

    def find_slowly(self, now):
        found = find(self, now)
        clock.move(milliseconds=10)
        return found

    monkeypatch.setattr(draining.WorkFinder, "find", find_slowly)
    monkeypatch.setattr(draining, "_push_round", lambda turn, finder, works: False)
    push_all(configuration, clock)
    assert CRMAccount.objects.get().wake_at == due_at


def test_while_the_circuit_is_open_retries_wake_nobody_before_the_probe(configuration, clock):
    make_delivery(configuration, next_attempt_at=NOW + timedelta(seconds=3))
    open_circuit(probe_in_s=30)
    push_all(configuration, clock)
    assert CRMAccount.objects.get().wake_at == NOW + timedelta(seconds=30)


def test_a_probe_for_which_nothing_was_due_is_kept_for_what_comes(configuration, clock):
    open_circuit(probe_in_s=0, probes=5)
    assert push_all(configuration, clock).deliveries == 0
    delivery = make_delivery(configuration, next_attempt_at=NOW)
    assert RecordLane.objects.filter(next_due_at=NOW).exists()
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert CRMAccount.objects.get().circuit_state == "closed"
