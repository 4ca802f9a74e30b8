"""Figures of data memorialization."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_integrations.models import Authentication, CallBudget, CRMAccount
from memorialization.metrics import memorialization_metrics
from memorialization.models import BulkWrite, Contact, Heartbeat, Interaction, InteractionEvent, RecordLane
from memorialization.selectors import row_counts
from tests.engine import make_delivery
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact():
    return Contact.objects.create(configuration=make_configuration(), contact_id="1")


def samples():
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in memorialization_metrics()
        for sample in family.samples
    }


def add_event(contact, number, received_at):
    return InteractionEvent.objects.create(
        configuration=contact.configuration,
        contact=contact,
        event_id=str(number),
        type="interaction.ended",
        occurred_at=received_at,
        ordered_at=received_at,
        received_at=received_at,
        body={},
        body_hash="0",
    )


def test_every_state_has_a_figure_even_when_it_is_nought():
    figures = samples()
    assert figures[("agent_integrations_deliveries", "failed")] == 0
    assert figures[("agent_integrations_oldest_due_delivery_age_seconds",)] == 0
    assert figures[("agent_integrations_last_event_number",)] == 0


def test_interactions_that_wait_are_counted(contact):
    for segment, state in (("a", "waiting"), ("b", "planned")):
        Interaction.objects.create(
            configuration=contact.configuration, contact=contact, channel="voice", segment_id=segment, state=state
        )
    assert samples()[("agent_integrations_interactions_waiting",)] == 1


def test_all_rows_are_counted_once_a_minute_and_without_the_cache_each_time(contact, monkeypatch):
    def wait_for_one_more():
        Interaction.objects.create(
            configuration=contact.configuration, contact=contact, channel="voice", state="waiting",
            segment_id=str(Interaction.objects.count()),
        )  # fmt: skip

    name = ("agent_integrations_interactions_waiting",)
    wait_for_one_more()
    assert samples()[name] == 1
    wait_for_one_more()
    assert samples()[name] == 1

    def fail(*_arguments):
        raise ConnectionError

    monkeypatch.setattr(row_counts.cache, "get_or_set", fail, raising=False)
    assert samples()[name] == 2


def test_interactions_whose_records_are_looked_for_are_counted(contact):
    due_at = timezone.now() - timedelta(seconds=30)
    Interaction.objects.create(
        configuration=contact.configuration, contact=contact, channel="voice", match_due_at=due_at
    )
    figures = samples()
    assert figures[("agent_integrations_interactions_to_match",)] == 1
    assert 30 <= figures[("agent_integrations_oldest_match_age_seconds",)] < 60


def test_only_events_of_the_last_minutes_count_as_recent(contact):
    now = timezone.now()
    add_event(contact, 1, now - timedelta(hours=1))
    newest = add_event(contact, 2, now)
    figures = samples()
    assert figures[("agent_integrations_events_last_5_minutes", "interaction.ended")] == 1
    assert figures[("agent_integrations_last_event_number",)] == newest.pk


ACCOUNT = "memory:acme"


@pytest.fixture
def behind(memory_crm, contact):
    """An account with a delivery that is due for long, and nobody at work."""
    Authentication.objects.update(state_changed_at=timezone.now() - timedelta(days=1))
    make_delivery(contact.configuration)
    return CRMAccount.objects.get()


def test_an_account_that_does_not_move_is_stuck_and_shows_since_when(behind):
    figures = samples()
    assert figures[("agent_integrations_stuck_accounts",)] == 1
    assert figures[("agent_integrations_account_stuck", ACCOUNT)] == 1
    assert figures[("agent_integrations_account_due_records", ACCOUNT)] == 1
    age_s = figures[("agent_integrations_account_oldest_due_age_seconds", ACCOUNT)]
    assert age_s > 60
    assert figures[("agent_integrations_oldest_due_delivery_age_seconds",)] == age_s


def test_what_holds_an_account_up_shows_and_is_not_stuck(behind):
    CRMAccount.objects.update(circuit_state="open", circuit_probe_at=timezone.now() + timedelta(minutes=1))
    CallBudget.objects.create(
        account=behind, limit_class="account", window_s=60.0, blocked_until=timezone.now() + timedelta(minutes=5)
    )
    figures = samples()
    assert figures[("agent_integrations_stuck_accounts",)] == 0
    assert figures[("agent_integrations_account_circuit", ACCOUNT, "open")] == 1
    assert figures[("agent_integrations_account_circuit", ACCOUNT, "closed")] == 0
    assert 200 < figures[("agent_integrations_account_limit_opens_in_seconds", ACCOUNT, "account")] <= 300


def test_held_authentications_settling_records_and_bulk_writes_show(behind):
    now = timezone.now()
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    RecordLane.objects.update(closed_until=now + timedelta(minutes=1))
    BulkWrite.objects.create(
        account=behind, entity_type="ticket", size=3, lease="0" * 32, created_at=now, progressed_at=now, poll_at=now
    )
    figures = samples()
    assert figures[("agent_integrations_account_held_authentications", ACCOUNT)] == 1
    assert figures[("agent_integrations_account_settling_records", ACCOUNT)] == 1
    assert figures[("agent_integrations_account_leased_records", ACCOUNT)] == 0
    assert figures[("agent_integrations_account_in_bulk_records", ACCOUNT)] == 0
    assert figures[("agent_integrations_account_bulk_writes", ACCOUNT)] == 1
    assert figures[("agent_integrations_stuck_accounts",)] == 0


def test_workers_show_when_they_were_seen_and_how_often_they_started_themselves_again():
    now = timezone.now()
    for name, count in (("worker:celery@one", 9), ("restart:celery@one", 2), ("sweep", 9), ("heal", 1)):
        Heartbeat.objects.create(name=name, at=now - timedelta(seconds=30), count=count)
    figures = samples()
    assert figures[("agent_integrations_worker_restarts", "celery@one")] == 2
    assert 30 <= figures[("agent_integrations_worker_seen_seconds_ago", "celery@one")] < 90
    assert 30 <= figures[("agent_integrations_sweep_seconds_ago",)] < 90


def test_more_accounts_cost_no_more_queries(contact, django_assert_num_queries):
    samples()  # all rows are counted now
    with CaptureQueriesContext(connection) as of_one:
        samples()
    for number in range(5):
        CRMAccount.objects.create(provider="memory", address=f"account {number}")
    with django_assert_num_queries(len(of_one)):
        samples()
