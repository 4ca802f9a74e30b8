"""What workers that died leave behind: lanes come back, unknown calls settle, poison ends."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import DataError, OperationalError

from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.field_sheets import FieldSheet
from memorialization.models import Attempt, Delivery, RecordLane
from memorialization.services.claims import lease_length_s
from memorialization.services.draining import drain_account
from memorialization.services.outcomes import begin_attempt
from memorialization.services.recovery import MOST_LOST_LEASES, heal_lanes, recover_lost_lanes
from tests.engine import NOW, account_of, calls_of, claim_due, lane_of, make_delivery, make_entry, push_all
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def claim_all(configuration, clock):
    return claim_due(configuration, limit=10, now=clock.now)


def test_a_worker_that_died_before_any_call_costs_its_lease_and_no_settle_time(configuration, clock):
    delivery = make_delivery(configuration)
    claim_all(configuration, clock)
    assert recover_lost_lanes(now=clock.now) == 0
    clock.move(seconds=lease_length_s())
    assert recover_lost_lanes(now=clock.now) == 1
    lane = lane_of(delivery)
    assert (lane.lease, lane.closed_until, lane.lost_leases) == (None, None, 1)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert lane_of(delivery).lost_leases == 0


def test_a_worker_that_died_during_a_call_leaves_an_unknown_outcome_that_is_looked_at(configuration, clock, settings):
    delivery = make_delivery(configuration)
    (hold,) = claim_all(configuration, clock)
    begin_attempt(
        hold=hold, group=Group([Member(delivery, configuration.authentication_id)]), is_looking=False, now=clock.now
    )
    account_of(configuration).records["ticket", "35"] = {"subject": "Call"}  # the CRM applied it
    lease_ends = clock.now + timedelta(seconds=lease_length_s())
    clock.now = lease_ends
    push_all(configuration, clock)
    assert calls_of(configuration, "update_record") == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.must_look_first, delivery.attempt_count) == ("waiting", True, 1)
    assert lane_of(delivery).closed_until == lease_ends + timedelta(seconds=settings.SETTLE_S)
    assert Attempt.objects.get().outcome == Attempt.Outcome.UNKNOWN
    clock.move(seconds=settings.SETTLE_S)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert calls_of(configuration, "update_record") == []


def test_a_lane_that_keeps_killing_workers_fails_its_first_delivery_and_is_free(configuration, clock):
    poison = make_delivery(configuration, ended_at=NOW - timedelta(hours=1))
    healthy = make_delivery(configuration)
    lane_id = poison.lane_id
    for _ in range(MOST_LOST_LEASES):
        RecordLane.objects.filter(pk=lane_id).update(
            lease="6f1c0c55-7f5b-4a4c-9d53-111111111111", lease_until=clock.now
        )
        recover_lost_lanes(now=clock.now)
    poison.refresh_from_db()
    assert (poison.state, poison.reason, poison.reason_params) == ("failed", "lost_leases", {"count": 5})
    push_all(configuration, clock)
    healthy.refresh_from_db()
    assert healthy.state == "delivered"


def test_an_unexpected_error_is_contained_and_ends_as_poison_while_others_are_delivered(
    configuration, clock, monkeypatch, caplog
):
    from memorialization.deliveries.coalescing import Group

    real = Group.values

    def fail_for_one(self):
        if any(entry.get("rendered") == "secret poison" for sheet in self.sheets for entry in sheet.entries):
            raise KeyError("secret poison")
        return real(self)

    monkeypatch.setattr(Group, "values", fail_for_one)
    poison = make_delivery(configuration)
    Delivery.objects.filter(pk=poison.pk).update(fields=[{**poison.fields[0], "rendered": "secret poison"}])
    others = [make_delivery(configuration, record_id=str(number)) for number in range(3)]
    for _ in range(MOST_LOST_LEASES + 1):
        push_all(configuration, clock)
        clock.move(hours=1)
    poison.refresh_from_db()
    assert (poison.state, poison.reason) == ("failed", "lost_leases")
    assert {Delivery.objects.get(pk=other.pk).state for other in others} == {"delivered"}
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(("error", "is_contained"), [(DataError, True), (OperationalError, False)])
def test_an_answer_that_the_database_refuses_harms_one_lane_and_a_database_that_is_away_ends_the_turn(
    configuration, clock, monkeypatch, caplog, error, is_contained
):
    from memorialization.services import pushing

    real = pushing.conclude_attempt

    def refuse_one(*, hold, **keywords):
        if hold.record_id == "poison":
            raise error("DETAIL: secret")
        real(hold=hold, **keywords)

    monkeypatch.setattr(pushing, "conclude_attempt", refuse_one)
    make_delivery(configuration, record_id="poison")
    other = make_delivery(configuration, record_id="other")
    with nullcontext() if is_contained else pytest.raises(error):
        push_all(configuration, clock)
    other.refresh_from_db()
    assert (other.state == "delivered") is is_contained
    assert lane_of(other).lease is None
    assert "secret" not in caplog.text


def test_an_earlier_suspicion_says_nothing_of_a_later_one(configuration, clock):
    delivery = make_delivery(configuration)
    claim_due(configuration)
    RecordLane.objects.update(lease_until=NOW, suspect_to=delivery.pk - 1)
    recover_lost_lanes(now=NOW)
    assert (lane_of(delivery).lost_leases, lane_of(delivery).suspect_to) == (1, None)


def test_two_recoveries_at_once_do_it_once(configuration, clock):
    delivery = make_delivery(configuration)
    claim_all(configuration, clock)
    clock.move(seconds=lease_length_s())
    assert recover_lost_lanes(now=clock.now) + recover_lost_lanes(now=clock.now) == 1
    assert lane_of(delivery).lost_leases == 1


def test_a_lane_that_nobody_would_look_at_again_is_healed(configuration, clock):
    delivery = make_delivery(configuration)
    RecordLane.objects.update(next_due_at=None)
    assert heal_lanes(now=NOW) == 1
    assert lane_of(delivery).next_due_at == NOW
    assert heal_lanes(now=NOW) == 0


def test_a_delivery_that_is_being_sent_on_a_lane_that_nobody_holds_is_looked_at_again(configuration, clock):
    delivery = make_delivery(configuration)
    [hold] = claim_all(configuration, clock)
    group = Group([Member(delivery, configuration.authentication_id)])
    begin_attempt(hold=hold, group=group, is_looking=False, now=clock())
    RecordLane.objects.update(lease=None, lease_until=None)
    assert heal_lanes(now=clock()) == 1
    assert Attempt.objects.get().outcome == "unknown"
    push_all(configuration, clock)
    assert account_of(configuration).calls == []  # a call may still be under way
    clock.move(minutes=2)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert heal_lanes(now=clock()) == 0


@pytest.mark.parametrize("is_suspect", [True, False])
def test_a_call_for_several_that_may_have_been_applied_is_looked_at_for_all_of_them(configuration, clock, is_suspect):
    older, newer, untouched = (
        make_delivery(configuration, make_entry("subject", value), ended_at=NOW - timedelta(minutes=minutes))
        for value, minutes in (("older", 5), ("newer", 4), ("newest", 0))
    )
    sent = Delivery.objects.filter(pk__in=[older.pk, newer.pk])
    sent.update(must_look_first=True, goes_alone=not is_suspect)
    RecordLane.objects.update(lost_leases=int(is_suspect), goes_alone=not is_suspect)
    account_of(configuration).records["ticket", "35"] = {"subject": "newer"}
    push_all(configuration, clock)
    written = [values["subject"] for _type, _key, values in calls_of(configuration, "update_record")]
    assert written == ["newest"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_what_is_looked_at_beside_a_delivery_that_kills_its_workers_is_delivered(configuration, clock, monkeypatch):
    first, second, poison = (
        make_delivery(
            configuration, make_entry(field, "x"), ended_at=NOW - timedelta(minutes=minutes), must_look_first=True
        )
        for field, minutes in (("subject", 5), ("notes", 4), ("contact_id", 0))
    )
    settle = FieldSheet.settle_if_standing

    def fail(sheet, entry, record):
        if entry["crm_field"] == "contact_id":
            raise RuntimeError
        settle(sheet, entry, record)

    monkeypatch.setattr(FieldSheet, "settle_if_standing", fail)
    for _try in range(2 * MOST_LOST_LEASES):
        push_all(configuration, clock)
        clock.move(seconds=400)
    for delivery in (first, second, poison):
        delivery.refresh_from_db()
    assert (poison.state, poison.reason) == ("failed", "lost_leases")
    assert (first.state, second.state) == ("delivered", "delivered")


def test_what_is_written_turn_by_turn_before_a_delivery_that_kills_its_workers_costs_no_more_of_them(
    configuration, clock, monkeypatch
):
    for minutes in range(10, 0, -1):
        make_delivery(configuration, make_entry("subject", str(minutes)), ended_at=NOW - timedelta(minutes=minutes))
    poison = make_delivery(configuration, make_entry("contact_id", "x"))
    update, kills = MemoryConnection.update_record, []

    def fail(connection, entity_type, record_id, values, **options):
        if "contact_id" in values:
            kills.append(values)
            raise RuntimeError
        return update(connection, entity_type, record_id, values, **options)

    monkeypatch.setattr(MemoryConnection, "update_record", fail)
    for _turn in range(2 * (10 + MOST_LOST_LEASES)):
        drain_account(account_id=lane_of(poison).account_id, clock=clock, turn_s=0)  # over after its first push
        clock.move(seconds=400)
    assert len(kills) == MOST_LOST_LEASES
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered"] * 10 + ["failed"]
    assert lane_of(poison).lost_leases == 0


def test_what_waits_beside_a_delivery_that_kills_its_workers_is_written(configuration, clock, monkeypatch):
    first, second, poison = (
        make_delivery(configuration, make_entry(field, "x"), ended_at=NOW - timedelta(minutes=minutes))
        for field, minutes in (("subject", 5), ("notes", 4), ("contact_id", 0))
    )
    update = MemoryConnection.update_record

    def fail(connection, entity_type, record_id, values, **options):
        if "contact_id" in values:
            raise RuntimeError
        return update(connection, entity_type, record_id, values, **options)

    monkeypatch.setattr(MemoryConnection, "update_record", fail)
    for _try in range(2 * MOST_LOST_LEASES):
        push_all(configuration, clock)
        clock.move(seconds=400)
    for delivery in (first, second, poison):
        delivery.refresh_from_db()
    assert (first.state, second.state) == ("delivered", "delivered")
    assert (poison.state, poison.reason) == ("failed", "lost_leases")
