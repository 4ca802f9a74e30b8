"""Entity types and field definitions as JSON, and as people read them.

Stored definitions keep the product's own titles in English; `display_title` says them in the reader's language.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext

from crm_integrations.providers.base import CRMField, EntityType, FieldOption, FieldType


def field_as_json(definition: CRMField) -> dict[str, Any]:
    """A field definition as a JSON object."""
    return asdict(definition)


def field_from_json(stored: Mapping[str, Any]) -> CRMField:
    """The field definition behind a JSON object; keys that later versions add are ignored."""
    known = {name: stored[name] for name in CRMField.__dataclass_fields__ if name in stored}
    known["type"] = FieldType(known["type"])
    known["options"] = tuple(FieldOption(**option) for option in known.get("options", ()))
    return CRMField(**known)


def entity_type_as_json(entity_type: EntityType) -> dict[str, Any]:
    """An entity type as a JSON object."""
    return asdict(entity_type)


def entity_type_from_json(stored: Mapping[str, Any]) -> EntityType:
    """The entity type behind a JSON object; keys that later versions add are ignored."""
    return EntityType(**{name: stored[name] for name in EntityType.__dataclass_fields__ if name in stored})


def display_title(definition: CRMField | EntityType) -> str:
    """The title in the reader's language; what people named in their CRM stays as they wrote it."""
    return _translated(definition.title, definition.is_custom)


def display_title_plural(entity_type: EntityType) -> str:
    """The same for several records."""
    return _translated(entity_type.title_plural, entity_type.is_custom)


def title_of_key(entity_type: str) -> str:
    """What an entity type is called while its account was never read: `ticket` → Ticket, `custom_object:car` → Car."""
    word = entity_type.rpartition(":")[2].replace("_", " ").capitalize()
    return gettext(word) if word else entity_type


def _translated(title: str, is_custom: bool) -> str:
    return title if is_custom or not title else gettext(title)
