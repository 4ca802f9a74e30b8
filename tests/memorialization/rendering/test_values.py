"""Values as CRM fields take them (semantics §7)."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from crm_integrations.providers.base import CRMField, FieldOption, FieldType
from memorialization.rendering.patterns import matches_pattern
from memorialization.rendering.values import RENDERERS, RenderContext, render

TORONTO = RenderContext(ZoneInfo("America/Toronto"))
A_TIME = RenderContext(ZoneInfo("America/Toronto"), is_time=True)
OPTIONS = (FieldOption("low", "Low"), FieldOption("high_prio", "High, urgent"), FieldOption("Mid", "low"))


def field(kind, **columns):
    return CRMField("key", "Title", FieldType(kind), **columns)


def value_of(kind, value, context=TORONTO, **columns):
    return render(field(kind, **columns), value, context).value


def reason_for(kind, value, context=TORONTO, **columns):
    rendered = render(field(kind, **columns), value, context)
    assert rendered.value is None and rendered.result == "left_out"
    return rendered.reason


def test_every_kind_of_field_has_a_renderer():
    assert set(RENDERERS) == set(FieldType)


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("blank", [None, "", " \n", [], [" "]])
def test_a_missing_or_blank_value_leaves_the_crm_field_as_it_is(kind, blank):
    rendered = render(field(kind), blank, TORONTO)
    assert (rendered.value, rendered.result, rendered.reason) == (None, "blank", "blank")


def test_a_field_that_cannot_be_written_is_left_out():
    assert reason_for("text", "x", is_writable=False) == "field_not_writable"


def test_text_over_its_fields_limit_is_shortened_with_a_visible_mark():
    rendered = render(field("textarea", max_length=10), "0123456 89abc", TORONTO)
    assert rendered.value == "0123456 8…" and len(rendered.value) == 10
    assert (rendered.result, rendered.reason) == ("", "shortened_to_limit")
    assert rendered.params == {"length": 13, "limit": 10}


def test_text_of_exactly_the_limit_stays():
    assert render(field("text", max_length=3), "abc", TORONTO).reason == ""


def test_lists_are_joined_with_a_comma_and_a_space():
    assert value_of("text", ["vip", "billing"]) == "vip, billing"


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (0, "0"), (415203958123, "415203958123"), (1.5, "1.5")]
)
def test_booleans_and_numbers_become_words_in_text(value, text):
    assert value_of("text", value) == text


def test_a_field_of_one_line_gets_one_line_and_one_of_several_keeps_them():
    assert value_of("text", "a\r\nb") == "a b"
    assert value_of("textarea", "a\nb") == "a\nb"


def test_a_time_mapped_to_text_is_iso_8601_with_the_zones_offset():
    assert value_of("text", "2026-11-22T15:04:58.250Z", A_TIME) == "2026-11-22T10:04:58-05:00"
    assert value_of("text", "2026-07-01T00:00:00", A_TIME) == "2026-06-30T20:00:00-04:00"
    assert value_of("text", "soon", A_TIME) == "soon"
    assert value_of("text", "2026-11-22T15:04:58Z", TORONTO) == "2026-11-22T15:04:58Z"


@pytest.mark.parametrize(
    ("value", "day"),
    [("2026-11-22T02:00:00Z", "2026-11-21"), ("2026-11-22", "2026-11-22"), ("2026-11-22T02:00:00", "2026-11-21")],
)
def test_a_time_mapped_to_a_date_field_is_the_day_in_the_configurations_zone(value, day):
    assert value_of("date", value, A_TIME) == day


@pytest.mark.parametrize("value", ["22/11/2026", "tomorrow", 20261122, True, ["2026-11-22", "2026-11-23"]])
def test_what_is_no_date_is_left_out(value):
    assert reason_for("date", value) == "not_a_date"
    assert reason_for("datetime", value) == "not_a_time"


def test_a_date_time_field_gets_the_zones_offset():
    assert value_of("datetime", "2026-11-22T15:04:58Z") == "2026-11-22T10:04:58-05:00"
    assert value_of("datetime", "2026-11-22") == "2026-11-22T00:00:00-05:00"


@pytest.mark.parametrize("value", ["low", " LOW ", ["low"]])
def test_a_drop_down_takes_the_options_value_ignoring_case(value):
    assert value_of("dropdown", value, options=OPTIONS[:2]) == "low"


def test_a_drop_down_takes_else_the_title_ignoring_case():
    assert value_of("dropdown", "high, URGENT", options=OPTIONS) == "high_prio"
    assert value_of("dropdown", "low", options=OPTIONS) == "low"  # the value wins over another choice's title


def test_choices_that_do_not_exist_are_several_or_ambiguous_are_left_out():
    twins = (FieldOption("a", "Same"), FieldOption("b", "same"))
    assert reason_for("dropdown", "none", options=OPTIONS) == "unknown_option"
    assert reason_for("dropdown", "same", options=twins) == "ambiguous_option"
    assert reason_for("dropdown", ["low", "high_prio"], options=OPTIONS) == "several_values"
    assert reason_for("multiselect", "same", options=twins) == "ambiguous_option"
    assert reason_for("multiselect", "x; y", options=OPTIONS) == "unknown_option"


@pytest.mark.parametrize("value", [["low", "High, urgent"], "low; high_prio", "low|high_prio", "low,high_prio, low"])
def test_a_multi_select_takes_lists_and_separated_text(value):
    assert value_of("multiselect", value, options=OPTIONS) == ["low", "high_prio"]


def test_a_choice_may_have_a_comma_in_its_title():
    assert value_of("multiselect", "High, urgent", options=OPTIONS) == ["high_prio"]


def test_what_is_no_choice_of_a_multi_select_is_left_out_and_named():
    rendered = render(field("multiselect", options=OPTIONS), ["low", "x"], TORONTO)
    assert (rendered.value, rendered.reason, rendered.params) == (["low"], "shortened_options", {"left_out": "x"})


def test_choices_that_the_crm_does_not_tell_are_left_to_it():
    assert value_of("dropdown", "anything") == "anything"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("-7", -7), ("12.5", 12.5), ("12,5", 12.5), ("1 234,56", 1234.56), ("1\u202f234", 1234),
        ("1,234.56", 1234.56), ("1.234,56", 1234.56), ("1,234,567", 1234567), ("1.234.567", 1234567), ("0,125", 0.125),
        ("12345,678", 12345.678), ("1'234", 1234), ("5.0", 5), (0, 0), (3.0, 3), (2.5, 2.5), (["4"], 4),
    ],
)  # fmt: skip
def test_numbers_are_read_from_strings_with_comma_point_and_spaces(text, number):
    assert value_of("decimal", text) == number


@pytest.mark.parametrize(
    "text", ["abc", "12 min", "1e5", "1,23,4", "12 34", "--1", "1.2.3", True, ["1", "2"], "٣", ","]
)
def test_what_is_no_number_is_left_out(text):
    assert reason_for("decimal", text) == "not_a_number"


def test_a_number_that_can_be_read_in_two_ways_is_not_guessed():
    assert reason_for("decimal", "1,234") == "ambiguous_number"


def test_whole_numbers_have_no_fraction_and_stay_exact():
    assert value_of("integer", "5.0") == 5
    assert reason_for("integer", "5.5") == "not_a_whole_number"
    assert reason_for("integer", str(2**53)) == "number_out_of_range"
    assert reason_for("decimal", "0.12345678901234567890") == "number_out_of_range"
    assert reason_for("decimal", "9" * 5000) == "not_a_number"


@pytest.mark.parametrize("word", ["yes", "Oui", "TRUE", "1", 1, True, "vrai"])
def test_a_checkbox_is_ticked_by_words_in_two_languages(word):
    assert value_of("checkbox", word) is True


@pytest.mark.parametrize("word", ["no", "NON", "false", "0", 0, False])
def test_a_checkbox_is_unticked_by_words_in_two_languages(word):
    assert value_of("checkbox", word) is False


@pytest.mark.parametrize("word", ["maybe", 2, ["yes", "no"]])
def test_other_words_leave_a_checkbox_alone(word):
    assert reason_for("checkbox", word) == "not_a_checkbox_value"


def test_tags_are_normalised_and_each_comes_once():
    assert value_of("tags", ["VIP", "new  client", "vip"]) == ["vip", "new_client"]
    assert value_of("tags", "a, B ,a") == ["a", "b"]


def test_a_lookup_takes_a_record_id():
    assert value_of("lookup", " 35436 ") == "35436"
    assert reason_for("lookup", "no id!") == "not_a_record_id"


def test_a_pattern_is_checked_and_its_text_never_shortened():
    digits = field("regexp", pattern=r"\A\d{3}-\d{4}\z", max_length=8)
    assert render(digits, " 555-0123 ", TORONTO).value == "555-0123"
    assert render(digits, "555-012", TORONTO).reason == "pattern_mismatch"
    assert render(digits, "555-01234", TORONTO).reason == "too_long"


def test_a_note_is_text():
    assert value_of("comment", ["a", "b"]) == "a, b"
    assert render(replace(field("comment"), max_length=2), "abc", TORONTO).value == "a…"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)+$", r"(a?){60}$", r"(.*)(.*)(.*)x", r"(a)\1+", "(", r"\h+"])
def test_a_pattern_that_could_run_away_or_is_not_known_here_is_not_judged(pattern):
    assert matches_pattern(pattern, "a" * 200) is None


def test_patterns_people_write_are_judged():
    assert matches_pattern(r"^\+?[0-9]{10,15}$", "+15145550123") is True
    assert matches_pattern(r"^[A-Z]{2}(-\d{3}){2}$", "AB-123-12") is False
    assert matches_pattern(r"^(low|high)$", "low") is True
    assert matches_pattern(r"^\d+\.\d+$", "é") is None
