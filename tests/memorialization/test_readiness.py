"""Whether deliveries make progress: overdue means stuck, unless somebody has reason to wait."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from crm_integrations.models import Authentication, CallBudget, Configuration, CRMAccount
from memorialization.models import Attempt, BulkWrite, Contact, Delivery, Interaction, InteractionEvent, RecordLane
from memorialization.readiness import check_deliveries
from memorialization.selectors.account_progress import read_progress
from memorialization.services.heartbeats import FOLD, MATCH, note_heartbeat
from tests.factories import make_configuration

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def lane():
    configuration = make_configuration()
    Authentication.objects.update(state_changed_at=NOW - timedelta(days=1))
    contact = Contact.objects.create(configuration=configuration, contact_id="1")
    interaction = Interaction.objects.create(configuration=configuration, contact=contact, channel="voice")
    due_at = NOW - timedelta(seconds=90)
    account = configuration.authentication.account
    lane = RecordLane.objects.create(account=account, entity_type="ticket", record_id="7", next_due_at=due_at)
    Delivery.objects.create(
        configuration=configuration, interaction=interaction, lane=lane, entity_type="ticket", record_id="7",
        segment_ended_at=NOW, segment_key="1", next_attempt_at=due_at,
    )  # fmt: skip
    return lane


def change(lane, **columns):
    RecordLane.objects.filter(pk=lane.pk).update(**columns)


def oldest_due_at():
    [progress] = read_progress(now=NOW)
    return progress.oldest_due_at


def limit(lane, **columns):
    """What one of the account's limits has left."""
    defaults = {"calls": 100, "window_s": 60.0}
    return CallBudget.objects.create(account=lane.account, limit_class="account", **defaults | columns)


@pytest.fixture
def waiting_event():
    return InteractionEvent.objects.create(
        configuration=make_configuration(), event_id="1", type="interaction.ended", body={}, source_contact_id="1",
        occurred_at=NOW, ordered_at=NOW, received_at=NOW - timedelta(seconds=61),
    )  # fmt: skip


def test_an_event_that_nobody_folds_for_a_minute_is_an_alarm(waiting_event):
    result = check_deliveries(NOW)
    assert not result.is_ready and "no event was folded" in result.detail
    assert check_deliveries(NOW - timedelta(seconds=2)).is_ready


def test_a_backlog_of_events_that_moves_is_no_alarm(waiting_event):
    note_heartbeat(name=FOLD, now=NOW - timedelta(seconds=20))
    assert check_deliveries(NOW).is_ready
    assert not check_deliveries(NOW + timedelta(seconds=41)).is_ready


def test_an_event_that_rests_after_a_failure_is_no_alarm(waiting_event):
    InteractionEvent.objects.update(fold_after=NOW + timedelta(minutes=1))
    assert check_deliveries(NOW).is_ready


def test_events_of_a_deleted_configuration_are_no_alarm(waiting_event):
    Configuration.objects.update(state="deleted", deleted_at=NOW)
    assert check_deliveries(NOW).is_ready


def test_nothing_due_is_ready():
    assert check_deliveries(NOW).is_ready


def test_a_delivery_due_for_more_than_a_minute_is_stuck(lane):
    result = check_deliveries(NOW)
    assert not result.is_ready
    assert "accounts: 1" in result.detail


def test_a_delivery_due_for_less_than_a_minute_is_no_alarm(lane):
    change(lane, next_due_at=NOW - timedelta(seconds=30))
    assert check_deliveries(NOW).is_ready
    assert oldest_due_at() == NOW - timedelta(seconds=30)


def test_a_later_try_is_no_alarm(lane):
    change(lane, next_due_at=NOW + timedelta(minutes=5))
    assert check_deliveries(NOW).is_ready


def test_a_held_authentication_is_no_alarm(lane):
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    assert check_deliveries(NOW).is_ready


def test_an_account_that_the_crm_blocked_is_no_alarm_until_a_minute_after_the_block(lane):
    limit(lane, blocked_until=NOW + timedelta(seconds=10))
    result = check_deliveries(NOW)
    assert result.is_ready and result.detail == "waiting for the CRM"
    assert check_deliveries(NOW + timedelta(seconds=65)).is_ready
    assert not check_deliveries(NOW + timedelta(seconds=71)).is_ready


def test_a_limit_whose_calls_are_used_up_is_no_alarm(lane):
    limit(lane, window_ends_at=NOW + timedelta(seconds=20), granted=90)
    assert check_deliveries(NOW).is_ready


def test_a_limit_that_its_writes_do_not_need_explains_nothing(lane):
    CallBudget.objects.create(
        account=lane.account, limit_class="exports", window_s=60.0, blocked_until=NOW + timedelta(hours=1)
    )
    assert not check_deliveries(NOW).is_ready


def test_an_open_circuit_is_no_alarm_while_somebody_probes(lane):
    lane.account.circuit_state = CRMAccount.Circuit.OPEN
    lane.account.circuit_probe_at = NOW + timedelta(seconds=20)
    lane.account.save()
    assert check_deliveries(NOW).is_ready
    assert not check_deliveries(NOW + timedelta(seconds=81)).is_ready


def make_bulk_write(lane, **columns):
    return BulkWrite.objects.create(
        account=lane.account,
        entity_type="ticket",
        size=100,
        lease=uuid4(),
        created_at=NOW - timedelta(hours=1),
        progressed_at=NOW,
        **columns,
    )


def test_a_bulk_write_that_nobody_looks_at_is_stuck(lane):
    change(lane, next_due_at=None)
    make_bulk_write(lane, poll_at=NOW - timedelta(seconds=61))
    assert not check_deliveries(NOW).is_ready


@pytest.mark.parametrize(
    "columns",
    [
        {"poll_at": NOW - timedelta(seconds=59)},
        {"poll_at": NOW - timedelta(seconds=61), "poll_lease_until": NOW - timedelta(seconds=1)},
        {"poll_at": NOW - timedelta(seconds=61), "state": "concluded"},
    ],
    ids=["due for less than a minute", "somebody asks just now", "concluded"],
)
def test_a_bulk_write_under_way_is_no_alarm(lane, columns):
    change(lane, next_due_at=None)
    make_bulk_write(lane, **columns)
    assert check_deliveries(NOW).is_ready


def test_many_accounts_cost_no_more_queries_than_one(lane, django_assert_max_num_queries):
    for number in range(5):
        CRMAccount.objects.create(provider="memory", address=f"account {number}")
    with django_assert_max_num_queries(8):
        check_deliveries(NOW)


def test_a_backlog_that_is_worked_off_is_no_alarm(lane):
    Attempt.objects.create(lane=lane, fence=1, started_at=NOW - timedelta(seconds=5))
    result = check_deliveries(NOW)
    assert result.is_ready
    assert result.detail == "working off a backlog"


def test_work_on_another_account_does_not_hide_one_that_is_stuck(lane):
    other = CRMAccount.objects.create(provider="memory", address="other")
    other_lane = RecordLane.objects.create(account=other, entity_type="ticket", record_id="8")
    Attempt.objects.create(lane=other_lane, fence=1, started_at=NOW - timedelta(seconds=5))
    assert not check_deliveries(NOW).is_ready


def test_a_release_gives_the_workers_a_minute(lane):
    Authentication.objects.update(state_changed_at=NOW - timedelta(seconds=10))
    assert check_deliveries(NOW).is_ready
    assert not check_deliveries(NOW + timedelta(seconds=51)).is_ready


def test_a_configuration_that_an_administrator_stopped_is_no_alarm(lane):
    Configuration.objects.update(state=Configuration.State.INACTIVE)
    assert check_deliveries(NOW).is_ready


def test_a_record_that_settles_is_no_alarm(lane):
    change(lane, closed_until=NOW + timedelta(seconds=20))
    assert check_deliveries(NOW).is_ready


def test_a_worker_at_work_is_no_alarm(lane):
    change(lane, lease=uuid4(), lease_until=NOW + timedelta(seconds=20))
    assert check_deliveries(NOW).is_ready


def test_a_lease_that_nobody_takes_back_is_stuck(lane):
    change(lane, lease=uuid4(), lease_until=NOW - timedelta(seconds=61), next_due_at=None)
    assert not check_deliveries(NOW).is_ready


@pytest.fixture
def waiting_match():
    configuration = make_configuration()
    Authentication.objects.update(state_changed_at=NOW - timedelta(days=1))
    contact = Contact.objects.create(configuration=configuration, contact_id="1")
    return Interaction.objects.create(
        configuration=configuration, contact=contact, channel="voice", match_due_at=NOW - timedelta(seconds=61)
    )


def test_an_interaction_whose_record_nobody_looks_for_for_a_minute_is_an_alarm(waiting_match):
    result = check_deliveries(NOW)
    assert not result.is_ready and "no record was looked for" in result.detail
    assert check_deliveries(NOW - timedelta(seconds=2)).is_ready
    note_heartbeat(name=MATCH, now=NOW - timedelta(seconds=20))
    assert check_deliveries(NOW).is_ready


def test_an_interaction_that_is_held_or_waits_for_a_circuit_is_no_alarm(waiting_match):
    CRMAccount.objects.update(circuit_state="open", circuit_probe_at=NOW)
    assert check_deliveries(NOW).is_ready
    CRMAccount.objects.update(circuit_state="closed", circuit_probe_at=None)
    Authentication.objects.update(state="reauthenticate")
    assert check_deliveries(NOW).is_ready


def test_an_account_whose_places_for_bulk_writes_are_all_taken_is_no_alarm(lane):
    make_bulk_write(lane, poll_at=NOW + timedelta(seconds=3))
    began = NOW - timedelta(seconds=20)
    CallBudget.objects.create(
        account=lane.account, limit_class="bulk", scope="in_flight", calls=1, window_s=60, granted=1, granted_at=began
    )
    assert check_deliveries(NOW).is_ready


def test_many_tries_on_another_account_do_not_hide_those_on_this_one(lane):
    Attempt.objects.create(lane=lane, fence=1, started_at=NOW - timedelta(seconds=5))
    other = CRMAccount.objects.create(provider="memory", address="other")
    elsewhere = RecordLane.objects.create(account=other, entity_type="ticket", record_id="8")
    Attempt.objects.bulk_create([Attempt(lane=elsewhere, fence=1, started_at=NOW)] * 6_000)
    assert check_deliveries(NOW).is_ready
