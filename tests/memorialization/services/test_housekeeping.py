"""What is forgotten: minutes that no chart shows and bulk writes long over, never what is open."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from crm_integrations.models import CallMinute, FoundRecord, RecordCreation
from crm_integrations.services.contact_records import CREATIONS_KEPT, FOUND_KEPT
from memorialization.models import Attempt, BulkWrite, Delivery, DeliveryMinute
from memorialization.services.housekeeping import BULK_WRITES_KEPT, move_log, tidy_up
from tests.engine import NOW, make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
LONG_AGO = NOW - BULK_WRITES_KEPT - timedelta(days=1)


def make_bulk_write(account, **columns):
    times = {"created_at": LONG_AGO, "progressed_at": LONG_AGO}
    return BulkWrite.objects.create(account=account, entity_type="ticket", size=1, lease=uuid4(), **times, **columns)


def test_bulk_writes_long_over_are_forgotten_and_their_tries_and_deliveries_stay():
    configuration = make_configuration()
    delivery = make_delivery(configuration)
    account = configuration.authentication.account
    over = make_bulk_write(account, state="concluded", concluded_at=LONG_AGO)
    make_bulk_write(account, state="running", poll_at=NOW)
    make_bulk_write(account, state="concluded", concluded_at=NOW)
    attempt = Attempt.objects.create(lane=delivery.lane, bulk_write=over, fence=1, started_at=LONG_AGO)
    assert tidy_up(now=NOW) == 1
    attempt.refresh_from_db()
    assert attempt.bulk_write is None
    assert BulkWrite.objects.count() == 2
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone moves its log")
def test_what_sqlite_has_logged_is_moved_into_the_database():
    database = Path(connection.settings_dict["NAME"])
    move_log()
    make_configuration()
    before = database.read_bytes()
    move_log()
    assert database.read_bytes() != before


def test_minutes_are_kept_for_a_day():
    account = make_configuration().authentication.account
    for minute in (NOW - timedelta(days=2), NOW):
        CallMinute.objects.create(account=account, limit_class="account", minute=minute, calls=1)
        DeliveryMinute.objects.create(account=account, minute=minute)
    assert tidy_up(now=NOW) == 2
    assert CallMinute.objects.get().minute == DeliveryMinute.objects.get().minute == NOW


def test_what_was_found_and_created_long_ago_is_forgotten_but_nothing_unfinished():
    configuration, day = make_configuration(), timedelta(days=1)
    for number, found_at in enumerate((NOW - FOUND_KEPT - day, NOW - FOUND_KEPT + day)):
        FoundRecord.objects.create(
            configuration=configuration, contact_id="1", entity_type="user", record_id=str(number), found_at=found_at
        )
    long_ago = NOW - CREATIONS_KEPT - day
    for key, columns in {
        "old": {"state": "created", "record_id": "1", "finished_at": long_ago},
        "refused": {"state": "refused", "finished_at": long_ago},
        "new": {"state": "created", "record_id": "2", "finished_at": NOW},
        "unfinished": {"state": "started"},
    }.items():
        RecordCreation.objects.create(
            configuration=configuration, entity_type="ticket", key=key, external_id=key, **columns
        )
    assert tidy_up(now=NOW) == 3
    assert FoundRecord.objects.get().record_id == "1"
    assert set(RecordCreation.objects.values_list("key", flat=True)) == {"new", "unfinished"}


def test_more_is_forgotten_than_searches_find_meanwhile():
    configuration, old = make_configuration(), NOW - FOUND_KEPT - timedelta(days=1)
    FoundRecord.objects.bulk_create(
        FoundRecord(
            configuration=configuration, contact_id="1", entity_type="user", record_id=str(number), found_at=old
        )
        for number in range(1201)
    )
    assert tidy_up(now=NOW) == 1201
    assert not FoundRecord.objects.exists()
