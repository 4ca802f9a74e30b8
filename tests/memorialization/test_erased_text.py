"""What is taken out of stored rows, and what stays (memorialization.erased_text)."""

from memorialization.erased_text import (
    bare_entries,
    bare_event,
    bare_params,
    bare_targets,
    bare_values,
    customers_texts,
)
from memorialization.events.parsing import parse_event
from tests.memorialization.event_payloads import digital

FIELDS = {
    "agentId": "A",
    "startTime": "2026-11-22T14:00:00Z",
    "customerName": "Jeanne Tremblay",
    "dispositionNotes": "Her dog is ill",
    "tags": ["vip"],
    "unheardOf": "jeanne@example.org",
}


def event():
    return digital(
        "transferred",
        fields=FIELDS,
        scriptVariables={"Mail": "jeanne@example.org"},
        records=[{"entityType": "ticket", "id": "35", "note": "Jeanne"}],
        ani="+15145550123",
        custom="Jeanne",
    )


def test_an_event_without_text_is_still_the_event_it_was():
    bare = bare_event(event())
    assert "Jeanne" not in str(bare) and "jeanne" not in str(bare) and "5145550123" not in str(bare)
    before, after = parse_event(event() | {"eventId": "e"}), parse_event(bare | {"eventId": "e"})
    for name in ("type", "occurred_at", "contact_id", "channel", "agent_id", "started_at", "records", "segment_id"):
        assert getattr(after, name) == getattr(before, name)
    assert set(after.values) == {"contactId", "agentId", "startTime"} and not after.script_variables


def test_a_body_of_another_shape_loses_everything_it_may_say():
    assert bare_event({"eventId": "e", "fields": "Jeanne", "records": ["Jeanne"], "scriptVariables": ["Jeanne"]}) == {
        "eventId": "e",
        "records": [],
    }


def test_what_customers_said_is_found_wherever_it_stands_and_agents_are_not_looked_at():
    body = event() | {"fields": FIELDS | {"to": "agent@example.org", "dnis": "+18005550000", "ani": None}}
    texts = list(customers_texts(body))
    assert {"Jeanne Tremblay", "jeanne@example.org", "+15145550123", "vip", "Jeanne"} <= set(texts)
    assert not {"A", "agent@example.org", "+18005550000", "507345195372", "None"} & set(texts)


def test_a_delivery_keeps_what_became_of_its_fields_and_no_value():
    entry = {
        "crm_field": "comment",
        "type": "comment",
        "label": "Note",
        "channel": "voice",
        "source": "dispositionNotes",
        "value": "Jeanne",
        "rendered": "Jeanne",
        "sent": "Jeanne",
        "shown": "Jeanne",
        "planned": {"reason": "shortened_to_limit", "params": {"left_out": "Jeanne"}},
        "result": "written",
        "reason": "refused_by_crm",
        "params": {"words": "Jeanne is too long", "length": 300},
    }
    assert bare_entries([entry]) == [
        {
            "crm_field": "comment",
            "type": "comment",
            "label": "Note",
            "channel": "voice",
            "source": "dispositionNotes",
            "result": "written",
            "reason": "refused_by_crm",
            "params": {"length": 300},
        }
    ]


def test_targets_keep_ids_and_lose_titles_and_words():
    target = {
        "rule": "search",
        "ids": ["35"],
        "reason": "creation_refused",
        "params": {"words": "Jeanne"},
        "steps": [{"rule": "search", "outcome": "passed_over", "params": {"words": "Jeanne"}}, {"rule": "linked"}],
        "candidates": [{"entity_type": "user", "id": "7", "title": "Jeanne"}],
    }
    bare = bare_targets({"ticket": target})["ticket"]
    assert "Jeanne" not in str(bare)
    assert (bare["ids"], bare["steps"][1]) == (["35"], {"rule": "linked"})


def test_ids_stay_and_words_go():
    assert bare_values({"contactId": 1, "customerName": 2}) == {"contactId": 1}
    assert bare_params({"words": "Jeanne", "delivery": 7}) == {"delivery": 7}


def test_what_lies_deep_in_an_unknown_key_is_found_too():
    body = event() | {"crm": {"people": [{"mail": "paul@example.org", "age": 7}, None]}}
    assert {"paul@example.org", "7"} <= set(customers_texts(body))
