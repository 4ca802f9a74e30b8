"""What the mapping editor's script reads, delivered once per page whatever the number of rows."""

from collections.abc import Iterable
from typing import Any

from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.mapping_pages.field_choices import group_labels, short_field
from memorialization.mappings.row_fit import FIT_WORDS, LONGEST, WRITTEN_AS_TEXT, Fit, fits_by_kind, source_kind
from memorialization.mappings.row_words import WELL_FORMATTED, describe_field, describe_source, transcript_words
from memorialization.source_fields import SOURCE_FIELDS, TRANSCRIPT_KEYS


def build_catalogue(entity_types: Iterable[str], fields: AccountFields) -> dict[str, Any]:
    """Fields by entity type, sources, and the tables and sentences of `row_fit` and `row_words`."""
    return {
        "fields": {
            entity_type: [
                short_field(found, describe_field(found))
                for found in fields.by_type.get(entity_type, {}).values()
                if found.is_writable
            ]
            for entity_type in entity_types
        },
        "groups": group_labels(),
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
