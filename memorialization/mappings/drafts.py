"""A mapping as somebody wants it, before anything is checked: what the editor and configuration files hand over."""

from dataclasses import dataclass

from memorialization.mappings.contents import MappingContents
from memorialization.models.mappings import RowChannel

VARIABLE_LIMIT = 200  # characters of a script variable's name


@dataclass(frozen=True, slots=True)
class RowDraft:
    """One row as typed; `source` is a source field's key or a script variable's name."""

    crm_field: str
    channel: str
    source: str


@dataclass(frozen=True, slots=True)
class EntityDraft:
    """One record type with its rows."""

    entity_type: str
    rows: tuple[RowDraft, ...]


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """All that can be said of a mapping."""

    name: str
    description: str
    is_active: bool
    entities: tuple[EntityDraft, ...]

    @property
    def entity_types(self) -> list[str]:
        """The record types named, each once."""
        return list(dict.fromkeys(entity.entity_type for entity in self.entities))


def clean_source(*, channel: str, source: str) -> str:
    """Script variables are kept in lower case whatever was typed (product page §4)."""
    stripped = source.strip()
    return stripped.lower() if channel == RowChannel.SCRIPT_VARIABLE else stripped


def draft_from_contents(contents: MappingContents) -> MappingDraft:
    """The draft that would be saved as these contents."""
    entities = tuple(
        EntityDraft(entity.entity_type, tuple(RowDraft(row.field.key, row.channel, row.source) for row in entity.rows))
        for entity in contents.entities
    )
    return MappingDraft(contents.name, contents.description, contents.is_active, entities)
