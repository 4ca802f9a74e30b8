"""What the editor's buttons do when the server does it: without scripts, each is a form that comes back changed."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from memorialization.forms.editor_state import Act, EditorState, EntityState, RowState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a button left behind: where to go on, and a sentence when it refused."""

    focus: str = ""
    problem: str = ""


def apply_act(state: EditorState, act: Act) -> Outcome:
    """Change the state as the button says; an unknown one, or one whose row is gone, changes nothing."""
    if act.name in ON_PAGE:
        return ON_PAGE[act.name](state)
    if act.entity is None:
        return Outcome()
    if act.name in ON_CARD:
        return ON_CARD[act.name](state, act.entity)
    if act.name in ON_ROW and act.row is not None:
        return ON_ROW[act.name](state, act.entity, act.row)
    return Outcome()


def row_id(entity: int, row: int, part: str = "field") -> str:
    """The id of a control of a row as the page is rendered next."""
    return f"entity-{entity}-row-{row}-{part}"


def add_entity(state: EditorState) -> Outcome:
    """A new card at the end with one empty row; each entity type once."""
    if not state.adding:
        return Outcome("adding", _("Select an entity type first."))
    if any(entity.entity_type == state.adding for entity in state.entities):
        return Outcome("adding", _("This mapping already has this entity type. Add its fields there."))
    state.entities.append(EntityState(state.adding, [RowState()]))
    state.adding = ""
    return Outcome(row_id(len(state.entities) - 1, 0))


def remove_entity(state: EditorState, entity: int) -> Outcome:
    """The card goes with its rows; nothing is lost before Save."""
    del state.entities[entity]
    return Outcome("adding")


def add_field(state: EditorState, entity: int) -> Outcome:
    """A new row at the end, with the channel of the row before; one that is still blank is offered instead."""
    rows = state.entities[entity].rows
    if not rows or not rows[-1].is_blank:
        rows.append(RowState(channel=rows[-1].channel if rows else ""))
    return Outcome(row_id(entity, len(rows) - 1))


def remove_row(state: EditorState, entity: int, row: int) -> Outcome:
    """The row goes; the next one takes the focus."""
    rows = state.entities[entity].rows
    del rows[row]
    return Outcome(row_id(entity, min(row, len(rows) - 1)) if rows else "")


def move_row(state: EditorState, entity: int, row: int, *, by: int) -> Outcome:
    """One place up or down, within its card."""
    rows = state.entities[entity].rows
    target = row + by
    if 0 <= target < len(rows):
        rows.insert(target, rows.pop(row))
    return Outcome(row_id(entity, min(max(target, 0), len(rows) - 1)))


def open_row(state: EditorState, entity: int, row: int) -> Outcome:
    """Offer every field of the entity type in this row."""
    state.entities[entity].rows[row].is_open = True
    return Outcome(row_id(entity, row))


ON_PAGE: dict[str, Callable[[EditorState], Outcome]] = {"add-entity": add_entity}
ON_CARD: dict[str, Callable[[EditorState, int], Outcome]] = {"add-field": add_field, "remove-entity": remove_entity}
ON_ROW: dict[str, Callable[[EditorState, int, int], Outcome]] = {
    "remove-row": remove_row,
    "move-up": lambda state, entity, row: move_row(state, entity, row, by=-1),
    "move-down": lambda state, entity, row: move_row(state, entity, row, by=1),
    "open-row": open_row,
}
