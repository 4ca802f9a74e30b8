"""One canonical form for every value, so that sent and read can be compared."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_client.fields import FieldDefinition
from zendesk_client.values import READERS, is_applied, normalize_tag, read_value, write_value


@pytest.mark.parametrize(
    ("field_type", "shown", "canonical"),
    [
        ("date", "2022-11-30T00:00:00+00:00", "2022-11-30"),
        ("date", "2022-11-30", "2022-11-30"),
        ("date", "30/11/2022", "30/11/2022"),
        ("date", date(2022, 11, 30), "2022-11-30"),
        ("integer", "745", 745),
        ("integer", 745, 745),
        ("integer", " -3 ", -3),
        ("integer", "12345678901234567890", 12345678901234567890),
        ("integer", "7.0", 7),
        ("integer", "seven", "seven"),
        ("integer", "1_000", "1_000"),
        ("decimal", "5.10", 5.1),
        ("decimal", 5.1, 5.1),
        ("decimal", Decimal("0.1"), 0.1),
        ("decimal", "12345678901234567.89", "12345678901234567.89"),
        ("decimal", "nan", "nan"),
        ("checkbox", "true", True),
        ("checkbox", "False", False),
        ("checkbox", False, False),
        ("checkbox", "maybe", "maybe"),
        ("text", 7, "7"),
        ("text", "", None),
        ("text", None, None),
        ("dropdown", "language__en", "language__en"),
        ("lookup", 4398096842879, "4398096842879"),
        ("multiselect", ["a", "b"], ["a", "b"]),
        ("multiselect", "a", ["a"]),
        ("tags", ("a",), ["a"]),
        ("datetime", "2026-11-22T10:04:58-05:00", "2026-11-22T15:04:58Z"),
        ("datetime", "2026-11-22T10:04:58Z", "2026-11-22T10:04:58Z"),
        ("datetime", datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))), "2026-11-22T09:00:00Z"),
        ("text", datetime(2026, 11, 22, 10, tzinfo=UTC), "2026-11-22T10:00:00Z"),
        ("unknown type", "x", "x"),
    ],
)
def test_a_value_has_one_canonical_form(field_type, shown, canonical):
    read = read_value(field_type, shown)
    assert read == canonical
    assert type(read) is type(canonical)


def test_ids_are_written_as_numbers_and_other_references_as_they_are():
    assert write_value("lookup", "4398096842879") == 4398096842879
    assert write_value("lookup", "01GCSJW391QVSC80GYDH7E93Q6") == "01GCSJW391QVSC80GYDH7E93Q6"


def test_nothing_clears_a_field():
    assert write_value("text", None) is None
    assert write_value("text", "") is None


@pytest.mark.parametrize(
    ("field_type", "value"), [("decimal", float("nan")), ("integer", float("inf")), ("text", {"a": 1})]
)
def test_what_json_cannot_say_is_refused(field_type, value):
    with pytest.raises(ValueError, match="number must be finite|cannot be written"):
        write_value(field_type, value)


@pytest.mark.parametrize(
    ("field_type", "sent", "read", "applied"),
    [
        ("dropdown", "sales", "sales", True),
        ("dropdown", "unknown", "sales", False),
        ("dropdown", "unknown", None, False),
        ("integer", 745, "745", True),
        ("date", "2022-11-30", "2022-11-30T00:00:00+00:00", True),
        ("text", "a\nb ", "a\r\nb", True),
        ("text", "a", "A", False),
        ("text", None, "", True),
        ("text", "x", None, False),
        ("multiselect", ["b", "a"], ["a", "b"], True),
        ("multiselect", ["a", "unknown"], ["a"], False),
        ("multiselect", [], None, True),
        ("tags", ["VIP Customer"], ["old", "vip_customer"], True),
        ("tags", ["vip"], ["old"], False),
        ("checkbox", False, None, True),
        ("checkbox", True, False, False),
        ("lookup", "5", 5, True),
        ("comment", "Hello", None, True),
    ],
)
def test_whether_a_value_took_effect_is_seen_in_the_answer(field_type, sent, read, applied):
    assert is_applied(FieldDefinition("k", field_type, "T"), sent, read) is applied


def test_a_tag_is_normalized_as_zendesk_stores_it():
    assert normalize_tag("  Big  Customer ") == "big_customer"


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.lists(st.text())


@given(st.sampled_from([*READERS, "text"]), ANYTHING)
def test_reading_never_raises_and_reading_twice_changes_nothing(field_type, value):
    once = read_value(field_type, value)
    if once == once:  # all but NaN
        assert read_value(field_type, once) == once


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15))
def test_no_decimal_loses_a_digit(number):
    assert Decimal(str(read_value("decimal", str(number)))) == number
