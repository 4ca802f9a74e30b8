"""Planned deliveries wake the lanes of their records, and say of each whether it goes alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from memorialization.models import Contact, Delivery, Interaction, RecordLane
from memorialization.services.delivery_storage import store_deliveries
from tests.factories import make_authentication, make_configuration

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
VALUE = {"crm_field": "subject", "type": "text", "source": "skillName", "rendered": "S"}
NOTE = {"crm_field": "comment", "type": "comment", "source": "agentNotes", "rendered": "N"}


@pytest.fixture
def interaction():
    configuration = make_configuration(authentication=make_authentication())
    contact = Contact.objects.create(configuration=configuration, contact_id="1")
    return Interaction.objects.create(configuration=configuration, contact=contact, channel="voice")


@pytest.fixture
def account(interaction):
    return interaction.configuration.authentication.account


def store(interaction, account, *records, revision=1):
    """Deliveries of (entity type, record id, *entries)."""
    deliveries = [
        Delivery(
            configuration=interaction.configuration,
            interaction=interaction,
            entity_type=entity_type,
            record_id=record_id,
            revision=revision,
            fields=list(entries),
            segment_ended_at=NOW,
            segment_key="voice:1:",
            next_attempt_at=NOW,
        )
        for entity_type, record_id, *entries in records
    ]
    store_deliveries(deliveries=deliveries, account_id=account.pk, now=NOW)
    return deliveries


def lane_facts():
    return {
        (lane.entity_type, lane.record_id): (lane.goes_alone, lane.next_due_at) for lane in RecordLane.objects.all()
    }


def test_a_lane_goes_alone_from_the_first_note_on(interaction, account):
    store(interaction, account, ("ticket", "1", VALUE), ("ticket", "2", VALUE, NOTE))
    assert lane_facts() == {("ticket", "1"): (False, NOW), ("ticket", "2"): (True, NOW)}
    store(interaction, account, ("ticket", "1", NOTE), ("ticket", "2", VALUE), ("user", "1", VALUE), revision=2)
    assert lane_facts() == {
        ("ticket", "1"): (True, NOW),
        ("ticket", "2"): (True, NOW),
        ("user", "1"): (False, NOW),
    }


def test_a_note_to_which_nothing_is_sent_keeps_no_lane_from_company(interaction, account):
    withheld = {**NOTE, "result": "withheld"}
    store(interaction, account, ("ticket", "1", VALUE, withheld))
    assert lane_facts() == {("ticket", "1"): (False, NOW)}


def test_known_lanes_keep_an_earlier_time_and_are_those_of_this_account(interaction, account):
    earlier, other = NOW - timedelta(hours=1), make_authentication(address="other").account
    own = RecordLane.objects.create(account=account, entity_type="ticket", record_id="1", next_due_at=earlier)
    idle = RecordLane.objects.create(account=account, entity_type="user", record_id="1")
    strangers = RecordLane.objects.create(account=other, entity_type="ticket", record_id="1")
    first, second = store(interaction, account, ("ticket", "1", VALUE), ("user", "1", VALUE))
    assert (first.lane_id, second.lane_id) == (own.pk, idle.pk)
    for lane, due_at in ((own, earlier), (idle, NOW), (strangers, None)):
        lane.refresh_from_db()
        assert lane.next_due_at == due_at


def test_known_lanes_are_found_by_the_index_of_records_and_not_by_walking_through_the_account(interaction, account):
    RecordLane.objects.bulk_create(
        RecordLane(account=account, entity_type="ticket", record_id=str(number)) for number in range(10_000)
    )
    if connection.vendor == "postgresql":  # SQLite is to find them without statistics too
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE memorialization_recordlane")
    with CaptureQueriesContext(connection) as queries:
        store(interaction, account, ("ticket", "5", VALUE), ("user", "6", VALUE))
        store(interaction, account, ("ticket", "5", VALUE), ("user", "6", VALUE), revision=2)
    (statement,) = [each["sql"] for each in queries if each["sql"].startswith("SELECT") and "user" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{statement}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    words = "account_id=? AND entity_type=? AND record_id=?" if connection.vendor == "sqlite" else "Index Cond"
    assert words in plan and "Seq Scan" not in plan and "SCAN memorialization" not in plan, plan
