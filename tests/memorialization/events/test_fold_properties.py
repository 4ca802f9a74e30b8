"""“Any order of arrival, any duplication, the same state” (semantics §2.6), tried on generated contacts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from memorialization.events.fold import fold_events
from memorialization.events.parsing import parse_event
from memorialization.rules import RULES, RuleSettings, judge
from tests.memorialization.event_payloads import make_event

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TYPES = ["started", "ended", "acw_completed", "transferred", "unassigned", "updated"]


def _time(minute):
    return (START + timedelta(minutes=minute)).isoformat()


@st.composite
def payloads(draw):
    """Up to twelve events of one contact, with few times and agents, so that they meet."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        channel = draw(st.sampled_from(["voice", "digital"]))
        fields = {"status": draw(st.sampled_from(["", "open", "closed", " "]))}
        if draw(st.booleans()):
            fields["agentId"] = draw(st.sampled_from("AB"))
        if draw(st.booleans()):
            fields["startTime"] = _time(draw(st.integers(0, 6)))
        keys = {
            "channel": channel,
            "eventId": f"{draw(st.integers(0, 9))}-{number}",
            "fields": fields,
            "endedBy": draw(st.sampled_from(["agent", "contact", "unknown"])),
            "segmentId": draw(st.sampled_from([None, None, None, "own"])),
            "acwConfigured": draw(st.sampled_from([None, True, False])),
        }
        type_ = draw(st.sampled_from([*TYPES, "records.linked", "records.unlinked"]))
        if type_.startswith("records."):
            keys |= {"channel": draw(st.sampled_from([None, channel])), "records": [{"entityType": "t", "id": "1"}]}
        found.append(make_event(type_, _time(draw(st.integers(0, 8))), **keys))
    return found


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_order_of_arrival_and_any_duplication_leave_the_same_state(data):
    events = [parse_event(payload) for payload in data.draw(payloads())]
    shuffled = data.draw(st.permutations(events))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(events), max_size=5))
    assert fold_events(repeated) == fold_events(events)


@settings(max_examples=200, deadline=None)
@given(payloads())
def test_segments_are_distinct_and_each_can_be_judged(found):
    segments = fold_events([parse_event(payload) for payload in found]).segments
    keys = [(segment.channel, segment.segment_id) for segment in segments]
    assert len(keys) == len(set(keys))
    for segment in segments:
        assert judge(segment, RuleSettings(timedelta(hours=1)), START).rule in RULES


@settings(max_examples=200, deadline=None)
@given(payloads())
def test_no_value_of_an_acting_agent_is_lost(found):
    segments = fold_events([parse_event(payload) for payload in found]).segments
    acting = [each for each in found if "agentId" in each["fields"] and each["type"].startswith("interaction.")]
    for payload in acting:
        newest = [segment.values["contactId"].occurred_at for segment in segments]
        assert max(newest) >= datetime.fromisoformat(payload["occurredAt"])


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_segment_that_was_known_once_is_still_there_or_has_a_new_name(data):
    found = data.draw(payloads())
    for payload in found:  # an agent is sometimes named by nobody
        if not data.draw(st.booleans()):
            payload["fields"].pop("agentId", None)
    events = [parse_event(payload) for payload in found]
    arrived = data.draw(st.lists(st.sampled_from(events), unique_by=lambda event: event.event_id))
    state = fold_events(events)
    present = {(segment.channel, segment.segment_id) for segment in state.segments}
    for segment in fold_events(arrived).segments:
        key = segment.channel, segment.segment_id
        assert key in present or state.aliases.get(key) in present
