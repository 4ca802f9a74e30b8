"""One delivery at a time: what is sent, verified, refused, tried again, looked for, and never done twice."""

from datetime import timedelta

import pytest

from crm_integrations.models import Authentication, CallBudget, CRMAccount
from crm_integrations.providers.base import CommentTrace
from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMUnavailable,
    GrantEnded,
    Misconfigured,
    RetryLater,
    ValueRefused,
)
from crm_integrations.providers.limits import CallLimit, LimitScope
from memorialization.models import Attempt, Delivery, FieldMark, Interaction
from memorialization.services.claims import lease_length_s
from tests.engine import (
    NOW,
    account_of,
    calls_of,
    lane_of,
    make_delivery,
    make_entry,
    make_interaction,
    push_all,
    result_of,
)
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]

RECORD = ("ticket", "35")


@pytest.fixture
def configuration():
    return make_configuration()


def make_comment(text="Note"):
    return make_entry("comment", text, type="comment")


def state_of(delivery):
    delivery.refresh_from_db()
    return delivery.state, delivery.reason


def test_a_worker_whose_database_was_slow_renews_its_lease_before_it_calls(configuration, clock, monkeypatch):
    from memorialization.services import pushing

    delivery, begun, moments = make_delivery(configuration), pushing.begin_attempt, [0.0]

    def begin_slowly(**keywords):
        attempt = begun(**keywords)
        moments[0] += 19.0  # SQLite lets a writer wait for up to 20 s
        clock.move(seconds=19)
        return attempt

    monkeypatch.setattr(pushing, "begin_attempt", begin_slowly)
    monkeypatch.setattr(pushing.time, "monotonic", lambda: moments[0])
    ends, update = [], MemoryConnection.update_record

    def note_lease(self, *args, **keywords):
        ends.append(lane_of(delivery).lease_until)
        return update(self, *args, **keywords)

    monkeypatch.setattr(MemoryConnection, "update_record", note_lease)
    push_all(configuration, clock)
    assert ends == [clock.now + timedelta(seconds=lease_length_s())]
    assert state_of(delivery) == ("delivered", "")


def test_a_due_delivery_is_written_verified_and_marked(configuration, clock):
    delivery = make_delivery(configuration, make_entry("subject", "Call"))
    push_all(configuration, clock)
    assert account_of(configuration).records[RECORD] == {"subject": "Call"}
    assert state_of(delivery) == ("delivered", "")
    assert result_of(delivery) == ("written", "")
    assert delivery.finished_at == NOW
    mark = FieldMark.objects.get()
    assert (mark.crm_field, mark.delivery_id, mark.segment_ended_at) == ("subject", delivery.pk, NOW)


def test_the_attempt_holds_lengths_and_never_the_text(configuration, clock):
    make_delivery(configuration, make_entry("subject", "Geheimnis"))
    push_all(configuration, clock)
    attempt = Attempt.objects.get()
    assert attempt.outcome == Attempt.Outcome.SUCCEEDED
    assert attempt.request["lengths"] == {"subject": 9}
    assert "Geheimnis" not in str(attempt.request) + str(attempt.answer) + attempt.message


def test_the_attempt_is_committed_before_the_call(configuration, clock, monkeypatch):
    delivery = make_delivery(configuration)
    seen = []

    def look(self, *args, **keywords):
        seen.append((Attempt.objects.get().outcome, Delivery.objects.get(pk=delivery.pk).state))
        raise Conflict("busy")

    monkeypatch.setattr(MemoryConnection, "update_record", look)
    push_all(configuration, clock)
    assert seen == [("started", "sending")]


def test_a_field_that_the_crm_ignored_makes_the_delivery_partial(configuration, clock):
    account_of(configuration).ignored_fields.add("priority")
    delivery = make_delivery(
        configuration, make_entry("subject", "Call"), make_entry("priority", "high", type="dropdown")
    )
    account_of(configuration).records[RECORD]["priority"] = "low"
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")
    assert result_of(delivery, "priority") == ("not_applied", "not_applied_by_crm")
    assert not FieldMark.objects.filter(crm_field="priority").exists()


def test_a_delivery_of_which_nothing_was_applied_has_failed(configuration, clock):
    account_of(configuration).ignored_fields.add("subject")
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    assert state_of(delivery) == ("failed", "nothing_applied")


def test_an_answer_without_the_record_is_followed_by_reading_it(configuration, clock, monkeypatch):
    written = MemoryConnection.update_record
    monkeypatch.setattr(
        MemoryConnection, "update_record", lambda *a, **k: _without_record(written(*a, **k)), raising=True
    )
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    assert state_of(delivery) == ("delivered", "")
    assert len(calls_of(configuration, "get_records")) == 1


def test_a_write_that_could_not_be_read_back_is_looked_at_and_not_repeated(configuration, clock, monkeypatch):
    written, read = MemoryConnection.update_record, MemoryConnection.get_records
    monkeypatch.setattr(MemoryConnection, "update_record", lambda *a, **k: _without_record(written(*a, **k)))

    def refuse(*args, **keywords):
        raise CRMUnavailable("502", may_have_applied=False)

    monkeypatch.setattr(MemoryConnection, "get_records", refuse)
    delivery = make_delivery(configuration, make_entry("subject", "Call"), make_comment())
    push_all(configuration, clock)
    assert state_of(delivery)[0] == "waiting"
    assert delivery.must_look_first
    monkeypatch.setattr(MemoryConnection, "get_records", read)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert state_of(delivery) == ("delivered", "")
    assert len(account_of(configuration).comments[RECORD]) == 1
    assert len(calls_of(configuration, "update_record")) == 1


def _without_record(answer):
    return type(answer)(None, answer.status, answer.request, answer.answer)


def test_an_older_segment_never_overwrites_a_newer_one_and_says_whose_value_stands(configuration, clock):
    newer = make_delivery(configuration, make_entry("subject", "new"), ended_at=NOW)
    push_all(configuration, clock)
    older = make_delivery(configuration, make_entry("subject", "old"), ended_at=NOW - timedelta(hours=1))
    push_all(configuration, clock)
    assert account_of(configuration).records[RECORD]["subject"] == "new"
    assert state_of(older) == ("delivered", "")
    assert result_of(older) == ("superseded", "superseded")
    assert older.fields[0]["params"] == {"delivery": newer.pk}
    assert older.attempt_count == 0


def test_tags_of_an_older_segment_are_still_added(configuration, clock):
    make_delivery(configuration, make_entry("tags", ["new"], type="tags"))
    push_all(configuration, clock)
    make_delivery(configuration, make_entry("tags", ["old"], type="tags"), ended_at=NOW - timedelta(hours=1))
    push_all(configuration, clock)
    assert account_of(configuration).records[RECORD]["tags"] == ["new", "old"]


def test_deliveries_that_go_alone_go_in_the_order_of_their_segments(configuration, clock):
    for hours, text in ((1, "second"), (2, "first"), (0, "third")):
        fields = (make_entry("subject", text), make_comment(text))
        make_delivery(configuration, *fields, ended_at=NOW - timedelta(hours=hours))
    push_all(configuration, clock)
    assert [call[2]["subject"] for call in calls_of(configuration, "update_record")] == ["first", "second", "third"]


def test_what_may_have_been_applied_is_looked_at_before_an_older_value_that_came_late_is_sent(configuration, clock):
    account_of(configuration).faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    newer = make_delivery(configuration, make_entry("subject", "new"))
    push_all(configuration, clock)
    older = make_delivery(configuration, make_entry("subject", "old"), ended_at=NOW - timedelta(hours=1))
    clock.move(hours=1)
    push_all(configuration, clock)
    assert [call[2]["subject"] for call in calls_of(configuration, "update_record")] == ["new"]
    assert result_of(newer) == ("unchanged", "already_there")
    assert result_of(older) == ("superseded", "superseded")


def test_a_delivery_that_waits_for_its_next_try_keeps_its_place_in_the_lane(configuration, clock):
    account_of(configuration).faults.append(CRMUnavailable("503", may_have_applied=False))
    first = make_delivery(configuration, make_entry("subject", "first"), ended_at=NOW - timedelta(hours=1))
    push_all(configuration, clock)
    second = make_delivery(configuration, make_entry("subject", "second"))
    push_all(configuration, clock)
    assert [state_of(delivery)[0] for delivery in (first, second)] == ["waiting", "waiting"]
    assert lane_of(first).next_due_at == first.next_attempt_at > NOW
    clock.move(minutes=1)
    push_all(configuration, clock)
    assert [state_of(delivery)[0] for delivery in (first, second)] == ["delivered", "delivered"]


def test_refused_fields_are_left_out_with_the_crms_words_and_the_others_written(configuration, clock):
    account_of(configuration).faults.append(ValueRefused("invalid", fields={"amount": "is not a number"}, status=422))
    delivery = make_delivery(configuration, make_entry("subject", "Call"), make_entry("amount", "x", type="decimal"))
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")
    assert result_of(delivery, "amount") == ("left_out", "refused_by_crm")
    assert delivery.fields[1]["params"] == {"words": "is not a number"}
    assert account_of(configuration).records[RECORD] == {"subject": "Call"}
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["refused", "succeeded"]


def test_a_crm_that_refuses_one_field_at_a_time_still_gets_the_others(configuration, clock):
    faults = account_of(configuration).faults
    faults.append(ValueRefused("invalid", fields={"amount": "no"}, status=422))
    faults.append(ValueRefused("invalid too", fields={"priority": "no"}, status=422))
    delivery = make_delivery(
        configuration,
        make_entry("amount", "x", type="decimal"),
        make_entry("priority", "none", type="dropdown"),
        make_entry("subject", "Call"),
    )
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")
    assert result_of(delivery, "priority") == ("left_out", "refused_by_crm")
    assert account_of(configuration).records[RECORD] == {"subject": "Call"}


def test_a_refusal_that_names_a_field_by_its_label_only_leaves_that_one_out(configuration, clock):
    account_of(configuration).faults.append(ValueRefused("Amount: is invalid; Total: is odd", status=422))
    delivery = make_delivery(
        configuration,
        make_entry("amount", "x", type="decimal", label="Amount"),
        make_entry("subject", "Call", label="Subject"),
    )
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")
    assert delivery.fields[0]["params"] == {"words": "Amount: is invalid"}
    assert account_of(configuration).records[RECORD] == {"subject": "Call"}


def test_every_field_refused_fails_the_delivery(configuration, clock):
    faults = account_of(configuration).faults
    faults.append(ValueRefused("invalid", fields={"amount": "no"}, status=422))
    faults.append(ValueRefused("invalid too", fields={"subject": "no"}, status=422))
    delivery = make_delivery(configuration, make_entry("subject", "Call"), make_entry("amount", "x", type="decimal"))
    push_all(configuration, clock)
    assert state_of(delivery) == ("failed", "value_refused")
    assert delivery.reason_params == {"words": "invalid too"}


def test_a_refusal_that_names_no_field_fails_the_delivery_and_frees_the_record(configuration, clock):
    account_of(configuration).faults += [ValueRefused("invalid", status=422)] * 2  # together, then the first alone
    first = make_delivery(configuration, make_entry("subject", "a"), ended_at=NOW - timedelta(hours=1))
    second = make_delivery(configuration, make_entry("subject", "b"))
    push_all(configuration, clock)
    assert state_of(first) == ("failed", "value_refused")
    assert state_of(second) == ("delivered", "")


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (lambda account: account.records.clear(), "record_gone"),
        (lambda account: account.faults.append(AccessDenied("no right", status=403)), "access_denied"),
        (lambda account: account.faults.append(Misconfigured("what?", status=400)), "misconfigured"),
    ],
)
def test_what_trying_again_does_not_cure_fails_with_its_reason(configuration, clock, arrange, reason):
    delivery = make_delivery(configuration)
    arrange(account_of(configuration))
    push_all(configuration, clock)
    assert state_of(delivery) == ("failed", reason)
    assert lane_of(delivery).next_due_at is None


def test_a_closed_record_is_skipped_with_its_reason_and_frees_the_lane(configuration, clock):
    delivery = make_delivery(configuration)
    account_of(configuration).closed.add(RECORD)
    push_all(configuration, clock)
    assert state_of(delivery) == ("skipped", "record_closed")
    assert lane_of(delivery).next_due_at is None


def test_a_suspended_user_who_is_denied_everything_holds_the_authentication_and_fails_nothing(configuration, clock):
    account = account_of(configuration)
    account.faults.extend([AccessDenied("no", status=403), GrantEnded("suspended", is_user_gone=True)])
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    assert state_of(delivery) == ("waiting", "held")
    authentication = Authentication.objects.get()
    assert authentication.state == Authentication.State.SYSTEM_USER_REMOVED
    assert authentication.access_token == authentication.refresh_token == ""


def test_the_back_off_grows_and_counts_its_tries(configuration, clock):
    delivery = make_delivery(configuration)
    waits = []
    for _ in range(3):
        account_of(configuration).faults.append(CRMUnavailable("503", may_have_applied=False))
        push_all(configuration, clock)
        delivery.refresh_from_db()
        waits.append((delivery.next_attempt_at - clock.now).total_seconds())
        clock.now = delivery.next_attempt_at
    assert 4 <= waits[0] <= 6
    assert 24 <= waits[1] <= 36
    assert 96 <= waits[2] <= 144
    assert delivery.attempt_count == 3
    assert abs(delivery.backoff_spent_s - sum(waits)) <= 3


def test_retry_after_is_a_floor(configuration, clock):
    account_of(configuration).faults.append(CRMUnavailable("503", may_have_applied=False, retry_after_s=900))
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.next_attempt_at >= NOW + timedelta(seconds=900)


def test_three_days_of_back_off_end_in_failed(configuration, clock):
    delivery = make_delivery(configuration, backoff_spent_s=72 * 3600 - 1)
    account_of(configuration).faults.append(Conflict("busy"))
    push_all(configuration, clock)
    assert state_of(delivery) == ("failed", "gave_up")


def test_a_limit_pauses_the_account_in_full_and_uses_up_no_try(configuration, clock):
    account_of(configuration).faults.append(RetryLater("too many", retry_after_s=93, status=429))
    first, other = make_delivery(configuration), make_delivery(configuration, record_id="36")
    push_all(configuration, clock)
    assert CallBudget.objects.get(limit_class="account").blocked_until == NOW + timedelta(seconds=93)
    for delivery in (first, other):
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempt_count, delivery.backoff_spent_s) == ("waiting", 0, 0)
        assert lane_of(delivery).lease is None
    clock.move(seconds=92)
    push_all(configuration, clock)
    assert len(calls_of(configuration, "update_record")) == 1
    clock.move(seconds=1)
    push_all(configuration, clock)
    assert [state_of(delivery)[0] for delivery in (first, other)] == ["delivered", "delivered"]
    assert Attempt.objects.order_by("pk").first().outcome == Attempt.Outcome.POSTPONED


def test_after_an_unknown_outcome_the_lane_stays_closed_then_only_what_differs_is_sent(configuration, clock, settings):
    account = account_of(configuration)
    account.ignored_fields.add("notes")
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    delivery = make_delivery(configuration, make_entry("subject", "Call"), make_entry("notes", "late"))
    push_all(configuration, clock)
    assert state_of(delivery) == ("waiting", "settling")
    assert lane_of(delivery).closed_until == NOW + timedelta(seconds=settings.SETTLE_S)
    clock.move(seconds=settings.SETTLE_S - 1)
    push_all(configuration, clock)
    assert len(calls_of(configuration, "update_record")) == 1
    account.ignored_fields.clear()
    clock.move(seconds=1)
    push_all(configuration, clock)
    assert calls_of(configuration, "update_record")[1][2] == {"notes": "late"}
    assert state_of(delivery) == ("delivered", "")
    assert result_of(delivery, "subject") == ("unchanged", "already_there")
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["unknown", "succeeded"]


def test_a_note_that_was_posted_before_the_answer_was_lost_is_found_and_not_posted_again(configuration, clock):
    account = account_of(configuration)
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    delivery = make_delivery(configuration, make_comment(), make_entry("subject", "Call"))
    push_all(configuration, clock)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert len(account.comments[RECORD]) == 1
    assert state_of(delivery) == ("delivered", "")
    assert result_of(delivery, "comment") == ("written", "already_there")


@pytest.mark.parametrize("passing", [CRMUnavailable("503", may_have_applied=False), Conflict("busy")])
def test_a_look_that_fails_for_a_passing_reason_is_repeated_before_the_note_is_written_again(
    configuration, clock, passing
):
    account = account_of(configuration)
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    delivery = make_delivery(configuration, make_comment(), make_entry("subject", "Call"))
    push_all(configuration, clock)
    account.faults.append(passing)
    for _ in range(2):
        clock.move(hours=1)
        push_all(configuration, clock)
    assert len(account.comments[RECORD]) == 1
    assert state_of(delivery) == ("delivered", "")


def test_a_note_that_was_not_posted_is_posted_after_the_look(configuration, clock, monkeypatch):
    account = account_of(configuration)
    account.faults.append(CRMUnavailable("timeout", may_have_applied=True))
    delivery = make_delivery(configuration, make_comment())
    push_all(configuration, clock)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert len(account.comments[RECORD]) == 1
    assert state_of(delivery) == ("delivered", "")


def test_a_note_whose_fate_cannot_be_known_is_never_posted_by_itself(configuration, clock, monkeypatch):
    account = account_of(configuration)
    account.faults.append(CRMUnavailable("timeout", may_have_applied=True))
    monkeypatch.setattr(MemoryConnection, "find_comment", lambda *a, **k: CommentTrace(None))
    delivery = make_delivery(configuration, make_comment(), make_entry("subject", "Call"))
    push_all(configuration, clock)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert account.comments[RECORD] == []
    assert account.records[RECORD] == {"subject": "Call"}, "the other fields are written all the same"
    assert state_of(delivery) == ("failed", "outcome_unknown")


def test_a_segment_has_one_note_whatever_its_revisions(configuration, clock):
    interaction = make_interaction(configuration)
    make_delivery(configuration, make_comment("once"), interaction=interaction)
    late = make_delivery(configuration, make_comment("twice"), make_entry("subject", "late"), interaction=interaction)
    push_all(configuration, clock)
    assert [text for _id, text in account_of(configuration).comments[RECORD]] == ["once"]
    assert result_of(late, "comment") == ("unchanged", "comment_posted_before")
    assert state_of(late) == ("delivered", "")


def test_a_note_is_named_the_same_by_every_delivery_of_its_segment(configuration, clock):
    """A replay must find the note that the first delivery may have posted."""
    interaction = make_interaction(configuration)
    account = account_of(configuration)
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    first = make_delivery(configuration, make_comment(), interaction=interaction, backoff_spent_s=72 * 3600)
    push_all(configuration, clock)
    assert state_of(first) == ("failed", "gave_up")
    clock.move(hours=1)
    second = make_delivery(configuration, make_comment(), interaction=interaction)
    push_all(configuration, clock)
    assert len(account.comments[RECORD]) == 1
    assert result_of(second, "comment") == ("written", "already_there")


def test_a_shortened_value_makes_the_delivery_partial_and_keeps_the_plans_reason(configuration, clock):
    delivery = make_delivery(
        configuration, make_entry("subject", "Ca…", reason="shortened_to_limit", params={"length": 9, "limit": 3})
    )
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")
    assert result_of(delivery) == ("shortened", "shortened_to_limit")
    assert delivery.fields[0]["params"] == {"length": 9, "limit": 3}


def test_blank_and_withheld_fields_do_not_make_a_delivery_partial(configuration, clock):
    blank = {"crm_field": "notes", "type": "textarea", "result": "blank", "reason": "blank"}
    withheld = {"crm_field": "amount", "type": "decimal", "result": "withheld", "reason": "contact_ended_first"}
    delivery = make_delivery(configuration, make_entry("subject", "Call"), blank, withheld)
    push_all(configuration, clock)
    assert state_of(delivery) == ("delivered", "")


def test_what_the_plan_left_out_makes_a_delivery_partial(configuration, clock):
    left_out = {"crm_field": "amount", "type": "decimal", "result": "left_out", "reason": "not_a_number"}
    delivery = make_delivery(configuration, make_entry("subject", "Call"), left_out)
    push_all(configuration, clock)
    assert state_of(delivery) == ("partial", "")


def test_a_record_that_was_unlinked_while_a_worker_had_the_delivery_is_not_written_later(
    configuration, clock, monkeypatch
):
    delivery = make_delivery(configuration)
    unlinks = [{"entity_type": delivery.entity_type, "id": delivery.record_id}]

    def unlink_and_fail(*_args, **_keywords):
        Interaction.objects.filter(pk=delivery.interaction_id).update(unlinks=unlinks)
        raise CRMUnavailable("503", may_have_applied=False, status=503)

    monkeypatch.setattr(MemoryConnection, "update_record", unlink_and_fail)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.must_look_first) == ("waiting", True)  # what answers may have done it
    clock.move(minutes=10)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("skipped", "unlinked")
    assert len(calls_of(configuration, "get_records")) == 1
    assert lane_of(delivery).next_due_at is None


def test_a_record_whose_limit_no_answer_tells_rests_after_a_write_whatever_is_planned_for_it(
    configuration, clock, monkeypatch
):
    of_record = CallLimit("per-record", 5, 60, LimitScope.RECORD, is_told=False)
    monkeypatch.setattr(MemoryProvider, "limits", (*MemoryProvider.limits[:2], of_record))
    first = make_delivery(configuration)
    push_all(configuration, clock)
    assert state_of(first)[0] == "delivered"
    clock.move(seconds=5)
    second, other = make_delivery(configuration, ended_at=clock()), make_delivery(configuration, record_id="36")
    push_all(configuration, clock)
    assert [state_of(each)[0] for each in (second, other)] == ["waiting", "delivered"]
    account = CRMAccount.objects.get(pk=configuration.authentication.account_id)
    assert account.wake_at == lane_of(second).next_due_at == clock() + timedelta(seconds=7)
    clock.move(seconds=7)
    push_all(configuration, clock)
    assert state_of(second) == ("delivered", "")
    assert second.attempt_count == 1


def refuse_bad_priorities(monkeypatch, error):
    """Writes that carry a bad priority are refused; answers what the others carried."""
    update, written = MemoryConnection.update_record, []

    def update_record(self, entity_type, record_id, values, **keywords):
        if values.get("priority") == "bad":
            raise error
        written.append(dict(values))
        return update(self, entity_type, record_id, values, **keywords)

    monkeypatch.setattr(MemoryConnection, "update_record", update_record)
    return written


@pytest.mark.parametrize("error", [Misconfigured("invalid value", status=400), AccessDenied("no right", status=403)])
def test_what_is_refused_for_one_of_a_group_fails_that_one_alone(configuration, clock, monkeypatch, error):
    refuse_bad_priorities(monkeypatch, error)
    bad = make_delivery(configuration, make_entry("priority", "bad"), ended_at=NOW - timedelta(hours=2))
    good = make_delivery(configuration, make_entry("subject", "good"), ended_at=NOW - timedelta(hours=1))
    push_all(configuration, clock)
    assert [state_of(each)[0] for each in (bad, good)] == ["failed", "delivered"]


def test_a_member_that_may_have_been_applied_is_still_looked_at_when_its_group_is_refused(
    configuration, clock, monkeypatch
):
    written = refuse_bad_priorities(monkeypatch, ValueRefused("no", status=422))
    unknown = make_delivery(configuration, make_entry("subject", "NEWER"), ended_at=NOW - timedelta(hours=2))
    account_of(configuration).faults_after_applying.append(CRMUnavailable("lost", may_have_applied=True))
    push_all(configuration, clock)
    late = make_delivery(configuration, make_entry("subject", "OLDER"), ended_at=NOW - timedelta(hours=3))
    fields = make_entry("subject", "NEWEST"), make_entry("priority", "bad")
    make_delivery(configuration, *fields, ended_at=NOW - timedelta(hours=1))
    clock.move(minutes=10)
    push_all(configuration, clock)
    assert {"subject": "OLDER"} not in written
    assert state_of(unknown)[0] == "delivered"
    assert result_of(late, "subject") == ("superseded", "superseded")
