"""Whether deliveries make progress: overdue means stuck, unless somebody has reason to wait."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from crm_integrations.models import Authentication, Configuration, CRMAccount
from memorialization.models import Attempt, Contact, Delivery, Interaction, RecordLane
from memorialization.readiness import check_deliveries, oldest_due_at
from tests.factories import make_configuration

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


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


def test_nothing_due_is_ready():
    assert check_deliveries(NOW).is_ready
    assert oldest_due_at(now=NOW) is None


def test_a_delivery_due_for_more_than_a_minute_is_stuck(lane):
    result = check_deliveries(NOW)
    assert not result.is_ready
    assert "accounts: 1" in result.detail


def test_a_delivery_due_for_less_than_a_minute_is_no_alarm(lane):
    change(lane, next_due_at=NOW - timedelta(seconds=30))
    assert check_deliveries(NOW).is_ready
    assert oldest_due_at(now=NOW) == NOW - timedelta(seconds=30)


def test_a_later_try_is_no_alarm(lane):
    change(lane, next_due_at=NOW + timedelta(minutes=5))
    assert check_deliveries(NOW).is_ready


def test_a_held_authentication_is_no_alarm(lane):
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    assert check_deliveries(NOW).is_ready


def test_a_paused_account_is_no_alarm_until_the_pause_is_over(lane):
    lane.account.paused_until = NOW + timedelta(seconds=10)
    lane.account.save()
    assert check_deliveries(NOW).is_ready
    assert check_deliveries(NOW + timedelta(seconds=11)).is_ready
    assert not check_deliveries(NOW + timedelta(seconds=71)).is_ready


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
