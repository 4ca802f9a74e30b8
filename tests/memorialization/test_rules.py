"""When data is memorialized: each sentence of product page §5 and semantics §3 is a test."""

from datetime import UTC, datetime, timedelta

import pytest

from memorialization.events.fold import fold_events
from memorialization.events.parsing import parse_event
from memorialization.rules import RULES, RuleSettings, judge
from tests.memorialization.event_payloads import digital, voice

FOUR = ("status", "dispositionName", "dispositionNotes", "tags")
SETTINGS = RuleSettings(timedelta(minutes=60))


def verdict_on(*payloads, now="16:00:00", settings=SETTINGS):
    (segment,) = fold_events([parse_event(payload) for payload in payloads]).segments
    return judge(segment, settings, datetime.fromisoformat(f"2026-11-22T{now}+00:00"))


def test_voice_when_the_call_has_ended_and_the_agent_has_finished_acw_if_acw_is_configured():
    ended = voice("ended", "15:00:00", acwConfigured=True)
    waiting = verdict_on(ended, now="15:30:00")
    assert (waiting.state, waiting.rule) == ("waiting", "voice_waits_for_acw")
    assert waiting.due_at == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    done = verdict_on(ended, voice("acw_completed", "15:02:00"), now="15:30:00")
    assert (done.state, done.rule, done.withheld) == ("due", "voice_acw_completed", ())


def test_voice_without_acw_at_the_calls_end():
    assert verdict_on(voice("ended", acwConfigured=False)).rule == "voice_ended"


def test_acw_configured_missing_is_false():
    assert verdict_on(voice("ended"), now="15:00:00").state == "due"


def test_a_call_that_has_not_ended_is_not_due():
    assert verdict_on(voice("started", acwConfigured=True)).state == "open"


def test_the_two_facts_can_arrive_in_either_order_acw_completed_before_ended_counts_once_ended_arrives():
    first = voice("acw_completed", "14:59:00", acwConfigured=True)
    assert verdict_on(first, now="15:10:00").rule == "voice_waits_for_end"
    assert verdict_on(first, voice("ended", "15:00:00"), now="15:10:00").rule == "voice_acw_completed"


def test_acw_completed_without_ended_falls_due_after_the_acw_limit_flagged():
    verdict = verdict_on(voice("acw_completed", "15:00:00", acwConfigured=True), now="16:00:00")
    assert (verdict.state, verdict.rule, verdict.flags) == ("due", "voice_end_limit", ("end_not_reported",))


def test_an_acw_that_never_completes_is_taken_as_completed_after_a_limit_and_the_run_says_so():
    ended = voice("ended", "15:00:00", acwConfigured=True)
    assert verdict_on(ended, now="15:59:59").state == "waiting"
    verdict = verdict_on(ended, now="16:00:00")
    assert (verdict.state, verdict.rule, verdict.flags) == ("due", "voice_acw_limit", ("acw_limit_reached",))


def test_the_limit_is_per_configuration():
    ended = voice("ended", "15:00:00", acwConfigured=True)
    assert verdict_on(ended, now="15:05:00", settings=RuleSettings(timedelta(minutes=5))).state == "due"


def test_acw_completed_after_the_limit_is_late_data():
    late = voice("acw_completed", "16:30:00")
    assert verdict_on(voice("ended", "15:00:00", acwConfigured=True), late, now="17:00:00").rule == "voice_acw_limit"


@pytest.mark.parametrize("type_", ["transferred", "unassigned"])
def test_for_voice_transferred_and_unassigned_trigger_nothing(type_):
    assert verdict_on(voice(type_)).state == "open"


@pytest.mark.parametrize("type_", ["transferred", "unassigned"])
def test_digital_when_the_agent_transfers_or_unassigns_and_dismisses(type_):
    verdict = verdict_on(digital("started", "14:00:00"), digital(type_, "15:00:00"))
    assert (verdict.state, verdict.rule, verdict.withheld) == ("due", f"digital_{type_}", ())


def test_the_contact_ends_first_the_open_segment_is_due_at_once_without_the_four_fields():
    ended = digital("ended", "15:00:00", agent=None, endedBy="contact")
    verdict = verdict_on(digital("started", "14:00:00"), ended, now="15:00:00")
    assert (verdict.state, verdict.rule, verdict.withheld) == ("due", "digital_contact_ended", FOUR)


def test_so_does_a_closing_event_that_says_ended_by_contact():
    verdict = verdict_on(digital("started", "14:00:00"), digital("unassigned", endedBy="contact"))
    assert (verdict.rule, verdict.withheld) == ("digital_contact_ended", FOUR)


def test_so_does_a_closing_event_whose_segment_the_contact_had_already_ended():
    verdict = verdict_on(
        digital("started", "14:00:00"),
        digital("ended", "14:30:00", agent=None, endedBy="contact"),
        digital("unassigned", "15:00:00", endedBy="agent"),
    )
    assert verdict.withheld == FOUR


def test_a_contact_who_leaves_after_the_agent_let_go_did_not_end_it_first():
    verdict = verdict_on(
        digital("started", "14:00:00"), digital("unassigned"), digital("ended", "15:01:00", None, endedBy="contact")
    )
    assert (verdict.rule, verdict.withheld) == ("digital_unassigned", ())


@pytest.mark.parametrize("ended_by", ["agent", "system", "unknown"])
def test_digital_ended_by_agent_or_system_is_no_trigger_by_itself(ended_by):
    verdict = verdict_on(digital("started", "14:00:00"), digital("ended", endedBy=ended_by), now="15:59:00")
    assert (verdict.state, verdict.rule) == ("waiting", "digital_waits_for_agent")


def test_digital_ended_with_no_closing_event_falls_due_after_the_limit_flagged():
    verdict = verdict_on(digital("started", "14:00:00"), digital("ended", endedBy="agent"), now="16:00:00")
    assert (verdict.state, verdict.rule, verdict.flags) == ("due", "digital_limit", ("agent_end_not_reported",))


def test_memorialize_on_closed_is_off_by_default():
    assert verdict_on(digital("updated", fields={"status": "closed"})).state == "open"


@pytest.mark.parametrize(
    "closing", [digital("updated", fields={"status": "Closed"}), digital("ended", endedBy="system")]
)
def test_optionally_a_digital_interaction_is_memorialized_when_its_status_is_saved_as_closed(closing):
    settings = RuleSettings(timedelta(minutes=60), is_due_when_closed=True)
    verdict = verdict_on(digital("started", "14:00:00"), closing, settings=settings)
    assert (verdict.state, verdict.rule, verdict.withheld) == ("due", "digital_closed", ())


def test_contact_ends_first_is_digital_only_by_default_for_voice_it_is_the_normal_end():
    assert verdict_on(voice("ended", endedBy="contact")).withheld == ()


def test_a_per_configuration_switch_extends_contact_ends_first_to_voice():
    settings = RuleSettings(timedelta(minutes=60), is_contact_first_for_voice=True)
    verdict = verdict_on(voice("ended", endedBy="contact"), settings=settings)
    assert (verdict.state, verdict.rule, verdict.withheld) == ("due", "voice_ended", FOUR)
    assert verdict_on(voice("ended", endedBy="agent"), settings=settings).withheld == ()


def test_every_rule_is_a_sentence():
    assert all(str(sentence).endswith(".") for sentence in RULES.values())
