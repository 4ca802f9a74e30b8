"""What a late bulk write overwrote goes again beside planners: who locks contacts before lanes meets no deadlock."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from memorialization.models import Contact, Delivery
from memorialization.services import late_bulk_writes
from memorialization.services.lanes import make_lanes_due
from tests.engine import LONG_S, NOW, FakeClock, account_of, give_up_job, make_delivery, make_entry, push_all
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


def is_anybody_waiting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.fixture
def newer_deliveries():
    """Two deliveries whose records show what a late bulk write carried in place of their values."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    configuration, clock = make_configuration(), FakeClock()
    job = give_up_job(configuration, clock)
    later = NOW + timedelta(minutes=1)
    entry = make_entry("subject", "V2", occurred_at=later)
    found = [make_delivery(configuration, entry, record_id=record_id, ended_at=later) for record_id in ("0", "1")]
    push_all(configuration, clock)
    account_of(configuration).work(job)
    return found


def test_a_planner_with_the_contact_of_one_gets_the_lane_of_the_other(newer_deliveries, monkeypatch):
    replayed, errors = [], []
    has_begun, is_planned = threading.Event(), threading.Event()
    replay = late_bulk_writes.replay_delivery

    def replay_slowly(**keywords):
        if replayed:
            has_begun.set()
            while not (is_planned.is_set() or is_anybody_waiting()):
                pass
        replayed.append(keywords["delivery"])
        return replay(**keywords)

    def mend():
        try:
            push_all(newer_deliveries[0].configuration, FakeClock(NOW + timedelta(hours=2)))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(late_bulk_writes, "replay_delivery", replay_slowly)
    mender = threading.Thread(target=mend)
    mender.start()
    assert has_begun.wait(LONG_S)
    [first] = replayed
    [second] = [each for each in newer_deliveries if each != first]
    with transaction.atomic():  # a link of the second's contact to the first's record
        list(Contact.objects.select_for_update().filter(pk=second.interaction.contact_id))
        make_lanes_due(lane_ids=[first.lane_id], due_at=NOW)
    is_planned.set()
    mender.join()
    assert errors == []
    assert Delivery.objects.filter(replay_of__in=newer_deliveries, state="delivered").count() == 2
