"""Whether data fit a field (memorialization.mappings.row_fit), and the small print (…row_words)."""

import pytest

from crm_integrations.providers.base import CRMField, FieldOption, FieldType
from memorialization.mappings.row_fit import (
    KINDS,
    TAKES,
    WRITTEN_AS_TEXT,
    Fit,
    SourceKind,
    fits_by_kind,
    judge_row,
    source_kind,
)
from memorialization.mappings.row_words import FIELD_TYPE_LABELS, describe_field, warn_of_transcript
from memorialization.source_fields import BY_KEY


def make_field(kind: FieldType, **columns) -> CRMField:
    return CRMField("key", "Title", kind, **columns)


@pytest.mark.parametrize(
    ("channel", "source", "kind"),
    [
        ("voice", "endTime", SourceKind.TIME),
        ("voice", "tags", SourceKind.LIST),
        ("voice", "finalState", SourceKind.FLAG),
        ("voice", "contactId", SourceKind.DIGITS),
        ("digital", "transcriptionText", SourceKind.LONG),
        ("digital", "transcriptUrl", SourceKind.ADDRESS),
        ("voice", "skillName", SourceKind.TEXT),
        ("script_variable", "endtime", SourceKind.VARIABLE),
        ("script_variable", "tags", SourceKind.VARIABLE),
    ],
)
def test_a_source_has_the_kind_of_its_values(channel, source, kind):
    assert source_kind(channel, source) == kind


@pytest.mark.parametrize(
    ("field", "kind", "fit"),
    [
        (make_field(FieldType.TEXT, max_length=255), SourceKind.TEXT, Fit.FITS),
        (make_field(FieldType.TEXT, max_length=50), SourceKind.TEXT, Fit.SHORTENED),
        (make_field(FieldType.TEXTAREA), SourceKind.LONG, Fit.FITS),
        (make_field(FieldType.TEXTAREA, max_length=65_536), SourceKind.LONG, Fit.SHORTENED),
        (make_field(FieldType.COMMENT), SourceKind.LONG, Fit.FITS),
        (make_field(FieldType.INTEGER), SourceKind.DIGITS, Fit.FITS),
        (make_field(FieldType.DECIMAL), SourceKind.TEXT, Fit.NUMBERS),
        (make_field(FieldType.DATE), SourceKind.TIME, Fit.FITS),
        (make_field(FieldType.DATETIME), SourceKind.VARIABLE, Fit.DATES),
        (make_field(FieldType.CHECKBOX), SourceKind.FLAG, Fit.FITS),
        (make_field(FieldType.CHECKBOX), SourceKind.TEXT, Fit.FLAGS),
        (make_field(FieldType.DROPDOWN), SourceKind.TEXT, Fit.OPTIONS),
        (make_field(FieldType.MULTISELECT), SourceKind.LIST, Fit.OPTIONS),
        (make_field(FieldType.LOOKUP), SourceKind.DIGITS, Fit.RECORDS),
        (make_field(FieldType.REGEXP), SourceKind.TEXT, Fit.PATTERN),
        (make_field(FieldType.TAGS), SourceKind.LIST, Fit.FITS),
        (make_field(FieldType.TEXT, is_writable=False), SourceKind.TEXT, Fit.READ_ONLY),
    ],
)
def test_every_pairing_is_judged(field, kind, fit):
    assert judge_row(field, kind) == fit


def test_every_field_type_is_judged_and_named():
    assert set(TAKES) | WRITTEN_AS_TEXT == set(FieldType) == set(FIELD_TYPE_LABELS)


def test_the_scripts_table_says_what_the_server_says():
    table = fits_by_kind()
    for field_type in TAKES:
        for kind in SourceKind:
            assert table[field_type][kind] == judge_row(make_field(field_type), kind)


def test_only_known_sources_have_a_kind_of_their_own():
    assert set(KINDS) <= set(BY_KEY)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (make_field(FieldType.TEXT, max_length=255), "Text · up to 255 characters"),
        (make_field(FieldType.TEXTAREA, max_length=65_536), "Multi-line text · up to 65,536 characters"),
        (
            make_field(FieldType.DROPDOWN, options=(FieldOption("a", "A"), FieldOption("b", "B"))),
            "Drop-down · 2 options",
        ),
        (make_field(FieldType.REGEXP, pattern="^[0-9]+$"), "Text with a pattern · ^[0-9]+$"),
        (make_field(FieldType.TAGS), "Tags · added, never replaced"),
    ],
)
def test_the_small_print_says_type_limit_options_and_pattern(field, words):
    assert describe_field(field) == words


def test_the_transcript_warning_says_the_limit_when_it_is_known():
    assert "takes 1,000 characters" in warn_of_transcript(make_field(FieldType.TEXTAREA, max_length=1000))
    assert "does not say how much" in warn_of_transcript(make_field(FieldType.COMMENT))
    assert "not a multi-line field" in warn_of_transcript(make_field(FieldType.TEXT))
