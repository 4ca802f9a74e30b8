"""Deliveries that share a write: newest value per field, tags united, older ones yield only to a value that stands."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_integrations.providers.base import CRMRecord
from memorialization.deliveries.coalescing import Group, Member, NextCall, choose_next, form_group
from memorialization.models import Delivery

NOW = datetime(2026, 1, 15, 15, tzinfo=UTC)
FIELDS = ("subject", "priority", "notes")


def make_member(number, values, *, minutes=None, authentication_id=1, **columns):
    fields = [
        {"crm_field": key, "type": kind_of(key), "label": key, "rendered": value} for key, value in values.items()
    ]
    delivery = Delivery(
        pk=number,
        fields=fields,
        segment_ended_at=NOW + timedelta(minutes=number if minutes is None else minutes),
        segment_key=f"segment-{number}",
        **columns,
    )
    return Member(delivery, authentication_id)


def kind_of(key):
    return {"tags": "tags", "comment": "comment", "priority": "dropdown"}.get(key, "text")


def make_record(values):
    return CRMRecord("ticket", "35", "", values)


def results_of(group):
    return [{entry["crm_field"]: entry.get("result") for entry in sheet.entries} for sheet in group.sheets]


def test_the_newest_value_of_each_field_is_sent_and_tags_are_united():
    group = Group(
        [
            make_member(1, {"subject": "old", "notes": "only here", "tags": ["a", "b"]}),
            make_member(2, {"subject": "new", "priority": "high", "tags": ["b", "c"]}),
        ]
    )
    assert group.values() == {"subject": "new", "notes": "only here", "priority": "high", "tags": ["a", "b", "c"]}


def test_an_older_value_says_whose_newer_one_stands():
    group = Group([make_member(1, {"subject": "old"}), make_member(2, {"subject": "new"})])
    group.verify(make_record({"subject": "new"}))
    assert results_of(group) == [{"subject": "superseded"}, {"subject": "written"}]
    assert group.sheets[0].entries[0]["params"] == {"delivery": 2}
    assert [sheet.conclude() for sheet in group.sheets] == [("delivered", ""), ("delivered", "")]


@pytest.mark.parametrize(("field", "shown"), [("priority", "low"), ("priority", None), ("subject", None)])
def test_an_older_value_stays_to_be_sent_when_the_newer_one_was_not_applied(field, shown):
    group = Group([make_member(1, {field: "old"}), make_member(2, {field: "new"})])
    group.verify(make_record({field: shown}))
    assert results_of(group) == [{field: None}, {field: "not_applied"}]
    assert group.values() == {field: "old"}
    assert group.sheets[1].marks(2) == {}


def test_an_older_text_yields_to_a_newer_one_that_the_crm_rewrote():
    group = Group([make_member(1, {"subject": "old"}), make_member(2, {"subject": "new  value"})])
    group.verify(make_record({"subject": "new value"}))
    assert results_of(group) == [{"subject": "superseded"}, {"subject": "not_applied"}]
    assert list(group.sheets[1].marks(2)) == ["subject"]


def test_precedence_and_not_the_order_of_the_members_decides():
    group = Group([make_member(1, {"subject": "newer"}, minutes=9), make_member(2, {"subject": "older"})])
    assert group.values() == {"subject": "newer"}


def test_what_the_record_holds_already_is_not_sent_and_older_values_yield_to_it():
    group = Group([make_member(1, {"subject": "old"}), make_member(2, {"subject": "new", "notes": "n", "tags": ["a"]})])
    group.settle_what_stands(make_record({"subject": "new", "notes": "", "tags": ["a", "z"]}))
    assert group.values() == {"notes": "n"}
    assert results_of(group)[0] == {"subject": "superseded"}


def test_tags_are_judged_for_each_delivery_by_itself():
    group = Group([make_member(1, {"tags": ["a"]}), make_member(2, {"tags": ["b"]})])
    group.verify(make_record({"tags": ["a"]}))
    assert results_of(group) == [{"tags": "written"}, {"tags": "not_applied"}]


def test_a_note_and_what_was_refused_in_company_share_no_write():
    plain, note = make_member(1, {"subject": "a"}), make_member(2, {"comment": "b"})
    refused, last = make_member(3, {"subject": "c"}, goes_alone=True), make_member(4, {"subject": "d"})
    assert form_group([plain, note, last]) == [plain]
    assert form_group([note, last]) == [note]
    assert form_group([plain, refused]) == [plain]
    assert form_group([refused, last]) == [refused]


def test_another_authentication_writes_by_itself():
    first, second = make_member(1, {"subject": "a"}), make_member(2, {"subject": "b"}, authentication_id=2)
    assert form_group([first, second]) == [first]


def test_of_a_suspect_record_each_goes_alone():
    first, second = make_member(1, {"subject": "a"}), make_member(2, {"subject": "b"})
    assert choose_next([first, second], is_suspect=True) == NextCall([first])
    assert choose_next([first, second], is_suspect=False) == NextCall([first, second])


def test_what_may_have_been_applied_is_looked_at_newest_first_where_it_shares_no_write():
    first, second, third = (make_member(number, {"subject": "a"}, must_look_first=number < 3) for number in (1, 2, 3))
    assert choose_next([first, second, third], is_suspect=True) == NextCall([second], kept_back=[first])
    assert choose_next([first, second, third], is_suspect=False) == NextCall([first, second, third])
    assert choose_next([first, third], is_suspect=True) == NextCall([first])


@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS), st.text("xyz", min_size=1, max_size=2), min_size=1),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.sampled_from(FIELDS)),
)
def test_one_write_leaves_the_record_as_one_write_after_the_other_would(written, ignored):
    """Also where the CRM ignores fields: every value is sent, or yields to one that is seen on the record."""
    deliveries = [make_member(number, values) for number, values in enumerate(written, start=1)]
    record = {}
    group = Group(deliveries)
    sent = 0
    while not group.is_settled:
        record |= {key: value for key, value in group.values().items() if key not in ignored}
        group.verify(make_record(record))
        sent += 1
        assert sent <= len(deliveries)
    expected = {}
    for values in written:
        expected |= {key: value for key, value in values.items() if key not in ignored}
    assert record == expected
    assert sent == 1 or ignored
