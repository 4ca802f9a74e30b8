"""What a dynamic data mapping says, as data, and as somebody wants it before anything is checked. Pure."""

from dataclasses import dataclass

from crm_integrations.providers.base import CRMField


@dataclass(frozen=True, slots=True)
class EntityContents:
    """The fields of one record type, in the order shown."""

    entity_type: str
    fields: tuple[CRMField, ...]


@dataclass(frozen=True, slots=True)
class MappingContents:
    """A mapping that can be stored."""

    name: str
    description: str
    is_active: bool
    entities: tuple[EntityContents, ...]


@dataclass(frozen=True, slots=True)
class EntityDraft:
    """One record type with the keys of its fields."""

    entity_type: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """What the editor and configuration files hand over."""

    name: str
    description: str
    is_active: bool
    entities: tuple[EntityDraft, ...]

    @property
    def entity_types(self) -> list[str]:
        """The record types named, each once."""
        return list(dict.fromkeys(entity.entity_type for entity in self.entities))


def draft_from_contents(contents: MappingContents) -> MappingDraft:
    """The draft that would be saved as these contents."""
    entities = tuple(
        EntityDraft(entity.entity_type, tuple(field.key for field in entity.fields)) for entity in contents.entities
    )
    return MappingDraft(contents.name, contents.description, contents.is_active, entities)
