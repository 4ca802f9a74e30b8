"""What every kind's row of a mapping editor shows: the choice of a CRM field, with its small print and errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

from crm_integrations.definitions import display_title
from crm_integrations.mapping_pages.editor_state import FieldRow
from crm_integrations.mapping_pages.field_choices import OptionGroup
from crm_integrations.providers.base import CRMField

R = TypeVar("R", bound=FieldRow)


@dataclass
class FieldRowView(Generic[R]):
    """The part of a row that is drawn by `crm_integrations/mappings/_field_choice.html`.

    `prefix` starts the ids and names of the row's controls; `field_groups` are every field of the record type, in rows
    that are open for choosing.
    """

    prefix: str
    numbers: str  # of the card and the row, for the buttons' values
    state: R
    field_title: str = ""
    field_groups: Sequence[OptionGroup] = ()
    field_print: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def field_id(self) -> str:
        """The id of the row's first control."""
        return f"{self.prefix}-field"

    @classmethod
    def place(cls, state: R, card: int, row: int | str) -> Self:
        """A row in its place."""
        return cls(f"entity-{card}-row-{row}", f"{card} {row}", state)

    @classmethod
    def to_copy(cls, state: R, card: int) -> Self:
        """The row that the script copies for a card."""
        return cls.place(state, card, "NEW")

    def offer(self, definition: CRMField | None, groups: Sequence[OptionGroup]) -> None:
        """The field as people know it, and the list to choose from."""
        self.field_title = display_title(definition) if definition else self.state.crm_field
        self.field_groups = groups if self.state.is_open else ()
