"""The small print of the mapping editor: field types, limits and sources in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_integrations.mapping_pages.field_words import FIELD_TYPE_LABELS, describe_options, figure
from crm_integrations.providers.base import CRMField, FieldType
from memorialization.mappings.row_fit import WRITTEN_AS_TEXT
from memorialization.source_fields import SourceField

WELL_FORMATTED = frozenset({FieldType.TEXTAREA, FieldType.COMMENT})
NOTES: dict[FieldType, str | Promise] = {
    FieldType.TAGS: gettext_lazy("added, never replaced"),
    FieldType.COMMENT: gettext_lazy("never public, once per interaction"),
}


def describe_field(field: CRMField) -> str:
    """Type, limit, options, pattern: “Text · up to 255 characters”."""
    parts = [str(FIELD_TYPE_LABELS[field.type])]
    if field.max_length is not None and field.type in WRITTEN_AS_TEXT:
        count = field.max_length
        parts.append(ngettext("up to %(count)s character", "up to %(count)s characters", count) % figure(count))
    if field.options:
        parts.append(describe_options(field))
    if field.pattern:
        parts.append(field.pattern)
    if field.type in NOTES:
        parts.append(str(NOTES[field.type]))
    return " · ".join(parts)


def describe_source(source: SourceField) -> str:
    """Meaning and example: “The skill's name · e.g. FR_Support”."""
    return _("%(meaning)s · e.g. %(example)s") % {"meaning": source.meaning, "example": source.example}


def transcript_words() -> dict[str, str]:
    """The sentences of the transcript warning; `limit` has a place for the number."""
    return {
        "need": _(
            "A full transcript needs a field with suitable formatting and a large enough limit; "
            "otherwise part or none of it appears."
        ),
        "unlimited": _("The CRM does not say how much this field takes."),
        "limit": _("This field takes %(count)s characters."),
        "plain": _("It is not a multi-line field."),
    }


def warn_of_transcript(field: CRMField | None) -> str:
    """What a full transcript needs, with what is known of this field's limit."""
    words = transcript_words()
    if field is None:
        return words["need"]
    limit = words["unlimited"] if field.max_length is None else words["limit"] % figure(field.max_length)
    parts = [words["need"], limit]
    return " ".join(parts if field.type in WELL_FORMATTED else [*parts, words["plain"]])
