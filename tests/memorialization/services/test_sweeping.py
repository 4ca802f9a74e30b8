"""The sweep: what it finds, and that it works without a broker."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from memorialization.models import Delivery, RecordLane
from memorialization.services import sweeping
from memorialization.services.claims import claim_lanes, lease_length_s
from memorialization.services.sweeping import last_heartbeat, sweep_once
from tests.engine import NOW, account_of, make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def hints(monkeypatch):
    sent = []
    monkeypatch.setattr(sweeping, "send_hint", lambda *, account_id: not sent.append(account_id))
    return sent


def test_accounts_with_due_lanes_are_woken_and_others_are_not(configuration, clock, hints):
    make_configuration(address="idle")
    make_delivery(configuration)
    report = sweep_once(clock=clock)
    assert hints == [configuration.authentication.account_id]
    assert (report.woken, report.pushed) == (1, 0)


def test_without_a_broker_the_sweep_pushes_by_itself(configuration, clock, monkeypatch):
    monkeypatch.setattr(sweeping, "send_hint", lambda *, account_id: False)
    make_delivery(configuration)
    assert sweep_once(clock=clock).pushed == 1
    assert Delivery.objects.get().state == "delivered"


def test_when_hints_are_not_answered_the_sweep_pushes_by_itself(configuration, clock, hints, settings):
    make_delivery(configuration)
    clock.move(seconds=sweeping.LATE_PERIODS * settings.SWEEP_EVERY_S)
    assert sweep_once(clock=clock).pushed == 1
    assert Delivery.objects.get().state == "delivered"


def test_lost_lanes_come_back_and_forgotten_ones_are_healed(configuration, clock, hints):
    make_delivery(configuration)
    forgotten = make_delivery(configuration, record_id="36")
    RecordLane.objects.filter(pk=forgotten.lane_id).update(next_due_at=None)
    claim_lanes(account_id=configuration.authentication.account_id, limit=1, now=clock.now)
    assert sweep_once(clock=clock).recovered == 1, "the forgotten one"
    clock.move(seconds=lease_length_s())
    assert sweep_once(clock=clock).recovered == 1, "the lost one"


def test_every_round_leaves_its_heartbeat(clock, hints):
    assert last_heartbeat(name="sweep") is None
    sweep_once(clock=clock)
    assert last_heartbeat(name="sweep") == NOW
    clock.move(seconds=10)
    sweep_once(clock=clock)
    assert last_heartbeat(name="sweep") == NOW + timedelta(seconds=10)


def test_two_sweeps_after_each_other_are_harmless(configuration, clock, hints):
    make_delivery(configuration)
    sweep_once(clock=clock)
    sweep_once(clock=clock)
    assert Delivery.objects.get().state == "waiting"
    assert account_of(configuration).calls == []


def test_the_command_drains_everything_that_is_due_and_says_so(configuration):
    for number in range(30):
        make_delivery(configuration, record_id=str(number))
    out = StringIO()
    call_command("push_deliveries", "--once", stdout=out)
    assert Delivery.objects.filter(state="delivered").count() == 30
    assert out.getvalue().strip().splitlines()[-1] == "30 tries were made; nothing more is due now."


def test_the_report_counts_by_configuration_and_state_with_the_oldest_due(configuration):
    make_delivery(configuration)
    Delivery.objects.filter(pk=make_delivery(configuration, record_id="36").pk).update(state="failed")
    out = StringIO()
    call_command("delivery_report", stdout=out)
    _header, failed, waiting, last = out.getvalue().strip().splitlines()
    assert failed.split()[-3:] == ["failed", "1", "-"]
    assert waiting.split()[-3:] == ["waiting", "1", NOW.isoformat()]
    assert last == "2 deliveries in all."
