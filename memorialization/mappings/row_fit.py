"""Whether a source fits a CRM field, told before anything is written: data for the server and the editor's script.

Values can differ from what is expected here; the delivery checks each one again (semantics §7).
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.models.mappings import RowChannel
from memorialization.source_fields import BY_KEY, TRANSCRIPT_KEYS


class SourceKind(StrEnum):
    """How the values of a source look."""

    TEXT = "text"
    DIGITS = "digits"
    LONG = "long"
    ADDRESS = "address"
    TIME = "time"
    LIST = "list"
    FLAG = "flag"
    VARIABLE = "variable"


class Fit(StrEnum):
    """What becomes of the values in the field."""

    FITS = "fits"
    SHORTENED = "shortened"
    OPTIONS = "options"
    NUMBERS = "numbers"
    DATES = "dates"
    FLAGS = "flags"
    RECORDS = "records"
    PATTERN = "pattern"
    GONE = "gone"
    READ_ONLY = "read_only"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FitWords:
    """A fit for people: a badge's state and label, and a sentence."""

    state: str
    label: str | Promise
    sentence: str | Promise = ""


FIT_WORDS: dict[Fit, FitWords] = {
    Fit.FITS: FitWords("pass", _("Fits")),
    Fit.SHORTENED: FitWords(
        "shortened", _("May be shortened"), _("Text beyond %(limit)s characters is cut with a visible mark.")
    ),
    Fit.OPTIONS: FitWords(
        "left_out",
        _("Needs matching option values"),
        _("Only values that equal an option's title or value are written; others are left out."),
    ),
    Fit.NUMBERS: FitWords("left_out", _("Only numbers fit"), _("Anything that is no number is left out.")),
    Fit.DATES: FitWords("left_out", _("Only dates fit"), _("Anything that is no date is left out.")),
    Fit.FLAGS: FitWords("left_out", _("Only true or false fits"), _("Any other value is left out.")),
    Fit.RECORDS: FitWords("left_out", _("Needs a record ID"), _("Anything that is no record's ID is left out.")),
    Fit.PATTERN: FitWords(
        "left_out", _("Must match the pattern"), _("Values that do not match the field's pattern are left out.")
    ),
    Fit.GONE: FitWords("fail", _("Field gone"), _("The CRM has no such field any more, so nothing is written to it.")),
    Fit.READ_ONLY: FitWords(
        "fail", _("Can no longer be written"), _("The CRM no longer lets this field be written. Choose another.")
    ),
    Fit.CHANGED: FitWords(
        "left_out",
        _("Type has changed"),
        _("The CRM changed the field's type since the last save. Save the mapping to work with the new one."),
    ),
    Fit.UNKNOWN: FitWords("unknown", _("Not checked"), _("The fields of the account could not be read.")),
}

KINDS: dict[str, SourceKind] = {
    **dict.fromkeys(("agentId", "contactId", "masterContactId", "skillId"), SourceKind.DIGITS),
    **dict.fromkeys(("dispositionNotes", "transcriptionText"), SourceKind.LONG),
    **dict.fromkeys(("recordingUrl", "transcriptUrl"), SourceKind.ADDRESS),
    "finalState": SourceKind.FLAG,
}
LONGEST: dict[SourceKind, int | None] = {
    SourceKind.TEXT: 100,
    SourceKind.DIGITS: 20,
    SourceKind.LONG: None,
    SourceKind.ADDRESS: 500,
    SourceKind.TIME: 35,
    SourceKind.LIST: 255,
    SourceKind.FLAG: 5,
    SourceKind.VARIABLE: 255,
}
"""How many characters to expect; None: any number."""

WRITTEN_AS_TEXT = frozenset({FieldType.TEXT, FieldType.TEXTAREA, FieldType.COMMENT})
TAKES: dict[FieldType, tuple[frozenset[SourceKind], Fit]] = {
    FieldType.INTEGER: (frozenset({SourceKind.DIGITS}), Fit.NUMBERS),
    FieldType.DECIMAL: (frozenset({SourceKind.DIGITS}), Fit.NUMBERS),
    FieldType.DATE: (frozenset({SourceKind.TIME}), Fit.DATES),
    FieldType.DATETIME: (frozenset({SourceKind.TIME}), Fit.DATES),
    FieldType.CHECKBOX: (frozenset({SourceKind.FLAG}), Fit.FLAGS),
    FieldType.DROPDOWN: (frozenset(), Fit.OPTIONS),
    FieldType.MULTISELECT: (frozenset(), Fit.OPTIONS),
    FieldType.LOOKUP: (frozenset(), Fit.RECORDS),
    FieldType.REGEXP: (frozenset(), Fit.PATTERN),
    FieldType.TAGS: (frozenset(SourceKind), Fit.FITS),
}
"""Which kinds a typed field takes as they are, and what any other kind means for it."""


def source_kind(channel: str, source: str) -> SourceKind:
    """How the values of this source look."""
    if channel == RowChannel.SCRIPT_VARIABLE:
        return SourceKind.VARIABLE
    known = BY_KEY.get(source)
    if known and known.is_time:
        return SourceKind.TIME
    if known and known.is_list:
        return SourceKind.LIST
    return KINDS.get(source, SourceKind.TEXT)


def judge_row(field: CRMField, kind: SourceKind) -> Fit:
    """What becomes of values of this kind in a field that the account has."""
    if not field.is_writable:
        return Fit.READ_ONLY
    if field.type in WRITTEN_AS_TEXT:
        return Fit.SHORTENED if _is_too_long(field, kind) else Fit.FITS
    taken, otherwise = TAKES[field.type]
    return Fit.FITS if kind in taken else otherwise


def fits_by_kind() -> dict[str, dict[str, str]]:
    """The table for the editor's script: field type → kind → fit, for fields that are not plain text."""
    return {
        field_type.value: {kind.value: (Fit.FITS if kind in taken else otherwise).value for kind in SourceKind}
        for field_type, (taken, otherwise) in TAKES.items()
    }


def is_transcript(channel: str, source: str) -> bool:
    """Whether the row carries a whole transcript, which needs a large field with suitable formatting."""
    return channel != RowChannel.SCRIPT_VARIABLE and source in TRANSCRIPT_KEYS


def _is_too_long(field: CRMField, kind: SourceKind) -> bool:
    longest = LONGEST[kind]
    return field.max_length is not None and (longest is None or longest > field.max_length)
