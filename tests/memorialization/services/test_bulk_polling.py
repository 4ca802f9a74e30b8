"""What became of bulk writes: never read from another's job, never given up while it moves, never kept for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_integrations.models import Authentication, Configuration
from crm_integrations.providers.base import BulkOutcome, BulkProgress, CallLimit, LimitScope
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable
from memorialization.deliveries.coalescing import Group
from memorialization.models import Attempt, BulkWrite, Delivery, DeliveryMinute, RecordLane
from memorialization.services.bulk_polling import poll_bulk_writes
from memorialization.services.bulk_results import MOST_LOST_POLLS
from memorialization.services.claims import accounts_with_due_lanes, lease_length_s
from memorialization.services.due_work import BULK_FROM
from memorialization.services.poll_leases import claim_polls
from tests.engine import NOW, account_of, calls_of, make_delivery, make_entry, push_all, result_of, shut_limit
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
UNANSWERED = CRMUnavailable("503", may_have_applied=False, status=503)


@pytest.fixture
def configuration():
    return make_configuration()


def make_many(configuration, text="Call", **keywords):
    return [
        make_delivery(configuration, make_entry("subject", f"{text} {number}"), record_id=str(number), **keywords)
        for number in range(BULK_FROM)
    ]


def push_until_idle(configuration, clock, rounds=8):
    for _ in range(rounds):
        push_all(configuration, clock)
        clock.move(seconds=30)


def refuse(monkeypatch, name, error):
    def raise_error(self, *_arguments, **_keywords):
        self._take(name)
        raise error

    monkeypatch.setattr(MemoryConnection, name, raise_error)


def test_the_job_of_an_earlier_bulk_write_of_the_same_records_is_not_taken_for_a_lost_one(configuration, clock):
    make_many(configuration, "First", ended_at=NOW - timedelta(hours=1))
    push_until_idle(configuration, clock, rounds=2)
    second = make_many(configuration, "Second")
    account_of(configuration).faults.append(CRMUnavailable("reset", may_have_applied=True))
    push_all(configuration, clock)
    assert BulkWrite.objects.exclude(state="concluded").get().state == "searching"
    clock.move(seconds=61)
    push_until_idle(configuration, clock)
    assert {result_of(each) for each in second} == {("written", "")}


def test_what_a_job_that_was_found_by_its_records_says_is_not_taken_at_its_word(configuration, clock):
    """Somebody else may have written to the same records in bulk just now."""
    make_many(configuration, "Theirs", ended_at=NOW - timedelta(hours=1))
    push_until_idle(configuration, clock, rounds=2)
    BulkWrite.objects.update(handle="not one of ours")
    ours = make_many(configuration, "Ours")
    account_of(configuration).faults.append(CRMUnavailable("reset", may_have_applied=True))
    push_all(configuration, clock)
    clock.move(seconds=61)
    push_until_idle(configuration, clock)
    assert {result_of(each) for each in ours} == {("written", "")}
    assert len(calls_of(configuration, "update_record")) == BULK_FROM


def test_nor_is_what_it_refused_sent_again_where_ours_was_applied(configuration, clock):
    """The older value of two would be written over the newer one that stands."""
    older = make_delivery(configuration, make_entry("subject", "Old"), record_id="3", ended_at=NOW - timedelta(hours=1))
    make_many(configuration, "Ours")
    account = account_of(configuration)
    account.lost_bulk_answers = 1
    push_all(configuration, clock)
    account.work_jobs()
    [ours] = account.jobs.values()
    outcomes = {record_id: BulkOutcome(record_id != "3", "RecordInvalid", "no") for record_id in ours.updates}
    account.jobs["theirs"] = replace(ours, handle="theirs", outcomes=outcomes)
    clock.move(seconds=61)
    push_until_idle(configuration, clock)
    assert calls_of(configuration, "update_record") == []
    assert result_of(older) == ("superseded", "superseded")
    found = BulkWrite.objects.get()
    assert (found.handle, found.finished_at) == ("theirs", None)
    assert found.poll_at > clock()  # ours may still be carried out


def test_a_job_that_moved_on_while_nobody_could_ask_is_not_given_up(configuration, clock, settings, monkeypatch):
    def half_done(self, handles):
        return {handle: BulkProgress(handle, is_finished=False, done=5, total=BULK_FROM) for handle in handles}

    make_many(configuration)
    account_of(configuration).polls_per_job = 1
    push_all(configuration, clock)
    clock.move(seconds=settings.BULK_PATIENCE_S + 60)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryConnection, "read_bulk", half_done)
        push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "running"
    push_until_idle(configuration, clock)
    assert calls_of(configuration, "update_record") == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_records_that_may_not_be_read_back_end_by_their_own_calls(configuration, clock, monkeypatch):
    make_many(configuration)
    push_all(configuration, clock)
    refuse(monkeypatch, "get_records", AccessDenied("no", status=403))
    push_until_idle(configuration, clock)
    assert set(Delivery.objects.values_list("state", "reason")) == {("failed", "access_denied")}
    assert not RecordLane.objects.exclude(lease=None, bulk_write=None).exists()


@pytest.mark.parametrize("is_lost", [True, False])
@pytest.mark.parametrize("error", [AccessDenied("no", status=403), UNANSWERED])
def test_a_crm_that_never_tells_of_its_jobs_is_not_asked_for_ever(
    configuration, clock, settings, monkeypatch, is_lost, error
):
    make_many(configuration)
    account_of(configuration).lost_bulk_answers = int(is_lost)
    push_all(configuration, clock)
    account_of(configuration).work_jobs()
    refuse(monkeypatch, "find_bulk" if is_lost else "read_bulk", error)
    clock.move(seconds=settings.BULK_PATIENCE_S - 1)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sending"}
    clock.move(seconds=30)
    push_until_idle(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert calls_of(configuration, "update_record") == []


def test_an_outage_of_the_crm_makes_nobody_give_up(configuration, clock, settings, monkeypatch):
    make_many(configuration)
    push_all(configuration, clock)
    with monkeypatch.context() as patched:
        for name in ("read_bulk", "get_records"):
            refuse(patched, name, UNANSWERED)
        clock.move(seconds=settings.BULK_PATIENCE_S + 60)
        push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "running"
    push_until_idle(configuration, clock)
    assert calls_of(configuration, "update_record") == []


def test_what_was_given_up_is_concluded_though_of_later_ones_nothing_is_told_either(
    configuration, clock, settings, monkeypatch
):
    """With all places taken, what is due would wait for ever for bulk writes that nobody hears of."""
    limits = [each for each in MemoryProvider.limits if each.limit_class != "bulk"]
    monkeypatch.setattr(MemoryProvider, "limits", (*limits, CallLimit("bulk", 1, 60, LimitScope.IN_FLIGHT)))
    refuse(monkeypatch, "read_bulk", UNANSWERED)
    make_many(configuration)
    push_all(configuration, clock)
    account_of(configuration).work_jobs()
    for number in range(2 * BULK_FROM):
        make_delivery(configuration, make_entry("subject", "Call"), record_id=str(BULK_FROM + number))
    push_all(configuration, clock)
    for _ in range(3):
        clock.move(seconds=settings.BULK_PATIENCE_S + 60)
        push_all(configuration, clock)
        account_of(configuration).work_jobs()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_held_authentication_keeps_its_records_from_others_for_a_while_only(configuration, clock, settings):
    other = make_configuration()
    held = make_many(configuration, ended_at=NOW - timedelta(hours=1))
    push_all(configuration, clock)
    Authentication.objects.filter(pk=configuration.authentication_id).update(state="reauthenticate")
    later = make_delivery(other, make_entry("subject", "later"), record_id="3")
    push_until_idle(configuration, clock)
    later.refresh_from_db()
    assert later.state == "waiting"
    clock.move(seconds=settings.BULK_PATIENCE_S)
    push_until_idle(configuration, clock)
    assert result_of(later) == ("written", "")
    assert set(Delivery.objects.filter(configuration=configuration).values_list("state", flat=True)) == {"waiting"}
    Authentication.objects.update(state="active")
    push_until_idle(configuration, clock)
    assert result_of(held[3]) == ("superseded", "superseded")
    assert result_of(held[4]) == ("written", "")


def test_the_end_of_an_authentication_does_not_end_the_wait_for_its_job(configuration, clock, settings):
    other = make_configuration()
    make_many(configuration)
    account_of(configuration).polls_per_job = 1
    push_all(configuration, clock)
    BulkWrite.objects.update(authentication=None)
    clock.move(seconds=60)
    push_all(other, clock)
    assert BulkWrite.objects.get().state == "running"
    clock.move(seconds=settings.BULK_PATIENCE_S)
    push_all(other, clock)
    assert BulkWrite.objects.get().state == "concluded"


def test_polls_that_cost_their_workers_do_not_end_the_wait_for_a_job_that_runs(configuration, clock, settings):
    make_many(configuration)
    account_of(configuration).stuck_jobs = 1
    push_all(configuration, clock)
    BulkWrite.objects.update(lost_polls=MOST_LOST_POLLS)
    clock.move(seconds=60)
    push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "running"
    clock.move(seconds=settings.BULK_PATIENCE_S)
    push_until_idle(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_poll_that_went_well_makes_earlier_losses_forgotten(configuration, clock):
    make_many(configuration)
    account_of(configuration).polls_per_job = 1
    push_all(configuration, clock)
    BulkWrite.objects.update(lost_polls=MOST_LOST_POLLS - 1)
    clock.move(seconds=30)
    push_all(configuration, clock)
    assert set(BulkWrite.objects.values_list("state", "lost_polls")) == {("running", 0)}


def test_who_stood_still_while_asking_gives_up_nothing_that_somebody_else_looks_after(
    configuration, clock, settings, monkeypatch
):
    real = MemoryConnection.read_bulk

    def stand_still(self, handles):
        found = real(self, handles)
        clock.move(seconds=settings.BULK_PATIENCE_S + 60)
        assert claim_polls(account_id=configuration.authentication.account_id, now=clock())
        BulkWrite.objects.update(progressed_at=clock())
        return found

    make_many(configuration)
    account_of(configuration).stuck_jobs = 1
    push_all(configuration, clock)
    monkeypatch.setattr(MemoryConnection, "read_bulk", stand_still)
    clock.move(seconds=30)
    push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "running"


def test_a_call_whose_maker_died_has_time_to_settle_before_its_records_are_written_again(
    configuration, clock, monkeypatch
):
    def die(*_arguments, **_keywords):
        raise KeyboardInterrupt

    make_many(configuration)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryConnection, "update_records", die)
        with pytest.raises(KeyboardInterrupt):
            push_all(configuration, clock)
    clock.move(seconds=lease_length_s())  # it may have died just now
    push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "searching"
    assert BulkWrite.objects.get().poll_at == clock() + timedelta(seconds=60)
    clock.move(seconds=60)
    push_until_idle(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_poll_that_takes_long_keeps_its_lease(configuration, clock, monkeypatch):
    real = MemoryConnection.get_records

    def read_slowly(self, entity_type, ids, **keywords):
        clock.move(seconds=lease_length_s() - 20)
        assert claim_polls(account_id=configuration.authentication.account_id, now=clock()) == []
        return real(self, entity_type, ids, **keywords)

    make_many(configuration)
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("name", "N"), record_id=str(number), entity_type="user")
    push_all(configuration, clock)
    assert BulkWrite.objects.count() == 2
    monkeypatch.setattr(MemoryConnection, "get_records", read_slowly)
    clock.move(seconds=30)
    push_all(configuration, clock)
    assert set(BulkWrite.objects.values_list("state", "lost_polls")) == {("concluded", 0)}


def test_what_was_concluded_counts_though_the_rest_of_the_poll_failed(configuration, clock, monkeypatch):
    real = MemoryConnection.get_records

    def fail_for_users(self, entity_type, ids, **keywords):
        if entity_type == "user":
            raise CRMUnavailable("503", may_have_applied=False, status=503)
        return real(self, entity_type, ids, **keywords)

    make_many(configuration)
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("name", "N"), record_id=str(number), entity_type="user")
    push_all(configuration, clock)
    monkeypatch.setattr(MemoryConnection, "get_records", fail_for_users)
    clock.move(seconds=30)
    push_all(configuration, clock)
    assert set(BulkWrite.objects.values_list("entity_type", "state")) == {("ticket", "concluded"), ("user", "finished")}
    assert sum(DeliveryMinute.objects.values_list("bulk_writes", flat=True)) == BULK_FROM


def test_a_bulk_write_is_looked_after_though_its_configuration_was_deactivated(configuration, clock):
    make_many(configuration)
    push_all(configuration, clock)
    Configuration.objects.update(state="inactive")
    clock.move(seconds=30)
    account_id = configuration.authentication.account_id
    assert accounts_with_due_lanes(now=clock()) == [account_id]
    push_until_idle(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert accounts_with_due_lanes(now=clock()) == []


def test_two_polls_at_once_share_no_bulk_write(configuration, clock):
    make_many(configuration)
    push_all(configuration, clock)
    clock.move(seconds=30)
    account_id = configuration.authentication.account_id
    assert len(claim_polls(account_id=account_id, now=clock())) == 1
    assert poll_bulk_writes(account_id=account_id, connect=None, clock=clock).looked_at == 0


def test_a_bulk_write_whose_members_cannot_be_read_ends_in_single_looks_and_keeps_no_other(
    configuration, clock, monkeypatch
):
    supersede = Group.supersede

    def fail_for_one(group, marks):
        if any(
            (each.record_id, each.entity_type, each.state) == ("3", "ticket", "sending") for each in group.deliveries
        ):
            raise KeyError("secret")
        supersede(group, marks)

    made = make_many(configuration)
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("name", "N"), record_id=str(number), entity_type="user")
    push_all(configuration, clock)
    monkeypatch.setattr(Group, "supersede", fail_for_one)
    clock.move(seconds=30)
    push_all(configuration, clock)
    assert set(BulkWrite.objects.values_list("entity_type", "state", "lost_polls")) == {
        ("ticket", "finished", 1),
        ("user", "concluded", 0),
    }
    for _poll in range(MOST_LOST_POLLS):
        clock.move(seconds=30)
        push_all(configuration, clock)
    assert set(BulkWrite.objects.values_list("state", flat=True)) == {"concluded"}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    attempts = Attempt.objects.filter(bulk_write__entity_type="ticket")
    assert set(attempts.values_list("outcome", flat=True)) == {"unknown"}
    assert not attempts.filter(finished_at=None).exists()
    assert result_of(made[4]) == ("unchanged", "already_there")


def test_what_a_given_up_bulk_write_carried_is_looked_at_before_it_goes_the_newest_only(configuration, clock, settings):
    """The CRM carries it out after its records were read, and before they are written."""
    older = make_delivery(configuration, make_entry("subject", "Old"), record_id="3", ended_at=NOW - timedelta(hours=1))
    make_many(configuration)
    account_of(configuration).stuck_jobs = 1
    push_all(configuration, clock)
    shut_limit(configuration.authentication.account_id, "update", seconds=settings.BULK_PATIENCE_S * 3)
    for _look in range(2):
        clock.move(seconds=settings.BULK_PATIENCE_S + 5)
        push_all(configuration, clock)
    assert BulkWrite.objects.get().state == "concluded"
    assert set(Delivery.objects.values_list("state", "goes_alone", "must_look_first")) == {("waiting", False, True)}
    [job] = account_of(configuration).jobs.values()
    account_of(configuration).work(job)
    clock.move(seconds=settings.BULK_PATIENCE_S * 2)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert result_of(older) == ("superseded", "superseded")
    assert calls_of(configuration, "update_record") == []
