"""Comparing what was sent with what the record shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_integrations.providers.base import FieldType
from memorialization.deliveries.verification import NOT_SHOWN, judge_comment, judge_field, values_agree


@pytest.mark.parametrize(
    ("sent", "shown", "field_type", "agree"),
    [
        ("a", "a", FieldType.TEXT, True),
        ("a ", "a", FieldType.TEXT, True),
        ("a\r\nb", "a\nb", FieldType.TEXTAREA, True),
        ("a \n b", "a\n b", FieldType.TEXTAREA, True),
        ("a", "b", FieldType.TEXT, False),
        ("a", None, FieldType.TEXT, False),
        ("a", "", FieldType.TEXT, False),
        (None, "", FieldType.TEXT, True),
        (None, "x", FieldType.TEXT, False),
        (5, 5.0, FieldType.INTEGER, True),
        (1.5, "1.50", FieldType.DECIMAL, True),
        ("1.5", 1.5, FieldType.DECIMAL, True),
        (0, None, FieldType.INTEGER, False),
        (True, True, FieldType.CHECKBOX, True),
        (True, None, FieldType.CHECKBOX, False),
        (False, None, FieldType.CHECKBOX, True),
        (False, True, FieldType.CHECKBOX, False),
        (True, 1, FieldType.CHECKBOX, False),
        (["b", "a"], ["a", "b"], FieldType.MULTISELECT, True),
        (["a"], ["a", "b"], FieldType.MULTISELECT, False),
        (["a"], ["a", "b"], FieldType.TAGS, True),
        (["a", "c"], ["a", "b"], FieldType.TAGS, False),
        (["VIP, Gold", "Été"], ["vip_gold", "été"], FieldType.TAGS, True),
        (["VIP, Gold"], ["vip", "gold"], FieldType.TAGS, False),
        ("2026-01-15T10:00:00-05:00", "2026-01-15T15:00:00+00:00", FieldType.DATETIME, True),
        ("2026-01-15T10:00:00-05:00", "2026-01-15T15:00:01+00:00", FieldType.DATETIME, False),
        ("35436", "35436", FieldType.LOOKUP, True),
        (7, 7, None, True),
        (["x"], ["x"], None, True),
    ],
)
def test_values_are_compared_by_their_meaning(sent, shown, field_type, agree):
    assert values_agree(sent, shown, field_type=field_type) is agree


@given(value=st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_a_value_always_agrees_with_itself(value):
    assert values_agree(value, value)


@pytest.mark.parametrize(
    ("sent", "shown", "planned", "verdict"),
    [
        ("Call", "Call", "", ("written", "")),
        ("Call", "Call", "shortened_to_limit", ("shortened", "shortened_to_limit")),
        ("Call of Ms Roy", "Call of", "", ("shortened", "shortened_by_crm")),
        ("Call", "Other", "", ("not_applied", "not_applied_by_crm")),
        ("Call", None, "", ("not_applied", "not_applied_by_crm")),
        ("Call", NOT_SHOWN, "", ("not_applied", "not_shown_by_crm")),
        (None, NOT_SHOWN, "", ("not_applied", "not_shown_by_crm")),
        (None, None, "", ("written", "")),
    ],
)
def test_the_verdict_says_what_became_of_the_field(sent, shown, planned, verdict):
    found = judge_field(sent, shown, field_type=FieldType.TEXT, planned_reason=planned)
    assert (found.result, found.reason) == verdict


@pytest.mark.parametrize(
    ("sent", "kept", "field_type"),
    [
        ("billing_refund", "billing", FieldType.DROPDOWN),
        ("35436", "354", FieldType.LOOKUP),
        ("AB-123456", "AB-1", FieldType.REGEXP),
    ],
)
def test_an_old_value_that_begins_like_the_new_one_is_no_shortened_one_where_nothing_is_shortened(
    sent, kept, field_type
):
    found = judge_field(sent, kept, field_type=field_type)
    assert (found.result, found.reason) == ("not_applied", "not_applied_by_crm")


def test_a_note_is_judged_by_the_write_that_carried_it():
    assert judge_comment(is_posted=None).result == judge_comment(is_posted=True).result == "written"
    assert judge_comment(is_posted=True, planned_reason="shortened_to_limit").result == "shortened"
    assert judge_comment(is_posted=False).result == "not_applied"
