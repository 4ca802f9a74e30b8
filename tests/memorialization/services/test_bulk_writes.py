"""Many records by one call: committed before it, polled together, verified, never lost or doubled whatever fails."""

from datetime import timedelta

import pytest

from crm_integrations.models import CallBudget
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, RetryLater, ValueRefused
from memorialization.models import Attempt, BulkWrite, Delivery, DeliveryMinute, RecordLane
from memorialization.services.due_work import BULK_FROM, BULKS_AT_ONCE, LARGEST_BULK
from tests.engine import NOW, account_of, calls_of, make_delivery, make_entry, push_all, result_of
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def make_many(configuration, count=BULK_FROM, **keywords):
    return [
        make_delivery(configuration, make_entry("subject", f"Call {number}"), record_id=str(number), **keywords)
        for number in range(count)
    ]


def push_until_idle(configuration, clock, rounds=10):
    for _ in range(rounds):
        push_all(configuration, clock)
        clock.move(seconds=30)


def states():
    return set(Delivery.objects.values_list("state", "reason"))


def subjects_of(configuration):
    return {key[1]: record.get("subject") for key, record in account_of(configuration).records.items()}


def check_all_written(configuration, count=BULK_FROM):
    assert states() == {("delivered", "")}
    assert subjects_of(configuration) == {str(number): f"Call {number}" for number in range(count)}
    assert not RecordLane.objects.exclude(lease=None, bulk_write=None, next_due_at=None).exists()
    assert not Attempt.objects.filter(outcome=Attempt.Outcome.STARTED).exists()
    assert set(BulkWrite.objects.values_list("state", flat=True)) <= {"concluded"}


def test_what_is_due_on_many_records_goes_by_one_call_and_is_verified_by_one(configuration, clock):
    make_many(configuration, 60)
    push_until_idle(configuration, clock)
    check_all_written(configuration, 60)
    names = [name for name, _details in account_of(configuration).calls]
    assert names.count("update_record") == 0
    assert names.count("update_records") == 3
    assert names.count("get_records") == 1
    minute = DeliveryMinute.objects.get(bulk_writes__gt=0)
    assert (minute.bulk_writes, minute.writes) == (60, 60)


def test_few_records_go_at_once_by_calls_of_their_own(configuration, clock):
    make_many(configuration, BULK_FROM - 1)
    push_all(configuration, clock)
    check_all_written(configuration, BULK_FROM - 1)
    assert not BulkWrite.objects.exists()


def test_a_backlog_is_spread_over_bulk_writes_of_at_most_a_hundred(configuration, clock):
    make_many(configuration, BULKS_AT_ONCE * 30)
    push_all(configuration, clock)
    sizes = list(BulkWrite.objects.values_list("size", flat=True))
    assert max(sizes) == 30
    assert sum(sizes) == BULKS_AT_ONCE * 30
    assert max(sizes) <= LARGEST_BULK


def test_several_deliveries_of_a_record_share_its_place_in_the_bulk_write(configuration, clock):
    older = make_many(configuration, ended_at=NOW - timedelta(hours=1))
    newer = make_many(configuration)
    Delivery.objects.filter(pk__in=[each.pk for each in older]).update(
        fields=[make_entry("subject", "old"), make_entry("notes", "kept")]
    )
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert result_of(older[0]) == ("superseded", "superseded")
    assert result_of(older[0], "notes") == ("written", "")
    assert result_of(newer[0]) == ("written", "")
    assert Attempt.objects.count() == BULK_FROM


def test_the_bulk_write_is_committed_with_its_members_before_the_call(configuration, clock, monkeypatch):
    real, seen = MemoryConnection.update_records, []

    def look(self, entity_type, updates, **keywords):
        bulk = BulkWrite.objects.get()
        seen.append((bulk.state, bulk.attempts.count(), bulk.lanes.count(), states()))
        return real(self, entity_type, updates, **keywords)

    monkeypatch.setattr(MemoryConnection, "update_records", look)
    make_many(configuration)
    push_all(configuration, clock)
    assert seen == [("prepared", BULK_FROM, BULK_FROM, {("sending", "")})]


def test_records_that_the_crm_refuses_are_split_out_and_pushed_alone(configuration, clock):
    make_many(configuration)
    account_of(configuration).refused_in_bulk["ticket", "3"] = ("RecordInvalid", "Subject: is odd")
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert [details[1] for details in calls_of(configuration, "update_record")] == ["3"]
    attempts = Attempt.objects.filter(lane__record_id="3").order_by("pk")
    assert [(each.outcome, each.message) for each in attempts] == [
        ("refused", "RecordInvalid: Subject: is odd"),
        ("succeeded", ""),
    ]


def test_a_bulk_write_refused_as_a_whole_goes_record_by_record(configuration, clock):
    make_many(configuration)
    account_of(configuration).faults.append(ValueRefused("no", status=422))
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert len(calls_of(configuration, "update_record")) == BULK_FROM


def test_a_field_that_the_crm_ignored_makes_those_deliveries_partial_or_failed(configuration, clock):
    make_many(configuration)
    account_of(configuration).ignored_fields.add("subject")
    push_until_idle(configuration, clock)
    assert states() == {("failed", "nothing_applied")}


def test_a_limit_gives_everything_back_without_a_try_and_is_waited_for_in_full(configuration, clock):
    make_many(configuration)
    account_of(configuration).faults.append(RetryLater("Too many jobs", retry_after_s=40, limit_class="bulk"))
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", "attempt_count")) == {("waiting", 0)}
    assert CallBudget.objects.get(limit_class="bulk").blocked_until == NOW + timedelta(seconds=40)
    clock.move(seconds=41)
    push_until_idle(configuration, clock)
    check_all_written(configuration)


def test_a_denied_write_of_a_demoted_user_holds_everything_and_fails_nothing(configuration, clock):
    make_many(configuration)
    account_of(configuration).may_write = False
    push_all(configuration, clock)
    configuration.authentication.refresh_from_db()
    assert configuration.authentication.is_held
    assert states() == {("waiting", "held")}


def test_a_denied_write_of_a_good_user_is_tried_record_by_record(configuration, clock):
    make_many(configuration)
    account_of(configuration).faults.append(AccessDenied("no", status=403))
    push_until_idle(configuration, clock)
    check_all_written(configuration)


@pytest.mark.parametrize("is_applied", [True, False])
def test_a_lost_answer_is_looked_for_and_nothing_is_written_twice(configuration, clock, is_applied):
    make_many(configuration)
    if is_applied:
        account_of(configuration).lost_bulk_answers = 1
    else:
        account_of(configuration).faults.append(CRMUnavailable("reset", may_have_applied=True))
    push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "searching"
    assert states() == {("sending", "")}
    clock.move(seconds=3600)
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert len(calls_of(configuration, "update_records")) == 1
    assert len(calls_of(configuration, "update_record")) == (0 if is_applied else BULK_FROM)


@pytest.mark.parametrize("was_applied", [True, False])
def test_a_job_that_vanished_is_given_up_after_a_while_and_the_records_decide(
    configuration, clock, settings, was_applied
):
    make_many(configuration)
    account_of(configuration).vanishing_jobs.append(was_applied)
    push_all(configuration, clock)
    clock.move(seconds=settings.BULK_PATIENCE_S - 1)
    push_all(configuration, clock)
    assert states() == {("sending", "")}
    clock.move(seconds=30)
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert len(calls_of(configuration, "update_record")) == (0 if was_applied else BULK_FROM)


def test_a_job_that_never_ends_is_given_up_after_a_while(configuration, clock, settings):
    make_many(configuration)
    account_of(configuration).stuck_jobs = 1
    push_all(configuration, clock)
    clock.move(seconds=settings.BULK_PATIENCE_S + 30)
    push_until_idle(configuration, clock)
    check_all_written(configuration)


def test_a_record_of_which_the_job_says_nothing_is_looked_at(configuration, clock):
    make_many(configuration)
    account_of(configuration).unnamed_in_bulk.add(("ticket", "4"))
    push_until_idle(configuration, clock)
    check_all_written(configuration)
    assert result_of(Delivery.objects.get(record_id="4")) == ("unchanged", "already_there")
    assert calls_of(configuration, "update_record") == []


def test_a_record_that_is_gone_fails_alone(configuration, clock):
    make_many(configuration)
    del account_of(configuration).records["ticket", "5"]
    push_until_idle(configuration, clock)
    assert states() == {("delivered", ""), ("failed", "record_gone")}
    assert Delivery.objects.get(state="failed").record_id == "5"


def test_notes_never_go_in_bulk(configuration, clock):
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("comment", "Note", type="comment"), record_id=str(number))
    push_until_idle(configuration, clock)
    assert states() == {("delivered", "")}
    assert not BulkWrite.objects.exists()


def test_what_arrives_while_a_bulk_write_is_under_way_waits_for_it_and_follows(configuration, clock):
    make_many(configuration)
    account_of(configuration).polls_per_job = 1
    push_all(configuration, clock)
    later = make_delivery(configuration, make_entry("subject", "later"), record_id="3", ended_at=NOW)
    push_all(configuration, clock)
    assert calls_of(configuration, "update_record") == []
    push_until_idle(configuration, clock)
    assert result_of(later) == ("written", "")
    assert subjects_of(configuration)["3"] == "later"


def test_a_process_that_died_before_its_call_leaves_a_bulk_write_that_is_looked_for(configuration, clock, monkeypatch):
    def die(*_arguments, **_keywords):
        raise KeyboardInterrupt

    make_many(configuration)
    monkeypatch.setattr(MemoryConnection, "update_records", die)
    with pytest.raises(KeyboardInterrupt):
        push_all(configuration, clock)
    monkeypatch.undo()
    monkeypatch.setattr("crm_integrations.services.connections.get_provider", lambda _slug: MemoryProvider())
    assert BulkWrite.objects.get().state == "prepared"
    clock.move(seconds=600)
    push_until_idle(configuration, clock)
    check_all_written(configuration)


def test_a_conclusion_that_keeps_failing_ends_in_single_looks(configuration, clock, monkeypatch, caplog):
    from memorialization.deliveries.coalescing import Group

    real = Group.verify

    def fail_for_one(self, record, **keywords):
        if self.deliveries[0].record_id == "7" and not self.must_look_first:
            raise KeyError("secret")
        real(self, record, **keywords)

    make_many(configuration)
    monkeypatch.setattr(Group, "verify", fail_for_one)
    push_until_idle(configuration, clock, rounds=12)
    check_all_written(configuration)
    assert "secret" not in caplog.text


def test_at_most_so_many_bulk_writes_are_on_their_way_as_the_account_takes(configuration, clock):
    account = configuration.authentication.account
    account.head_room_percent = 90  # of 30
    account.save()
    account_of(configuration).polls_per_job = 2
    make_many(configuration, 100)
    push_all(configuration, clock)
    assert BulkWrite.objects.exclude(state="concluded").count() == 3
    push_until_idle(configuration, clock, rounds=12)
    check_all_written(configuration, 100)
