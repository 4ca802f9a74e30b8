"""A mapping editor between two page loads: everything typed, in the order shown.

The browser sends `entity-<n>-type` and `entity-<n>-row-<m>-<part>`; the numbers only tell rows apart, what counts is
the order in which they come, so a script may move rows without renaming them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.http import QueryDict

ENTITY_NAME = re.compile(r"entity-(\d{1,6})-type")
ROW_NAME = re.compile(r"entity-(\d{1,6})-row-(\d{1,6})-([a-z]{1,20})")


@dataclass
class FieldRow:
    """One row as typed: a CRM field, and in some kinds of mappings more."""

    crm_field: str = ""
    is_open: bool = False  # shows every field of the entity type, for people without scripts

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen."""
        return not self.crm_field


R = TypeVar("R", bound=FieldRow)


@dataclass
class CardState(Generic[R]):
    """One entity type with its rows."""

    entity_type: str
    rows: list[R] = field(default_factory=list)


@dataclass
class EditorState(Generic[R]):
    """The whole editor.

    `base_version` is the version that was on screen when the editor was opened; `seen_version` the one that somebody
    else saved meanwhile and that the person was told of.
    """

    name: str = ""
    description: str = ""
    is_active: bool = True
    base_version: int = 0
    seen_version: int = 0
    entities: list[CardState[R]] = field(default_factory=list)
    adding: str = ""  # what stands in Select Entity Type

    def drop_blank_rows(self) -> None:
        """Rows nobody filled in are no mistake; a card that has no other keeps one, for the message to point at."""
        for entity in self.entities:
            entity.rows = [row for row in entity.rows if not row.is_blank] or entity.rows[:1]


@dataclass(frozen=True, slots=True)
class Act:
    """The button that was pressed and the positions it speaks of; None where it speaks of none or they are gone."""

    name: str
    entity: int | None = None
    row: int | None = None


def read_post(data: QueryDict, *, build_row: Callable[[Mapping[str, str]], R]) -> tuple[EditorState[R], Act]:
    """What was typed, and the button that sent it; `build_row` makes a row of its parts by name."""
    sent = {name: str(value).replace("\0", "") for name, value in data.dict().items()}  # PostgreSQL refuses NUL
    cards: dict[str, CardState[R]] = {}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in sent.items():
        if match := ENTITY_NAME.fullmatch(name):
            cards.setdefault(match[1], CardState(value))
        elif match := ROW_NAME.fullmatch(name):
            rows.setdefault((match[1], match[2]), {})[match[3]] = value.strip()
    for (card, _row), parts in rows.items():
        if card in cards:
            cards[card].rows.append(build_row(parts))
    state = EditorState(
        name=sent.get("name", ""),
        description=sent.get("description", ""),
        is_active="is_active" in sent,
        base_version=_number(sent.get("base_version", "")),
        seen_version=_number(sent.get("seen_version", "")),
        entities=list(cards.values()),
        adding=sent.get("adding", ""),
    )
    return state, _read_act(sent.get("act", "save"), list(cards), list(rows))


def _read_act(text: str, cards: list[str], rows: list[tuple[str, str]]) -> Act:
    name, card, row = (*text.split(), "", "", "")[:3]
    if card not in cards:
        return Act(name)
    of_card = [number for owner, number in rows if owner == card]
    return Act(name, cards.index(card), of_card.index(row) if row in of_card else None)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
