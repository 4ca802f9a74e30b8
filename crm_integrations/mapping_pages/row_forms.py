"""Rows on their way through an editor: as a browser sends them, as they open, as they are to be checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from crm_integrations.mapping_pages.contents import Contents, EntityRows
from crm_integrations.mapping_pages.editor_state import CardState, EditorState, FieldRow

R = TypeVar("R", bound=FieldRow)
C = TypeVar("C")
D = TypeVar("D")


@dataclass(frozen=True)
class RowForms(Generic[R, C, D]):
    """The forms of one kind's rows: `typed` from the parts that a browser sent, `opened` from a stored row, `drafted`
    for the checks.
    """

    typed: Callable[[Mapping[str, str]], R]
    opened: Callable[[C], R]
    drafted: Callable[[R], D]

    def open_contents(self, contents: Contents[C], *, version: int) -> EditorState[R]:
        """The editor as it opens on a stored mapping."""
        return EditorState(
            contents.name,
            contents.description,
            contents.is_active,
            base_version=version,
            entities=[
                CardState(entity.entity_type, [self.opened(row) for row in entity.rows]) for entity in contents.entities
            ],
        )

    def draft(self, state: EditorState[R]) -> Contents[D]:
        """The mapping as it is to be checked."""
        entities = tuple(
            EntityRows(entity.entity_type, tuple(self.drafted(row) for row in entity.rows)) for entity in state.entities
        )
        return Contents(state.name.strip(), state.description.strip(), state.is_active, entities)
