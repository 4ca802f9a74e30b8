"""Canonical values as people read them."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from crm_integrations.providers.base import CRMField, FieldOption, FieldType
from crm_integrations.record_display.texts import shorten
from crm_integrations.record_display.values import display_value

TORONTO = ZoneInfo("America/Toronto")
COLOURS = (FieldOption("red", "Bright red"), FieldOption("blue", "Blue"))


def show(kind: FieldType, value: object, *, language: str = "en", name: str = "", **columns: object) -> str:
    definition = CRMField("key", "Title", kind, **{"is_custom": True, **columns})  # type: ignore[arg-type]
    with translation.override(language):
        return display_value(definition, value, time_zone=TORONTO, name=name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (FieldType.TEXT, " Broken  printer ", "Broken printer"),
        (FieldType.TEXTAREA, "One\r\n\r\n  two\nthree", "One\ntwo\nthree"),
        (FieldType.INTEGER, 1234567, "1234567"),
        (FieldType.DECIMAL, 1234.5, "1234.5"),
        (FieldType.DECIMAL, "0.10000000000000000001", "0.10000000000000000001"),
        (FieldType.DATE, "2026-11-22", "22 Nov 2026"),
        (FieldType.DATETIME, "2026-11-22T15:04:58Z", "22 Nov 2026, 10:04"),
        (FieldType.CHECKBOX, True, "Yes"),
        (FieldType.CHECKBOX, False, "No"),
        (FieldType.LOOKUP, "361", "361"),
        (FieldType.TAGS, ["vip", "billing"], "vip, billing"),
        (FieldType.REGEXP, "AB-12", "AB-12"),
    ],
)
def test_every_type_is_shown_as_text(kind, value, shown):
    assert show(kind, value) == shown


def test_dates_and_numbers_follow_the_language():
    assert show(FieldType.DATE, "2026-11-22", language="fr-ca") == "22 novembre 2026"
    assert show(FieldType.DATETIME, "2026-11-22T15:04:58Z", language="fr-ca") == "22 novembre 2026, 10:04"
    assert show(FieldType.DECIMAL, 1234.5, language="fr-ca") == "1234,5"


def test_options_are_shown_by_their_titles_and_unknown_ones_as_they_are():
    assert show(FieldType.DROPDOWN, "red", options=COLOURS) == "Bright red"
    assert show(FieldType.MULTISELECT, ["blue", "red"], options=COLOURS) == "Blue, Bright red"
    assert show(FieldType.DROPDOWN, "green", options=COLOURS) == "green"


def test_what_the_crms_own_field_does_not_list_is_shown_as_a_word():
    assert show(FieldType.DROPDOWN, "new", is_custom=False) == "New"
    assert show(FieldType.DROPDOWN, "new", is_custom=False, language="fr-ca") == "Nouveau"


def test_a_lookup_is_shown_by_the_name_of_its_record():
    assert show(FieldType.LOOKUP, "361", name="Ada Lovelace") == "Ada Lovelace"


def test_an_unticked_box_reads_no_also_when_it_was_never_set():
    assert show(FieldType.CHECKBOX, None) == "No"


@pytest.mark.parametrize("value", [None, "", []])
def test_what_is_unset_is_blank(value):
    assert show(FieldType.TEXT, value) == ""


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("value", ["not of this type", 7, True, ["a", "b"], "9999-99-99", "9999-12-31T23:59:59-14:00"])
def test_a_value_that_does_not_fit_its_type_is_shown_all_the_same(kind, value):
    assert isinstance(show(kind, value), str)


def test_a_long_text_is_cut_at_a_word():
    short = shorten("word " * 100, limit=33)
    assert short == "word word word word word word…"
    assert len(shorten("x" * 1000)) == 280


def test_a_text_within_the_limit_is_kept_whole():
    assert shorten("x" * 280) == "x" * 280
