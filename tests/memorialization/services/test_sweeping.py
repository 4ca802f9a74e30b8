"""The sweep: what it finds, and that it works without a broker."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError

from crm_integrations.models import CallBudget, CRMAccount
from memorialization.models import Delivery, Heartbeat, RecordLane
from memorialization.services import sweeping
from memorialization.services.claims import lease_length_s
from memorialization.services.heartbeats import last_heartbeat
from memorialization.services.intake import accept_events
from memorialization.services.sweeping import sweep_once
from tests.engine import NOW, account_of, claim_due, make_delivery
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

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


def test_what_a_round_folds_is_woken_in_the_same_round(configuration, clock, hints):
    """Else an event whose hint was lost waits for two rounds; here the clock goes on at each look."""
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]})
    records = {"records": [{"entityType": "ticket", "id": "35"}]}
    event = voice(contactId="1", fields={"skillName": "S"}, **records)
    accept_events(configuration=configuration, payloads=[event], received_at=NOW)

    def go_on():
        clock.move(seconds=1)
        return clock.now

    assert sweep_once(clock=go_on).found.folded == 1
    assert hints == [configuration.authentication.account_id]


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


def test_an_account_that_cannot_be_pushed_does_not_keep_back_the_others(configuration, clock, monkeypatch, caplog):
    """Its kind of CRM was taken out of the settings; it was made first, so it comes first."""
    monkeypatch.setattr(sweeping, "send_hint", lambda *, account_id: False)
    other = make_delivery(make_configuration(address="other"))
    make_delivery(configuration)
    CRMAccount.objects.filter(pk=configuration.authentication.account_id).update(provider="gone")
    assert sweep_once(clock=clock).pushed == 2
    other.refresh_from_db()
    assert other.state == "delivered"
    assert "could not be pushed: " in caplog.text


def test_a_database_that_is_away_ends_the_round_and_is_no_accounts_fault(configuration, clock, monkeypatch, caplog):
    def fail(_account_id):
        raise OperationalError("gone")

    monkeypatch.setattr(sweeping, "send_hint", lambda *, account_id: False)
    make_delivery(configuration)
    with pytest.raises(OperationalError):
        sweep_once(clock=clock, push=fail)
    assert "could not be pushed" not in caplog.text


def test_lost_lanes_come_back_and_forgotten_ones_are_healed(configuration, clock, hints):
    make_delivery(configuration)
    forgotten = make_delivery(configuration, record_id="36")
    RecordLane.objects.filter(pk=forgotten.lane_id).update(next_due_at=None)
    claim_due(configuration, limit=1, now=clock.now)
    assert sweep_once(clock=clock).found.recovered == 1, "the forgotten one"
    clock.move(seconds=lease_length_s())
    assert sweep_once(clock=clock).found.recovered == 1, "the lost one"


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


def test_what_readiness_still_asks_for_outlasts_the_sweep(configuration, clock, hints):
    CallBudget.objects.create(
        account=configuration.authentication.account, limit_class="account", window_s=60.0, blocked_until=NOW
    )
    clock.move(seconds=59)
    sweep_once(clock=clock)
    assert CallBudget.objects.get().blocked_until == NOW
    clock.move(seconds=2)
    sweep_once(clock=clock)
    assert CallBudget.objects.get().blocked_until is None


def test_workers_of_another_day_are_forgotten(clock, hints):
    for name, hours in (("worker:gone", 30), ("worker:here", 1), ("restart:gone", 30)):
        Heartbeat.objects.create(name=name, at=NOW - timedelta(hours=hours))
    sweep_once(clock=clock)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker:here", "restart:gone", "heal", "sweep"}


def test_a_sweep_that_is_given_a_way_to_push_does_not_push_by_itself(configuration, clock, monkeypatch):
    monkeypatch.setattr(sweeping, "send_hint", lambda *, account_id: False)
    make_delivery(configuration)
    pushed = []
    assert sweep_once(clock=clock, push=pushed.append).pushed == 1
    assert pushed == [configuration.authentication.account_id]
    assert account_of(configuration).calls == []


def test_the_report_counts_by_configuration_and_state_with_the_oldest_due(configuration):
    make_delivery(configuration)
    Delivery.objects.filter(pk=make_delivery(configuration, record_id="36").pk).update(state="failed")
    out = StringIO()
    call_command("delivery_report", stdout=out)
    _header, failed, waiting, last = out.getvalue().strip().splitlines()
    assert failed.split()[-3:] == ["failed", "1", "-"]
    assert waiting.split()[-3:] == ["waiting", "1", NOW.isoformat()]
    assert last == "2 deliveries in all."
