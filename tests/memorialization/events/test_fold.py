"""Segments as their events leave them (semantics §1–3)."""

from datetime import UTC, datetime

from memorialization.events.fold import fold_events
from memorialization.events.parsing import parse_event
from memorialization.events.schema import EventType, RecordLink
from tests.memorialization.event_payloads import digital, link, make_event, voice


def fold(*payloads):
    return fold_events([parse_event(payload) for payload in payloads]).segments


def at(clock):
    return datetime.fromisoformat(f"2026-11-22T{clock}").replace(tzinfo=UTC)


def dlink(clock="15:00:00", **keys):
    return link(clock, contactId="507345195372", **keys)


def test_for_voice_the_segment_id_defaults_to_empty_with_and_without_an_agent():
    (segment,) = fold(voice("started", "14:00:00"), voice("ended", "15:00:00", fields={"agentId": "A"}))
    assert (segment.channel, segment.segment_id, segment.agent_id) == ("voice", "", "A")
    assert segment.started_at == at("14:00:00") and segment.ended_at == at("15:00:00")


def test_for_digital_the_segment_id_defaults_to_agent_at_start_time_in_utc():
    (segment,) = fold(digital("started", "15:00:00", fields={"startTime": "2026-11-22T09:59:00-05:00"}))
    assert segment.segment_id == "A@2026-11-22T14:59:00Z" and segment.started_at == at("14:59:00")


def test_sources_may_send_the_segment_id_themselves():
    segments = fold(voice(segmentId="one"), digital("started", segmentId=2), digital("started", segmentId="2"))
    assert [(segment.channel, segment.segment_id) for segment in segments] == [("digital", "2"), ("voice", "one")]


def test_without_start_time_an_event_joins_that_agents_latest_segment_that_began_at_or_before_it():
    first, second, other = fold(
        digital("started", "10:00:00"),
        digital("transferred", "10:10:00"),
        digital("started", "10:20:00"),
        digital("started", "10:30:00", agent="B"),
        digital("updated", "10:15:00", fields={"status": "open"}),
        digital("updated", "10:40:00", fields={"status": "pending"}),
    )
    assert first.values["status"].value == "open" and second.values["status"].value == "pending"
    assert "status" not in other.values


def test_without_start_time_and_without_a_segment_an_event_opens_one():
    (segment,) = fold(digital("unassigned", "10:00:00"))
    assert segment.segment_id == "A@2026-11-22T10:00:00Z"
    assert segment.closing is EventType.UNASSIGNED and segment.started_at is None


def test_a_start_time_that_becomes_known_late_gives_the_segment_its_name():
    state = fold_events(
        [
            parse_event(digital("unassigned", "10:10:00")),
            parse_event(digital("started", "10:00:00", fields={"startTime": "2026-11-22T10:00:00Z"})),
        ]
    )
    (segment,) = state.segments
    assert segment.segment_id == "A@2026-11-22T10:00:00Z" and segment.closed_at == at("10:10:00")
    assert state.aliases["digital", "A@2026-11-22T10:10:00Z"] == ("digital", "A@2026-11-22T10:00:00Z")


def test_a_second_closing_event_with_no_new_start_between_closes_nothing_new():
    (segment,) = fold(
        digital("started", "10:00:00"),
        digital("transferred", "10:10:00"),
        digital("unassigned", "10:11:00", endedBy="contact", fields={"status": "open"}),
    )
    assert segment.closing is EventType.TRANSFERRED and segment.closed_at == at("10:10:00")
    assert not segment.has_contact_ended_first and segment.values["status"].value == "open"


def test_each_agent_of_a_case_has_a_segment_of_their_own():
    first, second = fold(
        digital("started", "10:00:00"),
        digital("transferred", "10:10:00"),
        digital("started", "10:10:00", agent="B"),
        digital("unassigned", "10:30:00", agent="B"),
    )
    assert (first.agent_id, first.closed_at) == ("A", at("10:10:00"))
    assert (second.agent_id, second.closed_at) == ("B", at("10:30:00"))


def test_events_without_an_agent_apply_to_the_segment_open_at_their_time_else_to_the_latest():
    first, second = fold(
        digital("started", "10:00:00"),
        digital("updated", "10:05:00", agent=None, fields={"status": "open"}),
        digital("transferred", "10:10:00"),
        digital("updated", "10:12:00", agent=None, fields={"dispositionName": "between"}),
        digital("started", "10:20:00", agent="B"),
        digital("unassigned", "10:30:00", agent="B"),
        digital("updated", "11:00:00", agent=None, fields={"dispositionNotes": "late"}),
    )
    assert first.values["status"].value == "open" and first.values["dispositionName"].value == "between"
    assert second.values["dispositionNotes"].value == "late" and "status" not in second.values


def test_what_came_before_the_first_segment_is_data_of_the_first_segment():
    first, _second = fold(
        digital("updated", "09:00:00", agent=None, scriptVariables={"a": "1"}),
        dlink("09:01:00"),
        digital("started", "10:00:00"),
        digital("transferred", "10:10:00"),
        digital("started", "10:10:00", agent="B"),
    )
    assert first.script_variables["a"].value == "1" and first.linked_records == (RecordLink("ticket", "35436"),)


def test_a_contact_who_left_before_an_agent_began_did_not_end_that_agents_segment():
    (segment,) = fold(
        digital("ended", "09:00:00", agent=None, endedBy="contact"),
        digital("started", "10:00:00"),
        digital("unassigned", "10:10:00"),
    )
    assert not segment.has_contact_ended_first


def test_a_contact_who_left_before_an_agent_let_go_ended_first_even_when_no_start_was_reported():
    (segment,) = fold(digital("ended", "10:00:00", agent=None, endedBy="contact"), digital("unassigned", "10:10:00"))
    assert segment.has_contact_ended_first and segment.ended_at == at("10:00:00")


def test_a_case_that_ends_before_any_agent_has_no_segment():
    assert fold(digital("ended", "10:00:00", agent=None, endedBy="contact")) == ()


def test_each_key_keeps_its_newest_non_blank_value():
    (segment,) = fold(
        voice("updated", "15:02:00", fields={"status": "new", "tags": []}),
        voice("ended", "15:01:00", fields={"status": "old", "tags": ["a"], "finalState": True}),
        voice("updated", "15:03:00", fields={"status": " ", "finalState": False}),
    )
    assert segment.values["status"].value == "new" and segment.values["status"].occurred_at == at("15:02:00")
    assert segment.values["tags"].value == ["a"] and segment.values["finalState"].value is False


def test_of_link_and_unlink_the_later_by_occurred_at_wins():
    (segment,) = fold(
        link("15:03:00", type_="records.unlinked"),
        voice("ended", "15:00:00", records=[{"entityType": "ticket", "id": "35436"}]),
        link("15:02:00", entity_type="user", record="7"),
        link("15:01:00", entity_type="user", record="7", type_="records.unlinked"),
    )
    assert segment.linked_records == (RecordLink("user", "7"),)
    assert segment.unlinked_records == (RecordLink("ticket", "35436"),)


def test_a_link_may_name_its_segment_also_by_a_name_it_had_before_its_start_was_known():
    first, second = fold(
        digital("started", "10:00:00", fields={"startTime": "2026-11-22T09:55:00Z"}),
        digital("transferred", "10:10:00"),
        digital("started", "10:20:00", agent="B"),
        dlink("11:00:00", segmentId="A@2026-11-22T10:10:00Z"),
    )
    assert first.linked_records and not second.linked_records


def test_a_link_alone_makes_no_segment():
    assert fold(link()) == ()


def test_the_first_end_and_the_first_finished_acw_of_a_call_count():
    (segment,) = fold(
        voice("ended", "15:00:00", endedBy="contact", acwConfigured=True),
        voice("ended", "15:05:00", endedBy="agent"),
        voice("acw_completed", "15:02:00"),
        voice("acw_completed", "15:09:00"),
    )
    assert (segment.ended_at, segment.ended_by) == (at("15:00:00"), "contact")
    assert segment.acw_completed_at == at("15:02:00") and segment.is_acw_configured


def test_for_voice_transferred_and_unassigned_are_recorded_and_trigger_nothing():
    (segment,) = fold(voice("transferred"), voice("unassigned", fields={"status": "Holding"}))
    assert segment.closing is None and segment.ended_at is None and segment.values["status"].value == "Holding"


def test_voice_and_digital_of_one_contact_id_are_two_segments():
    assert len(fold(make_event(contactId="1"), digital("started", contactId="1"))) == 2
