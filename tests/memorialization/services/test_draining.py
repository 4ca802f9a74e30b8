"""One worker's turn: bounded, over one connection, giving back what it cannot do with a time."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from crm_integrations.models import Authentication, CallBudget, Configuration
from crm_integrations.providers.errors import CRMUnavailable, RetryLater
from memorialization.models import Attempt, Delivery, RecordLane
from memorialization.services import account_turn, members
from memorialization.services.draining import drain_account
from memorialization.services.due_work import BULK_FROM
from tests.engine import LONG_S, NOW, account_of, calls_of, lane_of, make_delivery, make_entry, push_all, shut_limit
from tests.factories import make_configuration
from tests.memory_provider import WRITE, MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def test_a_turn_drains_many_lanes_over_one_connection(configuration, clock):
    for number in range(45):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    turn = push_all(configuration, clock)
    assert (turn.deliveries, turn.has_more) == (45, False)
    assert Delivery.objects.filter(state="delivered").count() == 45
    assert len(calls_of(configuration, "close")) == 1
    assert not RecordLane.objects.exclude(lease=None).exists()


def test_a_turn_without_time_pushes_one_and_gives_the_rest_back_untouched(configuration, clock):
    for number in range(5):
        make_delivery(configuration, record_id=str(number))
    turn = drain_account(account_id=configuration.authentication.account_id, clock=clock, turn_s=0)
    assert turn.has_more
    assert Delivery.objects.filter(state="delivered").count() == 1
    assert not RecordLane.objects.exclude(lease=None).exists()
    assert RecordLane.objects.filter(lost_leases__gt=0).count() == 0


def test_every_record_type_has_its_turn_though_another_always_has_more(configuration, clock):
    for number in range(40):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    user = make_delivery(configuration, make_entry("name", "Ann"), entity_type="user", record_id="7")
    for _ in range(20):
        drain_account(account_id=configuration.authentication.account_id, clock=clock, turn_s=0)
    user.refresh_from_db()
    assert user.state == "delivered"


def test_a_lane_that_lost_its_holder_waits_for_a_limit_without_being_claimed_again_and_again(configuration, clock):
    delivery = make_delivery(configuration)
    RecordLane.objects.update(lost_leases=1)
    account_id = configuration.authentication.account_id
    shut_limit(account_id, "update", seconds=50)
    turn = push_all(configuration, clock)
    assert not turn.has_more
    assert turn.opens_at == NOW + timedelta(seconds=50)
    clock.move(seconds=51)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


def test_all_lanes_that_lost_their_holder_are_drained_in_one_turn_and_hold_up_no_other(configuration, clock):
    for number in range(5):
        make_delivery(configuration, record_id=str(number))
    RecordLane.objects.filter(record_id__in=["0", "1", "2"]).update(lost_leases=1)
    assert push_all(configuration, clock).deliveries == 5
    assert not RecordLane.objects.filter(lost_leases__gt=0).exists()


def test_the_failpoint_after_a_claim_is_met_only_with_lanes_in_hand(configuration, clock, monkeypatch):
    held = []

    def note(name):
        if name == "after_claim":
            held.append(RecordLane.objects.exclude(lease=None).count())

    monkeypatch.setattr("memorialization.services.single_pushes.visit_failpoint", note)
    make_delivery(configuration)
    push_all(configuration, clock)
    assert held == [1]


def test_two_configurations_of_one_account_use_their_own_tokens(configuration, clock):
    other = make_configuration()
    make_delivery(configuration)
    make_delivery(other, record_id="36")
    push_all(configuration, clock)
    assert Delivery.objects.filter(state="delivered").count() == 2
    assert len(calls_of(configuration, "close")) == 2


def test_while_somebody_else_renews_the_token_lanes_go_back_with_a_time_and_no_try(configuration, clock):
    delivery = make_delivery(configuration)
    Authentication.objects.update(
        access_expires_at=NOW - timedelta(seconds=1),
        refresh_lease="6f1c0c55-7f5b-4a4c-9d53-111111111111",
        refresh_lease_until=NOW + timedelta(seconds=30),
    )
    push_all(configuration, clock)
    lane = lane_of(delivery)
    assert lane.lease is None
    assert NOW < lane.next_due_at <= NOW + timedelta(seconds=5)
    assert Attempt.objects.count() == 0
    assert not CallBudget.objects.exclude(blocked_until=None).exists()


def test_a_renewal_that_fails_for_a_passing_reason_holds_and_fails_nothing(configuration, clock):
    delivery = make_delivery(configuration)
    Authentication.objects.update(access_expires_at=NOW)
    account_of(configuration).refusal = CRMUnavailable("503", may_have_applied=True)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt_count, delivery.must_look_first) == ("waiting", 0, False)
    assert Authentication.objects.get().state == Authentication.State.ACTIVE
    account_of(configuration).refusal = None
    account_of(configuration).refresh_tokens.add("refresh-0")
    clock.move(minutes=1)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


def test_a_limit_on_the_token_endpoint_is_waited_for_in_full(configuration, clock):
    delivery = make_delivery(configuration)
    Authentication.objects.update(access_expires_at=NOW)
    account_of(configuration).refusal = RetryLater("slow down", retry_after_s=40)
    push_all(configuration, clock)
    assert lane_of(delivery).next_due_at == NOW + timedelta(seconds=40)
    clock.move(seconds=39)
    RecordLane.objects.update(next_due_at=NOW)  # another delivery came
    push_all(configuration, clock)
    assert len(calls_of(configuration, "refresh")) == 1


def test_held_deliveries_wait_and_go_on_after_somebody_authenticated_again(configuration, clock):
    account = account_of(configuration)
    account.is_checking_tokens = True  # knows neither access-0 nor refresh-0
    deliveries = [make_delivery(configuration, record_id=str(number)) for number in range(3)]
    push_all(configuration, clock)
    assert Authentication.objects.get().state == Authentication.State.REAUTHENTICATE
    assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}
    assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {0}
    clock.move(days=10)
    push_all(configuration, clock)
    account.access_tokens.add("access-new")
    Authentication.objects.update(state="active", access_token="access-new", token_version=5, access_expires_at=None)
    push_all(configuration, clock)
    assert {Delivery.objects.get(pk=delivery.pk).state for delivery in deliveries} == {"delivered"}


def test_a_401_on_the_way_renews_once_and_repeats_without_another_try(configuration, clock):
    account = account_of(configuration)
    account.is_checking_tokens = True
    account.refresh_tokens.add("refresh-0")
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt_count) == ("delivered", 1)
    assert len(calls_of(configuration, "refresh")) == 1


def test_an_hour_long_answer_of_the_crm_delays_no_other_account(configuration, clock):
    other = make_configuration(address="other")
    account_of(configuration).faults.append(RetryLater("stop", retry_after_s=3600))
    make_delivery(configuration)
    make_delivery(other)
    push_all(configuration, clock)
    push_all(other, clock)
    assert Delivery.objects.get(configuration=other).state == "delivered"


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_deliver_everything_once_and_in_order(configuration):
    """Four turns at once over forty records with three segments each, every one with a note."""
    ends = [NOW + timedelta(hours=hours) for hours in range(3)]
    for number in range(40):
        for ended_at in ends:
            fields = make_entry("subject", ended_at.isoformat()), make_entry("comment", "Note", type="comment")
            make_delivery(configuration, *fields, record_id=str(number), ended_at=ended_at, next_attempt_at=NOW)
    errors, start = [], threading.Barrier(4)

    def work():
        try:
            start.wait()
            while drain_account(account_id=configuration.authentication.account_id, clock=lambda: NOW).deliveries:
                pass
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    account = account_of(configuration)
    assert set(Delivery.objects.values_list("state", "attempt_count")) == {("delivered", 1)}
    assert {len(notes) for notes in account.comments.values()} == {3}
    assert {record["subject"] for record in account.records.values()} == {ends[-1].isoformat()}


def test_a_delivery_costs_few_statements(configuration, clock, django_assert_max_num_queries):
    """Of a CRM whose limits nobody knows, each call is granted by itself: seven of some twenty-four."""
    for number in range(10):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    RecordLane.objects.update(goes_alone=True)
    with django_assert_max_num_queries(24 * 10 + 40):
        push_all(configuration, clock)


@pytest.mark.parametrize(("count", "calls"), [(4, 0), (5, 1), (30, 1)])
def test_what_is_more_than_one_claim_calls_others_at_once_and_only_once(configuration, clock, count, calls):
    called = []
    for number in range(count):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    RecordLane.objects.update(goes_alone=True)
    account_id = configuration.authentication.account_id
    drain_account(
        account_id=account_id,
        clock=clock,
        call_others=lambda: called.append(Delivery.objects.filter(state="waiting").count()),
    )
    assert called == [count] * calls


def test_a_window_that_opens_in_a_moment_is_waited_for_in_the_turn(configuration, clock, monkeypatch):
    waits = []

    def pause(seconds):
        waits.append(seconds)
        clock.move(seconds=seconds)

    monkeypatch.setattr(account_turn, "pause", pause)
    delivery = make_delivery(configuration)
    shut_limit(configuration.authentication.account_id, "update", seconds=0.2)
    turn = push_all(configuration, clock)
    delivery.refresh_from_db()
    assert (delivery.state, turn.has_more, waits) == ("delivered", False, [pytest.approx(0.2)])


def test_a_limit_that_opens_later_is_left_to_the_timer(configuration, clock, monkeypatch):
    monkeypatch.setattr(account_turn, "pause", lambda _seconds: pytest.fail("no thread waits so long"))
    make_delivery(configuration, make_entry("comment", "Note", type="comment"))
    shut_limit(configuration.authentication.account_id, "update", seconds=1)
    turn = push_all(configuration, clock)
    assert (turn.deliveries, turn.opens_at) == (0, NOW + timedelta(seconds=1))


def test_a_window_that_stays_shut_is_not_waited_for_again_and_again(configuration, clock, monkeypatch):
    waits = []
    monkeypatch.setattr(account_turn, "pause", waits.append)  # and nothing opens
    make_delivery(configuration)
    shut_limit(configuration.authentication.account_id, "update", seconds=0.2)
    push_all(configuration, clock)
    assert len(waits) == account_turn.MOST_WAITS


def test_nobody_is_called_for_lanes_that_look_due_and_whose_deliveries_are_held(configuration, clock):
    """Else a configuration that is switched off with a backlog keeps all workers busy with calling each other."""
    called = []
    for number in range(30):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    RecordLane.objects.update(goes_alone=True)
    Configuration.objects.update(state=Configuration.State.INACTIVE)
    account_id = configuration.authentication.account_id
    turn = drain_account(account_id=account_id, clock=clock, call_others=lambda: called.append(account_id))
    assert (called, turn.has_more, turn.deliveries) == ([], False, 0)


def test_a_suspect_record_whose_limit_is_shut_keeps_none_of_another_type_waiting(configuration, clock, monkeypatch):
    def choose_limits(_provider, entity_type, *, is_bulk):
        return ("account", "users-update") if entity_type == "user" else WRITE

    monkeypatch.setattr(MemoryProvider, "write_classes", choose_limits)
    earlier = NOW - timedelta(minutes=1)
    user = make_delivery(configuration, make_entry("name", "A"), entity_type="user", record_id="7", ended_at=earlier)
    ticket = make_delivery(configuration, make_entry("subject", "A"), record_id="8")
    RecordLane.objects.update(lost_leases=1)
    shut_limit(configuration.authentication.account_id, "users-update", seconds=3600)
    push_all(configuration, clock)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {user.pk: "waiting", ticket.pk: "delivered"}


@pytest.mark.parametrize("records", [1, BULK_FROM])
def test_a_great_many_that_wait_for_a_record_are_written_part_by_part(configuration, clock, monkeypatch, records):
    monkeypatch.setattr(members, "READ_MOST", 2 * records)
    for minute in range(5):
        for key in range(records):
            ended_at = NOW - timedelta(minutes=5 - minute)
            make_delivery(configuration, make_entry("subject", str(minute)), record_id=str(key), ended_at=ended_at)
    for _look in range(6):
        push_all(configuration, clock)
        clock.move(seconds=LONG_S)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert {values["subject"] for values in account_of(configuration).records.values()} == {"4"}
    writes = len(calls_of(configuration, "update_record")) + len(calls_of(configuration, "update_records"))
    assert writes == 3
