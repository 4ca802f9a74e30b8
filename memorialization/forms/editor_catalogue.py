"""What the mapping editor's script reads besides the fields, delivered once per page whatever the number of rows."""

from typing import Any

from memorialization.mappings.row_fit import FIT_WORDS, LONGEST, WRITTEN_AS_TEXT, Fit, fits_by_kind, source_kind
from memorialization.mappings.row_words import WELL_FORMATTED, describe_source, transcript_words
from memorialization.source_fields import SOURCE_FIELDS, TRANSCRIPT_KEYS


def script_tables() -> dict[str, Any]:
    """Sources, and the tables and sentences of `row_fit` and `row_words`."""
    return {
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
