"""Real deliveries of every field type, through engine, provider and demo Zendesk: what is said is what stands there.

Values go in as a plan would leave them, and as a plan that is out of date would: wrong types, options that are gone.
"""

from datetime import timedelta
from typing import Any

import pytest

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField, FieldType
from memorialization.models import Delivery
from tests.end_to_end.demo_account import Demo, deliver
from tests.end_to_end.script_desk import read_definitions
from tests.engine import NOW, make_entry

pytestmark = pytest.mark.django_db

ENTITY_TYPES = ("ticket", "user", "organization", "custom_object:device", "custom_object:contract")
PATTERNS = {
    r"^[A-Z]{2}-\d{6}$": "AB-123456",
    r"^[A-Z]\d[A-Z] ?\d[A-Z]\d$": "H2X 1Y4",
    r"^M\d{7}$": "M1234567",
    r"^AC-\d{4}$": "AC-0042",
    r"^SN\d{8}$": "SN12345678",
    r"^CT-\d{5}$": "CT-00042",
}
GOOD = {
    FieldType.TEXT: " Ms Roy – “VIP” <ok> ",
    FieldType.TEXTAREA: "First line  \r\n\r\nthird\tline\n",
    FieldType.INTEGER: 745,
    FieldType.DECIMAL: 12.5,
    FieldType.DATE: "2026-11-22",
    FieldType.DATETIME: "2026-11-22T10:04:58-05:00",
    FieldType.CHECKBOX: True,
    FieldType.TAGS: ["vip", "two_words"],
    FieldType.COMMENT: "A note",
}
GOOD_KEYS = {"status": "pending", "type": "task", "time_zone": "Bern", "locale": "fr", "phone": "+15145550123"}
WRONG = {
    FieldType.INTEGER: "seven",
    FieldType.DECIMAL: "12,50 $",
    FieldType.DATE: "tomorrow",
    FieldType.DATETIME: "soon",
    FieldType.CHECKBOX: "maybe",
    FieldType.DROPDOWN: "no_such_option",
    FieldType.MULTISELECT: ["no_such_option"],
    FieldType.REGEXP: "no match",
    FieldType.LOOKUP: "999999999999",
}
SILENTLY_DROPPED = {FieldType.DROPDOWN, FieldType.MULTISELECT}  # what a ticket's own fields do with unknown options
TEXTS = {FieldType.TEXT, FieldType.TEXTAREA, FieldType.COMMENT}
TOO_LONG = "x" * 70_000
UNLIMITED = {("user", "phone"), ("custom_object:device", "external_id"), ("custom_object:contract", "external_id")}
COMPANIONS: dict[str, tuple[str, Any, str]] = {
    "ticket": ("tags", ["kept"], "tags"),
    "user": ("tags", ["kept"], "tags"),
    "organization": ("tags", ["kept"], "tags"),
    "custom_object:device": ("storage_gb", 64, "integer"),
    "custom_object:contract": ("monthly_amount", 9.5, "decimal"),
}
TITLES = {"ticket": "subject"}  # the field that must be written whatever becomes of the other; else "name"


def writable_fields(configuration: Configuration, entity_type: str) -> list[CRMField]:
    return [field for field in read_definitions(configuration, entity_type)[entity_type] if field.is_writable]


def good_value(demo: Demo, field: CRMField) -> Any:
    if field.key in GOOD_KEYS:
        return GOOD_KEYS[field.key]
    if field.type is FieldType.REGEXP:
        return PATTERNS[field.pattern]
    if field.type is FieldType.LOOKUP:
        return good_target(demo, field.title)
    if field.type is FieldType.DROPDOWN:
        return field.options[1].value
    if field.type is FieldType.MULTISELECT:
        return [field.options[2].value, field.options[0].value]  # in another order than the definition's
    return GOOD[field.type]


def good_target(demo: Demo, title: str) -> str:
    """The id of a record that a look-up field of that title takes."""
    if title == "Group":
        return str(demo.rows("groups")[0]["id"])
    if title in {"Device", "Contract"}:
        return demo.record_ids(f"custom_object:{title.lower()}")[0]
    if title == "Company":
        return demo.record_ids("organization")[0]
    return str(next(row["id"] for row in demo.rows("users") if row["role"] == "admin"))


def entry_of(field: CRMField, value: Any) -> dict[str, Any]:
    return make_entry(field.key, value, type=field.type.value, label=field.title)


def results_of(delivery: Delivery) -> dict[str, str]:
    return {entry["crm_field"]: entry.get("result") for entry in delivery.fields}


@pytest.mark.parametrize("entity_type", ENTITY_TYPES)
def test_good_values_of_every_type_are_written_and_found_again_when_looked_for(demo, configuration, entity_type):
    fields = [field for field in writable_fields(configuration, entity_type) if field.key != "custom_status_id"]
    entries = [entry_of(field, good_value(demo, field)) for field in fields]
    record_id = demo.record_ids(entity_type)[0]
    first = deliver(configuration, entity_type, record_id, *entries)
    assert results_of(first) == {field.key: "written" for field in fields}
    assert (first.state, first.reason) == ("delivered", "")
    before = len(demo.writes())
    again = deliver(
        configuration, entity_type, record_id, *entries, interaction=first.interaction, must_look_first=True
    )
    assert set(results_of(again).values()) == {"unchanged"}
    assert len(demo.writes()) == before, "what stands there already is not written again"
    elsewhere = deliver(configuration, entity_type, demo.record_ids(entity_type)[1], *entries, must_look_first=True)
    assert set(results_of(elsewhere).values()) <= {"written", "unchanged", "left_out"}, results_of(elsewhere)


@pytest.mark.parametrize("entity_type", ENTITY_TYPES)
@pytest.mark.parametrize("must_look_first", [False, True])
def test_a_wrong_value_costs_its_own_field_only_and_says_so(demo, configuration, entity_type, must_look_first):
    title = TITLES.get(entity_type, "name")
    record_id = demo.record_ids(entity_type)[0]
    found, expected = {}, {}
    for number, field in enumerate(writable_fields(configuration, entity_type)):
        if field.type not in WRONG:
            continue
        delivery = deliver(
            configuration,
            entity_type,
            record_id,
            entry_of(field, WRONG[field.type]),
            make_entry(title, f"Written {number}", label=title),
            ended_at=NOW + timedelta(seconds=number),
            must_look_first=must_look_first,
        )
        is_dropped = entity_type == "ticket" and field.is_custom and field.type in SILENTLY_DROPPED
        is_dropped = is_dropped or field.type is FieldType.CHECKBOX
        expected[field.key] = ("partial", "not_applied" if is_dropped else "left_out", "written")
        found[field.key] = (delivery.state, *results_of(delivery).values())
    assert found == expected


@pytest.mark.parametrize("entity_type", ENTITY_TYPES)
def test_a_text_that_the_crm_finds_too_long_is_left_out_alone(demo, configuration, entity_type):
    record_id, companion = demo.record_ids(entity_type)[0], COMPANIONS[entity_type]
    found = {}
    for number, field in enumerate(writable_fields(configuration, entity_type)):
        if field.type not in TEXTS or (entity_type, field.key) in UNLIMITED:
            continue
        delivery = deliver(
            configuration,
            entity_type,
            record_id,
            entry_of(field, TOO_LONG),
            make_entry(companion[0], companion[1], type=companion[2], label="Other"),
            ended_at=NOW + timedelta(seconds=number),
        )
        found[field.key] = (delivery.state, *results_of(delivery).values())
    assert found
    assert {outcome[:2] for outcome in found.values()} == {("partial", "left_out")}
    assert {outcome[2] for outcome in found.values()} == {"written"}


def test_of_several_choices_a_wrong_one_is_noticed_although_the_others_were_taken(demo, configuration):
    field = next(field for field in writable_fields(configuration, "ticket") if field.type is FieldType.MULTISELECT)
    wanted = [field.options[0].value, "no_such_option"]
    delivery = deliver(configuration, "ticket", demo.record_ids("ticket")[0], entry_of(field, wanted))
    assert delivery.fields[0]["shown"] == wanted[:1]
    assert results_of(delivery) == {field.key: "not_applied"}


def test_an_unticked_box_and_zero_are_values(demo, configuration):
    fields = [
        field
        for field in writable_fields(configuration, "user")
        if field.type in {FieldType.CHECKBOX, FieldType.INTEGER, FieldType.DECIMAL}
    ]
    entries = [entry_of(field, False if field.type is FieldType.CHECKBOX else 0) for field in fields]
    delivery = deliver(configuration, "user", demo.record_ids("user")[0], *entries)
    assert set(results_of(delivery).values()) == {"written"}
    assert all(entry["shown"] in {False, 0} for entry in delivery.fields)


def test_a_note_of_which_the_crm_leaves_nothing_is_not_said_to_be_written(demo, configuration):
    record_id = demo.record_ids("ticket")[0]
    note = make_entry("comment", "<none>", type="comment")
    delivery = deliver(configuration, "ticket", record_id, note, make_entry("subject", "Call"))
    assert results_of(delivery) == {"comment": "not_applied", "subject": "written"}
    assert delivery.state == "partial"
