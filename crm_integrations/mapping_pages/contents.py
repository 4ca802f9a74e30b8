"""What a mapping says, as data: its head, and rows by record type. What a row is, each kind says itself. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True)
class EntityRows(Generic[R]):
    """The rows of one record type, in their order."""

    entity_type: str
    rows: tuple[R, ...]


@dataclass(frozen=True)
class Contents(Generic[R]):
    """All that can be said of a mapping: as it is stored, or as somebody wants it before anything is checked."""

    name: str
    description: str
    is_active: bool
    entities: tuple[EntityRows[R], ...]

    @property
    def entity_types(self) -> list[str]:
        """The record types named, each once."""
        return list(dict.fromkeys(entity.entity_type for entity in self.entities))

    @property
    def row_count(self) -> int:
        """The rows of all record types."""
        return sum(len(entity.rows) for entity in self.entities)

    def convert_rows(self, convert: Callable[[R], S]) -> "Contents[S]":
        """The same with other rows."""
        entities = tuple(EntityRows(entity.entity_type, tuple(map(convert, entity.rows))) for entity in self.entities)
        return Contents(self.name, self.description, self.is_active, entities)
