"""Which lanes go in one bulk write, and which way the others go when limits are closed."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from crm_integrations.models import CallBudget
from crm_integrations.providers.base import FieldType
from crm_integrations.providers.errors import Misconfigured, RetryLater
from crm_integrations.services.call_budgets import BudgetSpent
from memorialization.models import BulkWrite, Delivery, FieldMark, RecordLane
from memorialization.services import bulk_pushes, bulk_writing, pushing
from memorialization.services.claims import lease_length_s
from memorialization.services.due_work import BULK_FROM, SMALLEST_BULK
from memorialization.services.sweeping import sweep_once
from tests.engine import NOW, account_of, calls_of, lane_of, make_delivery, make_entry, push_all, result_of, shut_limit
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def make_many(configuration, *fields, count=BULK_FROM, **keywords):
    return [make_delivery(configuration, *fields, record_id=str(number), **keywords) for number in range(count)]


def close_single_writes(configuration):
    account_id = configuration.authentication.account_id
    shut_limit(account_id, "update", seconds=50)


def test_notes_that_no_limit_lets_through_are_not_claimed_again_and_again(configuration, clock):
    make_many(configuration, make_entry("comment", "Note", type="comment"))
    close_single_writes(configuration)
    turn = push_all(configuration, clock)
    assert not turn.has_more
    assert turn.opens_at == NOW + timedelta(seconds=50)
    clock.move(seconds=51)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_what_a_limit_stopped_is_not_claimed_and_read_again_in_vain(configuration, clock, monkeypatch):
    make_many(configuration, make_entry("subject", "new"), count=3 * SMALLEST_BULK)
    tried = []

    def meet_limit(*, spec, lanes, **_):
        tried.append(len(lanes))
        limit_class = spec.write_classes[0]
        shut_limit(spec.account_id, limit_class, seconds=50)
        raise BudgetSpent(limit_class=limit_class, retry_after_s=50)

    monkeypatch.setattr(bulk_pushes, "send_bulk_write", meet_limit)
    turn = push_all(configuration, clock)
    assert tried == [SMALLEST_BULK]
    assert (turn.has_more, turn.opens_at) == (False, NOW + timedelta(seconds=50))
    assert not RecordLane.objects.exclude(lease=None).exists()


def test_records_that_the_crm_takes_by_single_calls_only_do_not_keep_others_from_bulk_writes(
    configuration, clock, monkeypatch
):
    def limit_without_tags(_self, _entity_type, field_types):
        return 0 if FieldType.TAGS in field_types else 100

    monkeypatch.setattr(MemoryConnection, "bulk_limit", limit_without_tags)
    make_many(configuration, make_entry("tags", ["a"], type="tags"), count=100, ended_at=NOW - timedelta(hours=1))
    plain = [make_delivery(configuration, record_id=f"plain {number}") for number in range(BULK_FROM)]
    close_single_writes(configuration)
    turn = push_all(configuration, clock)
    assert not turn.has_more
    assert {lane_of(each).bulk_write for each in plain} == {BulkWrite.objects.get()}


def test_a_record_whose_first_delivery_is_to_be_tried_later_does_not_go_before(configuration, clock):
    make_many(configuration, ended_at=NOW - timedelta(hours=1), next_attempt_at=NOW + timedelta(hours=2))
    make_many(configuration, next_attempt_at=NOW)
    push_all(configuration, clock)
    assert calls_of(configuration, "update_records") == []
    assert set(RecordLane.objects.values_list("next_due_at", "lease")) == {(NOW + timedelta(hours=2), None)}


def test_a_maker_that_stood_still_before_its_call_does_not_make_it(configuration, clock, monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(bulk_writing.time, "monotonic", lambda: moment[0])

    def stand_still(name):
        if name == "before_bulk_call":
            moment[0] += lease_length_s()

    monkeypatch.setattr(bulk_writing, "visit_failpoint", stand_still)
    make_many(configuration)
    push_all(configuration, clock)
    assert calls_of(configuration, "update_records") == []
    assert BulkWrite.objects.get().state == "concluded"
    assert set(Delivery.objects.values_list("state", "attempt_count")) == {("waiting", 0)}
    assert set(RecordLane.objects.values_list("lease", "bulk_write")) == {(None, None)}


def test_a_delivery_that_needs_no_write_is_done_though_the_others_wait_for_a_limit(configuration, clock):
    overtaken = make_many(configuration, ended_at=NOW - timedelta(hours=1))
    make_many(configuration, make_entry("notes", "more"))
    for each in overtaken:
        FieldMark.objects.create(
            lane_id=each.lane_id, crm_field="subject", segment_ended_at=NOW, segment_key="z", occurred_at=NOW
        )
    account_of(configuration).faults.append(RetryLater("stop", retry_after_s=40, limit_class="bulk"))
    push_all(configuration, clock)
    assert result_of(overtaken[0]) == ("superseded", "superseded")
    assert {Delivery.objects.get(pk=each.pk).state for each in overtaken} == {"delivered"}


def test_a_refusal_of_many_records_is_stored_by_few_statements(configuration, clock, django_assert_max_num_queries):
    make_many(configuration, count=SMALLEST_BULK)
    close_single_writes(configuration)
    account_of(configuration).faults.append(RetryLater("stop", retry_after_s=40, limit_class="bulk"))
    with django_assert_max_num_queries(76):
        push_all(configuration, clock)
    assert set(RecordLane.objects.values_list("next_due_at", "lease")) == {(NOW + timedelta(seconds=40), None)}


def test_a_database_error_after_a_single_call_leaves_its_lane_to_the_recovery(configuration, clock, monkeypatch):
    monkeypatch.setattr(MemoryConnection, "bulk_limit", lambda _self, _type, types: 0 if FieldType.TAGS in types else 9)
    make_many(configuration, make_entry("tags", ["a"], type="tags"))
    conclude, struck = pushing.conclude_attempt, []

    def conclude_once_badly(**keywords):
        if not struck:
            struck.append(keywords["hold"].lane_id)
            raise OperationalError("database is locked")
        return conclude(**keywords)

    monkeypatch.setattr(pushing, "conclude_attempt", conclude_once_badly)
    with pytest.raises(OperationalError):
        push_all(configuration, clock)
    assert RecordLane.objects.get(pk=struck[0]).lease is not None
    clock.move(seconds=lease_length_s())
    sweep_once(clock=clock)
    clock.move(minutes=5)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_bulk_write_that_the_crm_refused_outright_takes_none_of_its_places(configuration, clock, monkeypatch):
    def refuse(_self, _type, _updates, **_keywords):
        raise Misconfigured("not understood", status=400)

    monkeypatch.setattr(MemoryConnection, "update_records", refuse)
    make_many(configuration)
    push_all(configuration, clock)
    assert CallBudget.objects.filter(scope="in_flight", granted__gt=0).count() == 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_while_the_account_is_away_a_bulk_write_waits_and_blames_none_of_its_records(configuration, clock, monkeypatch):
    def refuse(_self, *_args, **_keywords):
        raise Misconfigured("No help desk", status=404)

    with monkeypatch.context() as away:
        away.setattr(MemoryConnection, "update_records", refuse)
        away.setattr(MemoryConnection, "confirm_writing", refuse)
        make_many(configuration)
        push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", "reason", "goes_alone")) == {("waiting", "crm_unavailable", False)}
    clock.move(hours=1)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
