"""A test event is an event like any other."""

from datetime import UTC, datetime

import pytest

from crm_integrations.providers.base import CRMField, FieldOption, FieldType
from memorialization.events.parsing import read_payload
from memorialization.events.schema import RecordLink
from memorialization.source_fields import DIGITAL, VOICE, fields_of_channel
from memorialization.studio.sample_events import SampleWish, build_sample, is_sample, new_contact_id

NOW = datetime(2026, 11, 22, 15, 4, 58, tzinfo=UTC)


def target(kind, **columns):
    return CRMField("key", "Title", kind, **columns)


@pytest.mark.parametrize(("channel", "event_type"), [(VOICE, "interaction.ended"), (DIGITAL, "interaction.unassigned")])
def test_it_closes_an_interaction_with_an_example_of_every_field(channel, event_type):
    wish = SampleWish(channel, {"accountid": target(FieldType.TEXT)}, RecordLink("ticket", "35"))
    event = read_payload(build_sample(wish, contact_id=new_contact_id(NOW), now=NOW)).event
    assert event.type == event_type and event.ignored_keys == () and event.flags == ()
    assert {*event.values} >= {field.key for field in fields_of_channel(channel)} - {"contactId"}
    assert event.script_variables == {"accountid": "test"} and event.records == (RecordLink("ticket", "35"),)
    assert event.values["startTime"] < event.values["endTime"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (target(FieldType.INTEGER), "1"),
        (target(FieldType.DECIMAL), "1"),
        (target(FieldType.CHECKBOX), "true"),
        (target(FieldType.DATE), "2026-11-22T15:04:58.000+00:00"),
        (target(FieldType.DROPDOWN, options=(FieldOption("tv", "Television"),)), "tv"),
        (target(FieldType.DROPDOWN), "test"),
    ],
)
def test_a_script_variable_carries_what_its_field_takes(field, value):
    sample = build_sample(SampleWish(VOICE, {"minutes": field}), contact_id=new_contact_id(NOW), now=NOW)
    assert sample["scriptVariables"] == {"minutes": value}


def test_its_contact_is_recognised_and_never_the_same():
    first, second = new_contact_id(NOW), new_contact_id(NOW)
    assert first.startswith("test-event-20261122-150458-") and first != second
    assert is_sample(first) and not is_sample("415203958123") and not is_sample("test-event-\0")
