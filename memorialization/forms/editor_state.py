"""Rows of the data memorialization editor between two page loads: everything typed, and how a draft is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_state import FieldRow
from crm_integrations.mapping_pages.row_forms import RowForms
from memorialization.mappings.contents import Row
from memorialization.mappings.drafts import RowDraft, clean_source
from memorialization.models.mappings import RowChannel


@dataclass
class RowState(FieldRow):
    """One row as typed: the list's choice and the free text are both kept, whichever the channel reads."""

    channel: str = ""
    source: str = ""
    variable: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen; the channel does not count, it is carried over from the row before."""
        return not (self.crm_field or self.source or self.variable)

    def as_draft(self) -> RowDraft:
        """The row as it is to be checked."""
        is_variable = self.channel == RowChannel.SCRIPT_VARIABLE
        source = clean_source(channel=self.channel, source=self.variable if is_variable else self.source)
        return RowDraft(self.crm_field, self.channel, source)


def _opened(row: Row) -> RowState:
    if row.channel == RowChannel.SCRIPT_VARIABLE:
        return RowState(row.field.key, channel=row.channel, variable=row.source)
    return RowState(row.field.key, channel=row.channel, source=row.source)


def _typed(parts: Mapping[str, str]) -> RowState:
    return RowState(
        parts.get("field", ""),
        channel=parts.get("channel", ""),
        source=parts.get("source", ""),
        variable=parts.get("variable", "").lower(),
    )


ACTS: EditorActs[RowState] = EditorActs(lambda before: RowState(channel=before.channel if before else ""))
ROWS: RowForms[RowState, Row, RowDraft] = RowForms(typed=_typed, opened=_opened, drafted=RowState.as_draft)
