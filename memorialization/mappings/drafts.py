"""A mapping as somebody wants it, before anything is checked: what the editor and configuration files hand over."""

from dataclasses import dataclass

from crm_integrations.mapping_pages.contents import Contents, EntityRows
from memorialization.mappings.contents import Row
from memorialization.models.mappings import RowChannel

VARIABLE_LIMIT = 200  # characters of a script variable's name


@dataclass(frozen=True, slots=True)
class RowDraft:
    """One row as typed; `source` is a source field's key or a script variable's name."""

    crm_field: str
    channel: str
    source: str


EntityDraft = EntityRows[RowDraft]
MappingDraft = Contents[RowDraft]


def clean_source(*, channel: str, source: str) -> str:
    """Script variables are kept in lower case whatever was typed (product page §4)."""
    stripped = source.strip()
    return stripped.lower() if channel == RowChannel.SCRIPT_VARIABLE else stripped


def draft_row(row: Row) -> RowDraft:
    """The row that would be saved as this one."""
    return RowDraft(row.field.key, row.channel, row.source)
