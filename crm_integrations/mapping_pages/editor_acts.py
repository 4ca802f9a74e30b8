"""What the editor's buttons do when the server does it: without scripts, each is a form that comes back changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_integrations.mapping_pages.editor_state import Act, CardState, EditorState, FieldRow
from crm_integrations.problems import Path, Problem

R = TypeVar("R", bound=FieldRow)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a button left behind: where to go on, and what it refused."""

    focus: str = ""
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EditorActs(Generic[R]):
    """The buttons of one kind of mappings. `new_row` makes a row after another one, or the first of a card."""

    new_row: Callable[[R | None], R]
    rows_limit: int | None = None  # of one card

    def apply(self, state: EditorState[R], act: Act) -> Outcome:
        """Change the state as the button says; an unknown one, or one whose row is gone, changes nothing."""
        if act.name == "add-entity":
            return self._add_entity(state)
        if act.entity is None:
            return Outcome()
        if act.name == "add-field":
            return self._add_field(state, act.entity)
        if act.name == "remove-entity":
            del state.entities[act.entity]  # with its rows; nothing is lost before Save
            return Outcome("adding")
        if act.name in ON_ROW and act.row is not None:
            return ON_ROW[act.name](state.entities[act.entity].rows, act.entity, act.row)
        return Outcome()

    def _add_entity(self, state: EditorState[R]) -> Outcome:
        """A new card at the end with one empty row; each entity type once."""
        if not state.adding:
            return _refused("adding", ("adding",), _("Select an entity type first."))
        if any(entity.entity_type == state.adding for entity in state.entities):
            sentence = _("This mapping already has this entity type. Add its fields there.")
            return _refused("adding", ("adding",), sentence)
        state.entities.append(CardState(state.adding, [self.new_row(None)]))
        state.adding = ""
        return Outcome(row_id(len(state.entities) - 1, 0))

    def _add_field(self, state: EditorState[R], entity: int) -> Outcome:
        """A new row at the end; one that is still blank is offered instead."""
        rows = state.entities[entity].rows
        if not rows or not rows[-1].is_blank:
            if self.rows_limit is not None and len(rows) >= self.rows_limit:
                return _refused("", ("entities", entity, "fields"), say_too_many(self.rows_limit))
            rows.append(self.new_row(rows[-1] if rows else None))
        return Outcome(row_id(entity, len(rows) - 1))


def say_too_many(limit: int) -> str:
    """Why a record type takes no more fields."""
    return ngettext(
        "A record type has at most %(limit)s field. Remove one first.",
        "A record type has at most %(limit)s fields. Remove one first.",
        limit,
    ) % {"limit": limit}


def row_id(entity: int, row: int, part: str = "field") -> str:
    """The id of a control of a row as the page is rendered next."""
    return f"entity-{entity}-row-{row}-{part}"


def _refused(focus: str, path: Path, sentence: str) -> Outcome:
    return Outcome(focus, [Problem(path, sentence)])


def _remove_row(rows: list[R], entity: int, row: int) -> Outcome:
    """The row goes; the next one takes the focus."""
    del rows[row]
    return Outcome(row_id(entity, min(row, len(rows) - 1)) if rows else "")


def _move_row(rows: list[R], entity: int, row: int, *, by: int) -> Outcome:
    """One place up or down, within its card."""
    target = row + by
    if 0 <= target < len(rows):
        rows.insert(target, rows.pop(row))
    return Outcome(row_id(entity, min(max(target, 0), len(rows) - 1)))


def _open_row(rows: list[R], entity: int, row: int) -> Outcome:
    """Offer every field of the entity type in this row."""
    rows[row].is_open = True
    return Outcome(row_id(entity, row))


ON_ROW: dict[str, Callable[[list[Any], int, int], Outcome]] = {
    "remove-row": _remove_row,
    "move-up": lambda rows, entity, row: _move_row(rows, entity, row, by=-1),
    "move-down": lambda rows, entity, row: _move_row(rows, entity, row, by=1),
    "open-row": _open_row,
}
