"""Lanes change in the order of their ids, whatever order they lie in: nobody who takes two of them meets a deadlock."""

import threading

import pytest
from django.db import connection, transaction

from memorialization.models import RecordLane
from memorialization.services.claims import give_back_untouched, release_lanes, send_alone
from memorialization.services.lanes import make_lanes_due
from tests.engine import NOW, claim_due, make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


def wait_for_somebody_who_waits_for_us():
    """On PostgreSQL; on SQLite whoever writes waits for the whole transaction."""
    waiting = 0
    while connection.vendor == "postgresql" and not waiting:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()


@pytest.fixture
def rows_as_they_lie():
    """PostgreSQL reads the table from its beginning, as it may whenever it finds that cheaper than an index."""
    ways = ("enable_indexscan", "enable_bitmapscan") if connection.vendor == "postgresql" else ()
    with connection.cursor() as cursor:
        for way in ways:
            cursor.execute(f"SET {way} = off")
        yield
        for way in ways:
            cursor.execute(f"RESET {way}")


@pytest.mark.usefixtures("rows_as_they_lie")
@pytest.mark.parametrize("act", [give_back_untouched, release_lanes, send_alone])
def test_who_changes_many_lanes_waits_for_a_planner_who_wakes_them_one_by_one(act):
    configuration = make_configuration()
    first, second = (make_delivery(configuration, record_id=record_id).lane_id for record_id in ("1", "2"))
    holds = claim_due(configuration)
    RecordLane.objects.filter(pk=first).update(lost_leases=0)  # its row lies behind the second's now
    has_begun, errors = threading.Event(), []

    def plan():
        try:
            with transaction.atomic():
                make_lanes_due(lane_ids=[first], due_at=NOW)
                has_begun.set()
                wait_for_somebody_who_waits_for_us()
                make_lanes_due(lane_ids=[second], due_at=NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    planner = threading.Thread(target=plan)
    planner.start()
    has_begun.wait()
    act(holds=holds)
    planner.join()
    assert errors == []
    assert set(RecordLane.objects.values_list("next_due_at", flat=True)) == {NOW}
