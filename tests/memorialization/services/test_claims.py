"""Leases on lanes: who gets which, who gets none, and who may still store something."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from crm_integrations.models import Authentication, Configuration
from memorialization.deliveries.claim_sql import OF_TYPE, SUSPECT
from memorialization.models import Delivery, RecordLane
from memorialization.services.claims import (
    HELD_LOOK_S,
    LeaseLost,
    accounts_with_due_lanes,
    claim_suspect_lane,
    give_back_untouched,
    lease_length_s,
    postpone_lane,
    release_lanes,
    renew_lease,
)
from memorialization.services.delivery_storage import skip_unsent
from memorialization.services.due_work import BULK_FROM, WorkFinder
from memorialization.services.lanes import make_lanes_due
from memorialization.services.members import waiting_on_lanes
from memorialization.services.recovery import recover_lost_lanes
from tests.engine import NOW, claim_due, lane_of, make_delivery, make_interaction
from tests.factories import make_authentication, make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def claim(configuration, *, limit=10, now=NOW):
    return claim_due(configuration, limit=limit, now=now)


def test_a_claim_leases_due_lanes_for_longer_than_the_longest_call_and_counts_the_fence(configuration, settings):
    delivery = make_delivery(configuration)
    (hold,) = claim(configuration)
    lane = lane_of(delivery)
    assert (lane.lease, lane.fence) == (hold.lease, hold.fence) == (hold.lease, 1)
    assert lane.lease_until == NOW + timedelta(seconds=lease_length_s())
    assert lease_length_s() > 4 * settings.CALL_TIMEOUT_S


def test_no_configured_lease_is_shorter_than_the_calls_it_must_outlive(settings):
    settings.LEASE_S, settings.CALL_TIMEOUT_S = 1, 30
    assert lease_length_s() == 125


def test_a_leased_lane_is_not_claimed_again(configuration):
    make_delivery(configuration)
    assert claim(configuration)
    assert claim(configuration) == []


def test_the_longest_due_lanes_come_first_up_to_the_limit(configuration):
    for minutes in range(5):
        make_delivery(configuration, record_id=str(minutes), ended_at=NOW - timedelta(minutes=minutes))
    assert {hold.record_id for hold in claim(configuration, limit=2)} == {"4", "3"}


@pytest.mark.parametrize(
    "obstruct",
    [
        lambda: RecordLane.objects.update(closed_until=NOW + timedelta(seconds=1)),
        lambda: RecordLane.objects.update(next_due_at=NOW + timedelta(seconds=1)),
        lambda: Delivery.objects.update(next_attempt_at=NOW + timedelta(seconds=1)),
        lambda: Authentication.objects.update(state="reauthenticate"),
        lambda: Configuration.objects.update(state="inactive"),
        lambda: Delivery.objects.update(state="delivered"),
    ],
    ids=["settling", "lane later", "delivery later", "held", "inactive", "nothing waits"],
)
def test_what_may_not_be_pushed_is_neither_claimed_nor_woken(configuration, obstruct):
    make_delivery(configuration)
    assert accounts_with_due_lanes(now=NOW) == [configuration.authentication.account_id]
    obstruct()
    assert claim(configuration) == []
    assert accounts_with_due_lanes(now=NOW) == []


def test_deliveries_of_an_authentication_for_another_account_are_never_pushed_to_this_one(configuration):
    make_delivery(configuration)
    Configuration.objects.update(authentication=make_authentication(address="other"))
    assert claim(configuration) == []


def test_a_held_configuration_does_not_hide_another_one_on_the_same_record(configuration):
    make_delivery(configuration, ended_at=NOW - timedelta(hours=1))
    Authentication.objects.update(state="reauthenticate")
    working = make_configuration()
    make_delivery(working)
    (hold,) = claim(working)
    release_lanes(holds=[hold])
    assert RecordLane.objects.get().next_due_at == NOW


def test_held_deliveries_that_are_free_again_do_not_wait_for_another_ones_back_off(configuration, monkeypatch):
    monkeypatch.setattr("memorialization.services.claims.read_database_clock", lambda: NOW)
    held = make_delivery(configuration, ended_at=NOW - timedelta(hours=1))
    working = make_configuration()
    failing = make_delivery(working)
    (hold,) = claim(working)
    Authentication.objects.filter(pk=configuration.authentication_id).update(state="reauthenticate")
    Delivery.objects.filter(pk=failing.pk).update(next_attempt_at=NOW + timedelta(hours=6))
    release_lanes(holds=[hold])
    later = NOW + timedelta(seconds=HELD_LOOK_S)
    assert claim(working, now=later) == []
    Authentication.objects.update(state="active")
    (hold,) = claim(configuration, now=later)
    [first, *_others] = waiting_on_lanes(lane_ids=[hold.lane_id])[hold.lane_id]
    assert first.delivery == held


def test_other_accounts_lanes_are_not_claimed(configuration):
    other = make_configuration(address="other")
    make_delivery(other)
    assert claim(configuration) == []


def test_a_lane_goes_back_due_when_its_first_delivery_is(configuration):
    delivery = make_delivery(configuration)
    (hold,) = claim(configuration)
    Delivery.objects.update(next_attempt_at=NOW + timedelta(minutes=7))
    release_lanes(holds=[hold])
    lane = lane_of(delivery)
    assert (lane.lease, lane.lease_until, lane.next_due_at) == (None, None, NOW + timedelta(minutes=7))


def test_a_lane_on_which_nothing_waits_is_due_never(configuration):
    delivery = make_delivery(configuration)
    (hold,) = claim(configuration)
    Delivery.objects.update(state="delivered")
    release_lanes(holds=[hold])
    assert lane_of(delivery).next_due_at is None


def test_whoever_lost_the_lane_can_store_nothing_release_nothing_and_postpone_nothing(configuration):
    delivery = make_delivery(configuration)
    (old,) = claim(configuration)
    later = NOW + timedelta(seconds=lease_length_s())
    recover_lost_lanes(now=later)
    (new,) = claim_suspect_lane(account_id=old.account_id, entity_type=old.entity_type, now=later)
    with pytest.raises(LeaseLost):
        renew_lease(hold=old, now=later)
    release_lanes(holds=[old])
    postpone_lane(hold=old, due_at=later + timedelta(days=1))
    give_back_untouched(holds=[old])
    lane = lane_of(delivery)
    assert (lane.lease, lane.fence) == (new.lease, new.fence)
    assert lane.next_due_at < later


def test_a_lane_whose_deliveries_were_skipped_while_it_was_held_is_not_postponed_but_due_never(configuration):
    delivery = make_delivery(configuration)
    (hold,) = claim(configuration)
    skip_unsent(deliveries=[delivery], reason="unlinked", now=NOW)
    postpone_lane(hold=hold, due_at=NOW + timedelta(minutes=1))
    lane = lane_of(delivery)
    assert (lane.lease, lane.next_due_at) == (None, None)


def test_a_suspect_lane_stays_suspect_until_all_have_ended_that_waited_when_it_went_back(configuration):
    first, second = (make_delivery(configuration, ended_at=NOW - timedelta(minutes=minutes)) for minutes in (2, 1))
    RecordLane.objects.update(lost_leases=3)

    def claim_and_give_back(give_back=lambda hold: release_lanes(holds=[hold])):
        (hold,) = claim_suspect_lane(account_id=lane_of(first).account_id, entity_type="ticket", now=NOW)
        give_back(hold)
        return lane_of(first).lost_leases

    assert claim_and_give_back(lambda hold: give_back_untouched(holds=[hold])) == 3
    assert claim_and_give_back(lambda hold: postpone_lane(hold=hold, due_at=NOW)) == 3
    assert claim_and_give_back() == 1  # its holder came back
    make_delivery(configuration)
    Delivery.objects.filter(pk=first.pk).update(state="delivered")
    assert claim_and_give_back() == 1
    Delivery.objects.filter(pk=second.pk).update(state="delivered")
    assert claim_and_give_back() == 0
    assert lane_of(first).suspect_to is None


def test_a_lane_that_lost_its_holder_is_claimed_alone(configuration):
    for number in range(3):
        make_delivery(configuration, record_id=str(number))
    RecordLane.objects.filter(record_id__in=["0", "1"]).update(lost_leases=1)
    assert [hold.record_id for hold in claim(configuration)] == ["2"]
    assert (
        len(claim_suspect_lane(account_id=configuration.authentication.account_id, entity_type="ticket", now=NOW)) == 1
    )


def test_making_a_lane_due_never_makes_it_later(configuration):
    lane = make_delivery(configuration).lane
    make_lanes_due(lane_ids=[lane.pk], due_at=NOW + timedelta(hours=1))
    lane.refresh_from_db()
    assert lane.next_due_at == NOW
    make_lanes_due(lane_ids=[lane.pk], due_at=NOW - timedelta(hours=1))
    lane.refresh_from_db()
    assert lane.next_due_at == NOW - timedelta(hours=1)


def test_many_held_lanes_of_an_account_are_not_visited_by_the_search_for_work(
    configuration, django_assert_max_num_queries
):
    make_delivery(configuration)
    Authentication.objects.update(state="reauthenticate")
    with django_assert_max_num_queries(1):
        assert accounts_with_due_lanes(now=NOW) == []


def test_what_is_held_keeps_a_lane_suspect(configuration):
    other = make_configuration(authentication=make_authentication())
    written = make_delivery(configuration, ended_at=NOW - timedelta(minutes=2))
    held = make_delivery(other, ended_at=NOW - timedelta(minutes=1))
    RecordLane.objects.update(lost_leases=1)
    (hold,) = claim_suspect_lane(account_id=lane_of(held).account_id, entity_type="ticket", now=NOW)
    Authentication.objects.filter(pk=other.authentication_id).update(state="reauthenticate")
    Delivery.objects.filter(pk=written.pk).update(state="delivered")
    release_lanes(holds=[hold])
    assert (lane_of(held).lost_leases, lane_of(held).suspect_to) == (1, held.pk)


@pytest.mark.parametrize(("which", "index"), [(OF_TYPE, "lane_due_by_type"), (SUSPECT, "lane_suspect")])
def test_the_claim_finds_due_lanes_by_the_index_and_their_deliveries_by_theirs(which, index):
    """Without the indexes a claim would read every lane of the account, a million of them."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics: an empty table is read as a whole")
    chosen = {"account": 1, "now": "2026-01-01", "limit": 5, "entity_type": "ticket", "goes_alone": False}
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + which.due_lanes(), chosen)
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert index in plan
    assert "delivery_of_lane" in plan
    assert "SCAN" not in plan and "lane_due_by_account" not in plan


def test_what_is_due_is_counted_by_the_indexes_of_what_is_due(configuration):
    """Whatever else waits: lanes that go otherwise, those in hand, bulk writes that are concluded long since."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics: an empty table is read as a whole")
    for number in range(BULK_FROM):
        make_delivery(configuration, record_id=str(number))
    with CaptureQueriesContext(connection) as seen:
        WorkFinder(configuration.authentication.account).find(NOW)
    for statement in (query["sql"] for query in seen.captured_queries if "COUNT" in query["sql"]):
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + statement)
            plan = " ".join(row[3] for row in cursor.fetchall())
        assert "lane_due_by_type" in plan or "bulk_write_open" in plan, statement


@pytest.mark.django_db(transaction=True)
def test_claims_at_once_share_the_lanes_and_nobody_stores_twice(configuration):
    interaction = make_interaction(configuration)
    for number in range(60):
        make_delivery(configuration, record_id=str(number), interaction=interaction, revision=1)
    claimed, finished, errors = [], [], []
    start = threading.Barrier(6)

    def work():
        try:
            start.wait()
            while holds := claim(configuration, limit=4):
                claimed.extend(hold.lane_id for hold in holds)
                for hold in holds:
                    done = Delivery.objects.filter(lane_id=hold.lane_id, state="waiting").update(state="delivered")
                    finished.extend([hold.lane_id] * done)
                    release_lanes(holds=[hold])
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(claimed) == len(set(claimed)) == len(finished) == 60
