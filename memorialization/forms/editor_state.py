"""The mapping editor between two page loads: everything typed, in the order shown.

The browser sends `entity-<n>-type` and `entity-<n>-row-<m>-<part>`; the numbers only tell rows apart, what counts is
the order in which they come, so a script may move rows without renaming them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft, clean_source
from memorialization.models.mappings import RowChannel

ENTITY_NAME = re.compile(r"entity-(\d{1,6})-type")
ROW_NAME = re.compile(r"entity-(\d{1,6})-row-(\d{1,6})-(field|channel|source|variable)")


@dataclass
class RowState:
    """One row as typed: the list's choice and the free text are both kept, whichever the channel reads."""

    crm_field: str = ""
    channel: str = ""
    source: str = ""
    variable: str = ""
    is_open: bool = False  # shows every field of the entity type, for people without scripts

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen; the channel does not count, it is carried over from the row before."""
        return not (self.crm_field or self.source or self.variable)

    def as_draft(self) -> RowDraft:
        """The row as it is to be checked."""
        is_variable = self.channel == RowChannel.SCRIPT_VARIABLE
        source = clean_source(channel=self.channel, source=self.variable if is_variable else self.source)
        return RowDraft(self.crm_field, self.channel, source)


@dataclass
class EntityState:
    """One card."""

    entity_type: str
    rows: list[RowState] = field(default_factory=list)


@dataclass
class EditorState:
    """The whole editor.

    `base_version` is the version that was on screen when the editor was opened; `seen_version` the one that somebody
    else saved meanwhile and that the person was told of.
    """

    name: str = ""
    description: str = ""
    is_active: bool = True
    base_version: int = 0
    seen_version: int = 0
    entities: list[EntityState] = field(default_factory=list)
    adding: str = ""  # what stands in Select Entity Type

    def as_draft(self) -> MappingDraft:
        """The mapping as it is to be checked."""
        entities = tuple(
            EntityDraft(entity.entity_type, tuple(row.as_draft() for row in entity.rows)) for entity in self.entities
        )
        return MappingDraft(self.name.strip(), self.description.strip(), self.is_active, entities)

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


def state_from_contents(contents: MappingContents, *, version: int) -> EditorState:
    """The editor as it opens on a stored mapping."""
    entities = [
        EntityState(entity.entity_type, [_row_state(row.field.key, row.channel, row.source) for row in entity.rows])
        for entity in contents.entities
    ]
    return EditorState(contents.name, contents.description, contents.is_active, base_version=version, entities=entities)


def _row_state(crm_field: str, channel: str, source: str) -> RowState:
    if channel == RowChannel.SCRIPT_VARIABLE:
        return RowState(crm_field, channel, variable=source)
    return RowState(crm_field, channel, source=source)


def read_post(data: QueryDict) -> tuple[EditorState, Act]:
    """What was typed, and the button that sent it."""
    sent = {name: str(value).replace("\0", "") for name, value in data.dict().items()}  # PostgreSQL refuses NUL
    cards: dict[str, EntityState] = {}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in sent.items():
        if match := ENTITY_NAME.fullmatch(name):
            cards.setdefault(match[1], EntityState(value))
        elif match := ROW_NAME.fullmatch(name):
            rows.setdefault((match[1], match[2]), {})[match[3]] = value
    for (card, _row), parts in rows.items():
        if card in cards:
            cards[card].rows.append(_typed_row(parts))
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


def _typed_row(parts: Mapping[str, str]) -> RowState:
    return RowState(
        crm_field=parts.get("field", "").strip(),
        channel=parts.get("channel", ""),
        source=parts.get("source", "").strip(),
        variable=parts.get("variable", "").strip().lower(),
    )


def _read_act(text: str, cards: list[str], rows: list[tuple[str, str]]) -> Act:
    name, card, row = (*text.split(), "", "", "")[:3]
    if card not in cards:
        return Act(name)
    of_card = [number for owner, number in rows if owner == card]
    return Act(name, cards.index(card), of_card.index(row) if row in of_card else None)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
