"""Lanes change in the order of their ids, whatever order they lie in: nobody who takes two of them meets a deadlock."""

import threading

import pytest
from django.db import connection, transaction

from memorialization.models import RecordLane
from memorialization.services import interaction_plans
from memorialization.services.claims import give_back_untouched, release_lanes, send_alone
from memorialization.services.lanes import make_lanes_due
from tests.engine import NOW, claim_due, make_delivery, take_in, wait_for_somebody_who_waits_for_us
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import link, voice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


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


def test_a_planner_that_moves_a_contact_to_another_record_waits_for_nobody_who_waits_for_it(monkeypatch):
    configuration = make_configuration()
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]})
    low, high = (make_delivery(configuration, record_id=record_id).lane_id for record_id in ("1", "2"))
    ended = voice(at="2026-01-15T14:00:00Z", fields={"skillName": "S"}, records=[{"entityType": "ticket", "id": "2"}])
    take_in(configuration, ended)
    holds = claim_due(configuration)
    assert [hold.lane_id for hold in holds] == [low, high]
    has_begun, errors, steps = threading.Event(), [], []

    def slowly(act):
        def follow(**keywords):
            if steps:
                has_begun.set()
                wait_for_somebody_who_waits_for_us()
            steps.append(act)
            act(**keywords)

        return follow

    for name in ("skip_unsent", "store_deliveries"):
        monkeypatch.setattr(interaction_plans, name, slowly(getattr(interaction_plans, name)))

    def plan():
        at = "2026-01-15T14:30:00Z"
        try:
            take_in(configuration, link(at, record="2", type_="records.unlinked"), link(at, record="1"))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    planner = threading.Thread(target=plan)
    planner.start()
    has_begun.wait()
    release_lanes(holds=holds)
    planner.join()
    assert (errors, len(steps)) == ([], 2)
