"""Reading raw events: what is kept, what is refused and how it is said."""

from datetime import UTC, datetime, timedelta

import pytest

from memorialization.events.canonical_json import hash_payload
from memorialization.events.parsing import order_event, parse_event, read_payload, storable_body
from memorialization.events.schema import EndedBy, EventInvalid, EventType, RecordLink
from tests.memorialization.event_payloads import make_event, voice

EXAMPLE = {
    "eventId": "5b0c",
    "type": "interaction.ended",
    "occurredAt": "2026-11-22T10:04:58-05:00",
    "channel": "voice",
    "contactId": "415203958123",
    "endedBy": "agent",
    "acwConfigured": True,
    "fields": {"masterContactId": "415203958100", "agentId": "39185896", "tags": ["vip", "billing"]},
    "scriptVariables": {"AccountId": "A-991"},
    "records": [{"entityType": "ticket", "id": "35436"}],
}


def errors_of(payload):
    with pytest.raises(EventInvalid) as caught:
        read_payload(payload)
    return {error.field: error.message for error in caught.value.errors}


def test_the_documented_example_is_read_in_full():
    event = parse_event(EXAMPLE)
    assert event.type is EventType.ENDED and event.ended_by is EndedBy.AGENT and event.is_acw_configured is True
    assert event.occurred_at == datetime(2026, 11, 22, 15, 4, 58, tzinfo=UTC)
    assert event.values["tags"] == ["vip", "billing"] and event.agent_id == "39185896"
    assert event.values["contactId"] == "415203958123"
    assert event.script_variables == {"accountid": "A-991"}
    assert event.records == (RecordLink("ticket", "35436"),)
    assert event.ignored_keys == () and event.flags == ()


@pytest.mark.parametrize("key", ["eventId", "type", "occurredAt", "channel", "contactId"])
def test_each_required_key_is_missed_by_its_name(key):
    assert "required" in errors_of(make_event(**{key: None}) if key != "type" else {**voice(), "type": " "})[key]


def test_links_need_no_channel_but_a_record():
    link = {**make_event("records.linked"), "channel": None, "records": [{"entityType": "user", "id": 7}]}
    assert parse_event(link).records == (RecordLink("user", "7"),)
    assert "records" in errors_of({**link, "records": []})


@pytest.mark.parametrize(("sent", "kept"), [(415203958123, "415203958123"), (2**80, str(2**80)), ("00123", "00123")])
def test_ids_sent_as_numbers_are_kept_exactly(sent, kept):
    event = parse_event(voice(contactId=sent, eventId=sent, fields={"skillId": sent, "agentId": sent}))
    assert (event.contact_id, event.event_id, event.values["skillId"], event.agent_id) == (kept,) * 4


@pytest.mark.parametrize("wrong", [True, 1.0, ["1"], {"id": 1}])
def test_booleans_fractions_and_structures_are_no_ids(wrong):
    errors = errors_of(voice(contactId=wrong, fields={"agentId": wrong}))
    assert set(errors) == {"contactId", "fields.agentId"}


def test_an_id_of_more_than_200_characters_is_refused():
    assert "200" in errors_of(voice(eventId="x" * 201))["eventId"]
    assert parse_event(voice(eventId="x" * 200)).event_id == "x" * 200


@pytest.mark.parametrize(
    ("sent", "words"),
    [("2026-11-22T10:04:58", "offset"), ("yesterday", "ISO 8601"), (1763823898, "ISO 8601"), ("2026-11-22", "offset")],
)
def test_occurred_at_without_offset_is_rejected(sent, words):
    assert words in errors_of({**voice(), "occurredAt": sent})["occurredAt"]


def test_occurred_at_more_than_5_minutes_after_receipt_is_kept_flagged_and_ordered_by_the_time_of_receipt():
    received_at = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    ahead = order_event(parse_event(voice(at="15:05:01")), received_at=received_at)
    assert ahead.occurred_at == received_at + timedelta(seconds=301)
    assert ahead.ordered_at == received_at and ahead.flags == ("future_time",)
    tolerated = order_event(parse_event(voice(at="15:05:00")), received_at=received_at)
    assert tolerated.ordered_at == tolerated.occurred_at and tolerated.flags == ()


def test_times_inside_fields_without_offset_are_utc_and_flagged():
    event = parse_event(voice(fields={"startTime": "2026-11-22T10:00:00"}))
    assert event.started_at == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert event.flags == ("time_without_offset",)


def test_a_time_that_cannot_be_read_is_kept_as_text_and_flagged():
    event = parse_event(voice(fields={"startTime": "this morning"}))
    assert event.started_at is None and event.values["startTime"] == "this morning"
    assert event.flags == ("time_unreadable",)


def test_script_variable_names_equal_after_lower_casing_the_last_wins():
    event = parse_event(voice(scriptVariables={"AccountId": "first", "other": 1, "ACCOUNTID": "last"}))
    assert event.script_variables == {"accountid": "last", "other": 1}
    assert "script_variable_repeated" in event.flags


def test_the_stored_body_keeps_of_repeated_script_variables_what_counts():
    body = storable_body({"scriptVariables": {"AccountId": "first", "ACCOUNTID": "last"}, "eventId": "1"})
    assert body == {"scriptVariables": {"ACCOUNTID": "last"}, "eventId": "1"}


def test_top_level_keys_win_over_the_same_keys_in_fields():
    event = parse_event(voice(agentId="7", contactId="1", fields={"agentId": "8", "contactId": "2"}))
    assert event.agent_id == "7" and event.values["contactId"] == "1"


@pytest.mark.parametrize("blank", [None, "", "  \n", [], ["", " "]])
def test_blank_is_missing_null_white_space_or_an_empty_list(blank):
    event = parse_event({**voice(), "fields": {"status": blank}, "scriptVariables": {"a": blank}})
    assert "status" not in event.values and event.script_variables == {}


@pytest.mark.parametrize("value", [False, 0, 0.0])
def test_false_and_zero_are_values(value):
    event = parse_event(voice(fields={"finalState": value}, scriptVariables={"a": value}))
    assert event.values["finalState"] == value and event.script_variables["a"] == value


def test_unknown_keys_are_kept_and_reported_as_ignored_never_an_error():
    event = parse_event(voice(tenant={"a": [1]}, fields={"mood": "good", "ani": 5145550123}))
    assert event.ignored_keys == ("tenant", "fields.mood")
    assert event.values["ani"] == 5145550123


def test_an_object_as_a_value_is_refused_with_its_path():
    errors = errors_of(voice(fields={"status": {"a": 1}}, scriptVariables={"X": {}}, records=[{"entityType": "No"}]))
    assert set(errors) == {"fields.status", "scriptVariables.X", "records[0].entityType", "records[0].id"}


@pytest.mark.parametrize(
    ("sent", "kept"), [("0035", "35"), (35, "35"), ("000", "0"), ("0J5", "0J5"), ("external_id:007", "external_id:007")]
)
def test_a_record_that_is_named_by_a_number_has_one_name_however_it_was_padded(sent, kept):
    event = parse_event(voice(records=[{"entityType": "ticket", "id": sent}]))
    assert [record.id for record in event.records] == [kept]


@pytest.mark.parametrize("record_id", ["../1", "a b", "1/2", "", "?"])
def test_a_record_id_must_be_fit_to_be_part_of_an_address(record_id):
    assert "records[0].id" in errors_of(voice(records=[{"entityType": "ticket", "id": record_id}]))


@pytest.mark.parametrize("payload", [None, 1, "text", [], [{}]])
def test_an_event_is_a_json_object(payload):
    assert "" in errors_of(payload)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", float("inf"), float("nan")])
def test_what_a_database_cannot_keep_is_refused_wherever_it_stands(text):
    assert "" in errors_of(voice(unknown=[{"deep": text}]))


def test_deep_nesting_is_refused():
    deep = []
    for _level in range(50):
        deep = [deep]
    assert "deep" in errors_of(voice(unknown=deep))[""]


@pytest.mark.parametrize(("word", "meaning"), [("true", True), ("False", False), (True, True), (None, None)])
def test_whether_acw_is_configured_may_be_a_word(word, meaning):
    assert parse_event({**voice(), "acwConfigured": word}).is_acw_configured is meaning


def test_everything_wrong_is_named_at_once():
    errors = errors_of({"type": "interaction.begun", "channel": "fax", "endedBy": "me", "acwConfigured": "maybe"})
    assert {"type", "channel", "endedBy", "acwConfigured", "occurredAt", "contactId", "eventId"} == set(errors)


def test_two_bodies_are_the_same_whatever_their_key_order():
    assert hash_payload({"a": 1, "b": [1, 2]}) == hash_payload({"b": [1, 2], "a": 1})
    assert hash_payload({"a": 1}) != hash_payload({"a": "1"})
