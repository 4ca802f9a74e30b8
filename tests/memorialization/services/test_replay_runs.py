"""Replay runs: thousands again, each once, whatever is cut off, runs twice or is cancelled half-way."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_integrations.models import AuditEntry
from crm_integrations.providers.errors import RetryLater
from memorialization.models import Delivery, RecordLane, ReplayRun, ReplayStep
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.services import replay_runs, replay_slices, replay_work
from memorialization.services.hints import BACKLOG_QUEUE
from memorialization.services.replay_choices import ReplayChoice, count_unreplayed, read_choice
from memorialization.services.replay_runs import (
    cancel_replay_run,
    continue_replay_run,
    continue_replay_runs,
    start_replay_run,
)
from memorialization.services.replay_work import RunLost, claim_run, work_on_slice
from memorialization.services.sweeping import sweep_once
from memorialization.tasks import continue_replay_run as continue_task
from tests.engine import NOW, account_of, lane_of, make_delivery, make_entry, make_interaction, push_all
from tests.factories import make_configuration, make_user
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
FAILED = ReplayChoice(LedgerFilters(state="failed"))


class Died(BaseException):
    """The process ended here."""


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr(replay_work, "SLICE", 3)


def settle(delivery, state="failed", **columns):
    """As if the engine had ended it so; nothing waits on its lane any more."""
    Delivery.objects.filter(pk=delivery.pk).update(state=state, next_attempt_at=None, **columns)
    type(delivery.lane).objects.filter(pk=delivery.lane_id).update(next_due_at=None)
    delivery.refresh_from_db()
    return delivery


def make_failed(configuration, *fields, **columns):
    return settle(make_delivery(configuration, *fields, **columns))


def make_many(configuration, count):
    return [make_failed(configuration, record_id=str(number)) for number in range(count)]


def start(clock, choice=FAILED, **columns):
    columns.setdefault("key", uuid.uuid4())
    return start_replay_run(choice=choice, actor=None, now=clock.now, **columns)


def work(run, clock, **limits):
    has_more = continue_replay_run(run_id=run.pk, clock=clock, **limits)
    run.refresh_from_db()
    return has_more


def replays_of(run):
    return list(Delivery.objects.filter(replayed_by__run=run).order_by("pk"))


@pytest.mark.usefixtures("small_slices")
def test_a_run_queues_what_the_filter_finds_once_and_the_engine_sends_it(configuration, clock):
    failed = make_many(configuration, 7)
    other = settle(make_delivery(configuration, record_id="delivered"), "delivered")
    run = start(clock)
    assert not work(run, clock)
    assert (run.state, run.total, run.replayed, run.refused) == ("finished", 7, 7, {})
    assert [replay.replay_of_id for replay in replays_of(run)] == [delivery.pk for delivery in failed]
    assert {(replay.state, replay.revision) for replay in replays_of(run)} == {("waiting", 2)}
    assert {lane_of(replay).next_due_at for replay in replays_of(run)} == {clock.now}
    push_all(configuration, clock)
    assert {replay.state for replay in replays_of(run)} == {"delivered"}
    assert not other.replays.exists()


def test_the_run_is_audited_from_start_to_end_with_its_counts(configuration, clock):
    make_many(configuration, 2)
    person = make_user(username="edith")
    choice = ReplayChoice(LedgerFilters(state="failed", configuration=configuration.pk))
    run = start_replay_run(choice=choice, key=uuid.uuid4(), actor=person, now=clock.now)
    work(run, clock)
    started, finished = AuditEntry.objects.order_by("pk")
    assert (started.action, started.actor, started.configuration) == ("replay_run_started", person, configuration)
    assert started.details["filter"] == {"state": "failed", "configuration": str(configuration.pk)}
    assert (finished.action, finished.actor) == ("replay_run_finished", None)
    assert finished.details == {"run": run.pk, "replayed": 2, "left_out": 0, "taken_back": 0}


def test_what_cannot_go_again_is_counted_by_reason_and_listed(configuration, clock):
    make_failed(configuration)
    settle(make_delivery(configuration), "skipped", record_id="")
    blank = [{"crm_field": "subject", "result": "blank"}]
    settle(make_delivery(configuration, record_id="2"), "skipped", fields=blank)
    sending = make_delivery(configuration, record_id="3")
    Delivery.objects.filter(pk=sending.pk).update(state="sending")
    everything = ReplayChoice(LedgerFilters(configuration=configuration.pk))
    run = start(clock, everything)
    work(run, clock)
    assert (run.replayed, run.refused) == (1, {"no_record": 1, "nothing_to_write": 1, "sending": 1})
    assert run.handled == run.total == 4
    assert run.steps.get(refused="sending").delivery == sending
    assert not ReplayStep.objects.filter(refused="", replay=None).exists()


def test_what_was_replayed_before_is_left_out_by_the_next_run(configuration, clock):
    make_many(configuration, 2)
    assert count_unreplayed(FAILED) == 2
    work(start(clock), clock)
    assert count_unreplayed(FAILED) == 0
    again = start(clock)
    work(again, clock)
    assert (again.replayed, again.refused) == (0, {"replayed": 2})


def test_what_fails_after_the_start_is_not_swept_in(configuration, clock):
    make_failed(configuration)
    run = start(clock)
    later = make_failed(configuration, record_id="later")
    work(run, clock)
    assert (run.total, run.replayed) == (1, 1)
    assert not later.replays.exists()


def test_a_run_goes_no_further_than_the_id_that_its_count_was_shown_for(configuration, clock):
    shown = make_failed(configuration)
    make_failed(configuration, record_id="later")
    run = start(clock, up_to=shown.pk)
    work(run, clock)
    assert run.replayed == 1 and run.last_id == shown.pk


def test_the_same_key_starts_one_run(configuration, clock):
    key = uuid.uuid4()
    assert start(clock, key=key) == start(clock, key=key)
    assert AuditEntry.objects.filter(action="replay_run_started").count() == 1


def test_a_text_finds_what_it_finds_on_the_list(configuration, clock):
    wanted = make_failed(configuration)
    make_failed(configuration, record_id="2")
    run = start(clock, ReplayChoice(LedgerFilters(q=wanted.interaction.contact.contact_id)))
    work(run, clock)
    assert [replay.replay_of_id for replay in replays_of(run)] == [wanted.pk]


def test_a_choice_is_the_same_after_it_was_stored(configuration):
    filters = LedgerFilters(
        state="failed", configuration=configuration.pk, channel="voice", since=NOW.date(), until=NOW.date(), q="4",
        reason="gave_up",
    )  # fmt: skip
    choice = ReplayChoice(filters, since=NOW, before=NOW + timedelta(days=1))
    assert read_choice(choice.as_json()) == choice
    with pytest.raises(TypeError):
        read_choice({"colour": "red"})


def test_two_failed_revisions_of_one_record_keep_their_order(configuration, clock):
    interaction = make_interaction(configuration)
    older = make_failed(configuration, make_entry("subject", "old"), interaction=interaction)
    newer = make_failed(
        configuration,
        make_entry("subject", "new", occurred_at=NOW + timedelta(minutes=1)),
        interaction=interaction,
    )
    run = start(clock)
    work(run, clock)
    assert [(each.replay_of, each.revision) for each in replays_of(run)] == [(older, 3), (newer, 4)]
    push_all(configuration, clock)
    assert account_of(configuration).records["ticket", "35"]["subject"] == "new"


def test_a_run_obeys_the_marks(configuration, clock):
    failed = make_failed(configuration, make_entry("subject", "old"), ended_at=NOW - timedelta(hours=1))
    make_delivery(configuration, make_entry("subject", "new"))
    push_all(configuration, clock)
    run = start(clock)
    work(run, clock)
    push_all(configuration, clock)
    assert failed.replays.get().fields[0]["result"] == "superseded"
    assert account_of(configuration).records["ticket", "35"]["subject"] == "new"


def test_what_waits_is_brought_forward_and_not_doubled(configuration, clock):
    waiting = make_delivery(configuration, next_attempt_at=clock.now + timedelta(hours=1))
    run = start(clock, ReplayChoice(LedgerFilters(state="waiting")))
    work(run, clock)
    waiting.refresh_from_db()
    assert (run.replayed, waiting.next_attempt_at) == (1, clock.now)
    assert lane_of(waiting).next_due_at == clock.now
    assert Delivery.objects.count() == 1


def test_a_delivery_without_a_lane_enters_one(configuration, clock):
    make_failed(configuration, record_id="9")
    Delivery.objects.update(lane=None)
    run = start(clock)
    work(run, clock)
    assert replays_of(run)[0].lane.record_id == "9"


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_run_whose_worker_dies_in_a_slice_goes_on_without_doubles_and_gaps(configuration, clock, monkeypatch, deaths):
    make_many(configuration, 8)
    run = start(clock)
    store = replay_slices.insert_rows
    slices = []

    def die_after(rows):
        store(rows)
        slices.extend(row.run_id for row in rows[:1] if isinstance(row, ReplayStep))
        if isinstance(rows[0], ReplayStep) and 2 <= len(slices) < 2 + deaths:
            raise Died

    monkeypatch.setattr(replay_slices, "insert_rows", die_after)
    for _number in range(deaths):
        with pytest.raises(Died):
            work(run, clock)
        run.refresh_from_db()
        assert (run.replayed, len(replays_of(run))) == (3, 3), "the slice that died left nothing behind"
        clock.move(seconds=replay_work.LEASE_S + 1)
    assert not work(run, clock)
    assert (run.state, run.replayed, len(replays_of(run))) == ("finished", 8, 8)
    assert run.steps.count() == Delivery.objects.filter(replay_of__isnull=False).count() == 8


@pytest.mark.usefixtures("small_slices")
def test_one_delivery_that_cannot_be_replayed_keeps_back_no_other(configuration, clock, monkeypatch, caplog):
    failed = make_many(configuration, 5)
    build = replay_slices.build_replay

    def refuse_one(delivery, **given):
        if delivery.pk == failed[1].pk:
            raise ValueError("DETAIL: Failing row contains (…, Alex Caller, …)")
        return build(delivery, **given)

    monkeypatch.setattr(replay_slices, "build_replay", refuse_one)
    run = start(clock)
    work(run, clock)
    assert (run.state, run.replayed, run.refused) == ("finished", 4, {"error": 1})
    assert run.steps.get(refused="error").delivery == failed[1]
    assert f"Delivery {failed[1].pk} cannot be replayed: ValueError at test_replay_runs.py:" in caplog.text
    assert "Alex Caller" not in caplog.text


def test_a_run_has_one_worker_at_a_time_and_a_late_one_stores_nothing(configuration, clock):
    make_failed(configuration)
    run = start(clock)
    slow = claim_run(run_id=run.pk, now=clock.now)
    assert claim_run(run_id=run.pk, now=clock.now) is None
    clock.move(seconds=replay_work.LEASE_S + 1)
    assert claim_run(run_id=run.pk, now=clock.now) is not None
    with pytest.raises(RunLost):
        work_on_slice(hold=slow, now=clock.now)
    assert replays_of(run) == []


def test_a_worker_that_loses_the_run_between_finding_and_storing_stores_nothing(configuration, clock, monkeypatch):
    make_failed(configuration)
    run = start(clock)
    find = replay_work.find_members

    def find_and_lose(*arguments, **given):
        found = find(*arguments, **given)
        cancel_replay_run(run=run, actor=None, is_taking_back=False, now=clock.now)
        return found

    monkeypatch.setattr(replay_work, "find_members", find_and_lose)
    assert not work(run, clock)
    assert (run.state, replays_of(run)) == ("cancelled", [])


def test_a_run_that_nobody_moves_ends_as_failed(configuration, clock):
    make_failed(configuration)
    run = start(clock)
    for _number in range(replay_work.MOST_STALLS):
        assert claim_run(run_id=run.pk, now=clock.now) is not None
        clock.move(seconds=replay_work.LEASE_S + 1)
    assert not work(run, clock)
    assert (run.state, run.lease) == ("failed", None)
    assert AuditEntry.objects.filter(action="replay_run_failed").count() == 1


@pytest.mark.usefixtures("small_slices")
def test_a_cancelled_run_queues_nothing_more_and_what_it_queued_is_sent(configuration, clock):
    make_many(configuration, 7)
    run, person = start(clock), make_user()
    assert work(run, clock, slices=1)
    assert cancel_replay_run(run=run, actor=person, is_taking_back=False, now=clock.now)
    assert not work(run, clock)
    assert (run.state, run.replayed, run.finished_at) == ("cancelled", 3, clock.now)
    push_all(configuration, clock)
    assert [replay.state for replay in replays_of(run)] == ["delivered"] * 3
    entry = AuditEntry.objects.get(action="replay_run_cancelled")
    assert (entry.actor, entry.details["replayed"]) == (person, 3)
    assert not cancel_replay_run(run=run, actor=person, is_taking_back=False, now=clock.now)


@pytest.mark.usefixtures("small_slices")
def test_what_still_waits_is_taken_back_and_may_be_replayed_again(configuration, clock):
    failed = make_many(configuration, 5)
    waiting = make_delivery(configuration, record_id="waits")
    run = start(clock, ReplayChoice(LedgerFilters(configuration=configuration.pk)))
    work(run, clock)
    sent = failed[0].replays.get()
    Delivery.objects.filter(pk=sent.pk).update(state="delivered", next_attempt_at=None)
    assert cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    assert run.state == "cancelling"
    assert not work(run, clock)
    assert (run.state, run.taken_back) == ("cancelled", 4)
    taken = [delivery.replays.get() for delivery in failed[1:]]
    assert {(each.state, each.reason, each.next_attempt_at) for each in taken} == {("skipped", "taken_back", None)}
    assert {lane_of(each).next_due_at for each in taken} == {None}
    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.state, waiting.state) == ("delivered", "waiting"), "only what this run queued and nobody sent"
    assert AuditEntry.objects.get(action="replay_run_taken_back").details["taken_back"] == 4
    again = start(clock)
    work(again, clock)
    assert (again.replayed, again.refused) == (4, {"replayed": 1})


def take_back_while_sending(run, clock, monkeypatch, error):
    """A person takes the run back while a call is under way, to which the CRM then answers with the error."""
    real = MemoryConnection.update_record
    answers = [error]

    def update(self, *arguments, **given):
        if answers:
            assert cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
            assert not work(run, clock)
            assert run.state == "cancelling", "it waits for what is being sent"
            raise answers.pop()
        return real(self, *arguments, **given)

    monkeypatch.setattr(MemoryConnection, "update_record", update)


def test_what_is_being_sent_is_taken_back_when_the_crm_refuses_it(configuration, clock, monkeypatch):
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    take_back_while_sending(run, clock, monkeypatch, RetryLater("slow down", retry_after_s=1))
    push_all(configuration, clock)
    replay = failed.replays.get()
    assert (replay.state, replay.reason, replay.next_attempt_at) == ("skipped", "taken_back", None)
    assert lane_of(replay).next_due_at is None
    assert not work(run, clock)
    assert (run.state, run.taken_back) == ("cancelled", 1)


def test_what_comes_back_unnoticed_while_it_is_taken_back_is_found_by_the_next_look(configuration, clock, monkeypatch):
    """Its conclusion was stored at the moment of the cancellation, of which it knew nothing yet."""
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    failed.replays.update(state="sending")
    cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    assert not work(run, clock) and run.state == "cancelling"
    failed.replays.update(state="waiting")
    hinted = []
    monkeypatch.setattr(replay_runs, "hint_at_run", lambda *, run_id: hinted.append(run_id) or True)
    clock.move(seconds=settings.SWEEP_EVERY_S)
    sweep_once(clock=clock)
    assert hinted == [run.pk]
    assert not work(run, clock)
    assert (run.state, run.taken_back, failed.replays.get().state) == ("cancelled", 1, "skipped")


def test_a_run_that_waits_for_what_is_being_sent_does_not_fail(configuration, clock):
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    failed.replays.update(state="sending")
    cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    for _look in range(replay_work.MOST_STALLS + 1):
        assert not work(run, clock)
    assert (run.state, run.finished_at) == ("cancelling", None)
    failed.replays.update(state="delivered", next_attempt_at=None)
    work(run, clock)
    assert (run.state, run.taken_back) == ("cancelled", 0)


def test_what_is_taken_back_leaves_its_lane_due_for_what_else_waits(configuration, clock):
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    other = make_delivery(configuration, next_attempt_at=clock.now + timedelta(minutes=5))
    cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    work(run, clock)
    assert failed.replays.get().state == "skipped"
    assert lane_of(other).next_due_at == clock.now + timedelta(minutes=5)


def test_what_comes_back_unsent_while_it_is_taken_back_leaves_no_lane_due(configuration, clock):
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    replay = failed.replays.get()
    Delivery.objects.filter(pk=replay.pk).update(state="sending")
    lane_table, came_back = RecordLane._meta.db_table, []

    def come_back(execute, sql, *rest):
        if sql.startswith("SELECT") and f'FROM "{lane_table}"' in sql and not came_back:
            came_back.append(Delivery.objects.filter(pk=replay.pk).update(state="waiting"))
        return execute(sql, *rest)

    cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    with connection.execute_wrapper(come_back):
        work(run, clock)
    assert failed.replays.get().state == "skipped"
    assert lane_of(replay).next_due_at is None


def test_a_delivery_whose_outcome_is_unknown_is_not_taken_back(configuration, clock):
    failed = make_failed(configuration)
    run = start(clock)
    work(run, clock)
    failed.replays.update(must_look_first=True)
    cancel_replay_run(run=run, actor=None, is_taking_back=True, now=clock.now)
    work(run, clock)
    assert (run.taken_back, failed.replays.get().state) == (0, "waiting")


def test_the_sweep_goes_on_with_a_run_that_nobody_works_on(configuration, clock, monkeypatch, settings):
    make_failed(configuration)
    run = start(clock)
    hinted = []
    monkeypatch.setattr(replay_runs, "hint_at_run", lambda *, run_id: hinted.append(run_id) or True)
    assert continue_replay_runs(now=clock.now, clock=clock) == 0, "it was started this moment"
    clock.move(seconds=settings.SWEEP_EVERY_S)
    assert continue_replay_runs(now=clock.now, clock=clock) == 1
    assert hinted == [run.pk]
    clock.move(seconds=settings.SWEEP_EVERY_S * replay_runs.LATE_PERIODS)
    sweep_once(clock=clock)
    run.refresh_from_db()
    assert (run.state, hinted) == ("finished", [run.pk]), "hints were not answered, so it worked by itself"


def test_a_run_that_cannot_be_moved_does_not_stop_the_sweep(configuration, clock, monkeypatch, settings, caplog):
    make_failed(configuration)
    start(clock)
    clock.move(seconds=settings.SWEEP_EVERY_S * (replay_runs.LATE_PERIODS + 1))

    def break_down(**_given):
        raise ValueError("Alex Caller")

    monkeypatch.setattr(replay_runs, "work_on_slice", break_down)
    assert continue_replay_runs(now=clock.now, clock=clock) == 1
    assert "could not be continued: ValueError at" in caplog.text
    assert "Alex Caller" not in caplog.text


def test_the_task_works_for_a_while_and_hints_at_the_rest(configuration, clock, monkeypatch):
    monkeypatch.setattr(replay_work, "SLICE", 1)
    make_many(configuration, replay_runs.TURN_SLICES + 1)
    run = start(clock)
    hinted = []
    monkeypatch.setattr(replay_runs, "send_message", lambda _task, *, queue, run_id: hinted.append((queue, run_id)))
    continue_task(run.pk)
    run.refresh_from_db()
    assert (run.replayed, hinted, run.lease) == (replay_runs.TURN_SLICES, [(BACKLOG_QUEUE, run.pk)], None)
    continue_task(run.pk, unknown_keyword=1)
    run.refresh_from_db()
    assert (run.state, len(hinted)) == ("finished", 1)


def test_a_slice_costs_the_same_number_of_queries_whatever_its_size(configuration, clock):
    def queries(size):
        make_many(configuration, size)
        run = start(clock)
        ReplayRun.objects.filter(pk=run.pk).update(total=size)
        hold = claim_run(run_id=run.pk, now=clock.now)
        with CaptureQueriesContext(connection) as captured:
            work_on_slice(hold=hold, now=clock.now)
        Delivery.objects.all().delete()
        return len(captured)

    assert queries(2) == queries(20) <= 25
