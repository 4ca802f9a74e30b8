"""Rows of the data memorialization editor between two page loads: everything typed, and how a draft is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from crm_integrations.mapping_pages import editor_state
from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_state import Act, CardState, EditorState, FieldRow
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft, clean_source
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


ACTS: EditorActs[RowState] = EditorActs(lambda before: RowState(channel=before.channel if before else ""))


def draft_from_state(state: EditorState[RowState]) -> MappingDraft:
    """The mapping as it is to be checked."""
    entities = tuple(
        EntityDraft(entity.entity_type, tuple(row.as_draft() for row in entity.rows)) for entity in state.entities
    )
    return MappingDraft(state.name.strip(), state.description.strip(), state.is_active, entities)


def state_from_contents(contents: MappingContents, *, version: int) -> EditorState[RowState]:
    """The editor as it opens on a stored mapping."""
    entities = [
        CardState(entity.entity_type, [_stored_row(row.field.key, row.channel, row.source) for row in entity.rows])
        for entity in contents.entities
    ]
    return EditorState(contents.name, contents.description, contents.is_active, base_version=version, entities=entities)


def read_post(data: QueryDict) -> tuple[EditorState[RowState], Act]:
    """What was typed, and the button that sent it."""
    return editor_state.read_post(data, build_row=_typed_row)


def _stored_row(crm_field: str, channel: str, source: str) -> RowState:
    if channel == RowChannel.SCRIPT_VARIABLE:
        return RowState(crm_field, channel=channel, variable=source)
    return RowState(crm_field, channel=channel, source=source)


def _typed_row(parts: Mapping[str, str]) -> RowState:
    return RowState(
        parts.get("field", ""),
        channel=parts.get("channel", ""),
        source=parts.get("source", ""),
        variable=parts.get("variable", "").lower(),
    )
