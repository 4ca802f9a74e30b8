"""`manage.py push_deliveries`: a worker without Celery, which does all that a worker does."""

import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_integrations.models import CallBudget, CRMAccount
from memorialization.models import Delivery, RecordLane, ReplayRun
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.services.heartbeats import last_heartbeat
from memorialization.services.intake import accept_events
from memorialization.services.replay_choices import ReplayChoice
from memorialization.services.replay_runs import start_replay_run
from memorialization.services.replay_work import claim_run
from tests.engine import NOW, account_of, make_delivery
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def push_once():
    out = StringIO()
    call_command("push_deliveries", "--once", stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def test_it_drains_everything_that_is_due_and_says_so(configuration):
    for number in range(30):
        make_delivery(configuration, record_id=str(number))
    last_line = push_once()
    assert Delivery.objects.filter(state="delivered").count() == 30
    assert last_line == "30 tries were made; nothing more is due now."


def test_it_takes_the_moments_of_accounts_as_a_workers_timer_does(configuration):
    make_delivery(configuration)
    CRMAccount.objects.update(wake_at=NOW)
    push_once()
    assert Delivery.objects.get().state == "delivered"
    assert CRMAccount.objects.get().wake_at is None


def test_it_does_not_wait_for_an_account_that_is_blocked_for_long(configuration):
    make_delivery(configuration)
    CallBudget.objects.create(
        account=configuration.authentication.account,
        limit_class="account",
        window_s=60.0,
        blocked_until=timezone.now() + timedelta(hours=1),
    )
    push_once()
    assert Delivery.objects.get().state == "waiting"
    assert account_of(configuration).calls == []


def test_an_account_that_raises_keeps_back_no_other_and_is_no_success(configuration, caplog):
    """Its kind of CRM was taken out of the settings."""
    make_delivery(configuration)
    other = make_delivery(make_configuration(address="other"))
    CRMAccount.objects.filter(pk=configuration.authentication.account_id).update(provider="gone")
    with pytest.raises(CommandError, match="1 tries were made; accounts that could not be pushed: 1"):
        push_once()
    other.refresh_from_db()
    assert other.state == "delivered"
    assert f"Account {configuration.authentication.account_id} could not be pushed: UnknownProvider at" in caplog.text


def start_run():
    return start_replay_run(
        choice=ReplayChoice(LedgerFilters(state="failed")), key=uuid.uuid4(), actor=None, now=timezone.now()
    )


def test_it_works_on_replay_runs_at_once(configuration):
    delivery = make_delivery(configuration)
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", next_attempt_at=None)
    run = start_run()
    assert push_once() == "1 tries were made; nothing more is due now."
    run.refresh_from_db()
    assert (run.state, run.replayed) == ("finished", 1)
    assert delivery.replays.get().state == "delivered"


def test_it_waits_for_a_run_whose_worker_died(configuration):
    run = start_run()
    assert claim_run(run_id=run.pk, now=timezone.now())
    ReplayRun.objects.update(lease_until=timezone.now() + timedelta(seconds=0.2))
    push_once()
    run.refresh_from_db()
    assert run.state == "finished"


def test_it_heals_and_tidies_up_as_every_sweep_does(configuration):
    forgotten = make_delivery(configuration)
    RecordLane.objects.update(next_due_at=None)
    push_once()
    forgotten.refresh_from_db()
    assert forgotten.state == "delivered"
    assert last_heartbeat(name="heal") and last_heartbeat(name="sweep")


def test_it_does_not_end_while_events_wait_to_be_folded(configuration, monkeypatch):
    monkeypatch.setattr("memorialization.services.sweeping.FOLDING_S", 0.001)  # some of them in a round
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]})
    account_of(configuration).records["ticket", "35"] = {}
    records = {"records": [{"entityType": "ticket", "id": "35"}]}
    payloads = [voice(contactId=str(number), fields={"skillName": "S"}, **records) for number in range(60)]
    accept_events(configuration=configuration, payloads=payloads, received_at=NOW)
    push_once()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Delivery.objects.count() == 60
