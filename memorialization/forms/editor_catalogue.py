"""What the mapping editor's script reads, delivered once per page whatever the number of rows."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title
from crm_integrations.providers.base import CRMField
from memorialization.mappings.checks import AccountFields
from memorialization.mappings.row_fit import FIT_WORDS, LONGEST, WRITTEN_AS_TEXT, Fit, fits_by_kind, source_kind
from memorialization.mappings.row_words import WELL_FORMATTED, describe_field, describe_source, transcript_words
from memorialization.source_fields import SOURCE_FIELDS, TRANSCRIPT_KEYS


def build_catalogue(entity_types: Iterable[str], fields: AccountFields) -> dict[str, Any]:
    """Fields by entity type, sources, and the tables and sentences of `row_fit` and `row_words`."""
    return {
        "fields": {
            entity_type: [
                _short_field(found) for found in fields.by_type.get(entity_type, {}).values() if found.is_writable
            ]
            for entity_type in entity_types
        },
        "groups": [_("Standard fields"), _("Custom fields")],
        "sources": [
            {
                "key": source.key,
                "label": str(source.label),
                "print": describe_source(source),
                "channels": sorted(source.channels),
                "kind": source_kind("", source.key).value,
                "isTranscript": source.key in TRANSCRIPT_KEYS,
            }
            for source in SOURCE_FIELDS
        ],
        "fits": fits_by_kind(),
        "longest": {kind.value: longest for kind, longest in LONGEST.items()},
        "plainText": sorted(WRITTEN_AS_TEXT),
        "wellFormatted": sorted(WELL_FORMATTED),
        "sentences": {fit.value: str(FIT_WORDS[fit].sentence) for fit in Fit},
        "transcript": transcript_words(),
    }


def _short_field(found: CRMField) -> dict[str, Any]:
    """k key, t title, y type, d small print, c custom, m most characters."""
    short: dict[str, Any] = {
        "k": found.key,
        "t": display_title(found),
        "y": found.type.value,
        "d": describe_field(found),
    }
    if found.is_custom:
        short["c"] = 1
    return short if found.max_length is None else {**short, "m": found.max_length}
