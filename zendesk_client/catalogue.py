"""Turns Zendesk's lists of field definitions into ``FieldDefinition``.

Inactive fields are left out: their values can neither be seen nor written by agents. Which fields can be written:
``agent_can_edit`` for ticket fields, ``readonly`` (roll-ups) and ``system`` for the others, never a credit card.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from zendesk_client.fields import (
    CUSTOM_FIELD_PREFIX,
    OBJECT_PROPERTIES,
    TEXT_MAX_LENGTH,
    TICKET_PROPERTIES,
    TICKET_SYSTEM_FIELDS,
    FieldDefinition,
    FieldOption,
    build_custom_key,
)

STANDARD_PREFIX = "standard::"
NEVER_WRITABLE = frozenset({"partialcreditcard"})
TYPE_NAMES = {"tagger": "dropdown"}  # tickets say tagger, everything else dropdown
CUSTOM_TYPES = frozenset(
    ("text", "textarea", "regexp", "checkbox", "date", "integer", "decimal", "currency", "partialcreditcard")
    + ("multiselect", "tagger", "dropdown", "lookup", "parent")
)
LENGTHS = {"text": TEXT_MAX_LENGTH, "textarea": TEXT_MAX_LENGTH, "regexp": TEXT_MAX_LENGTH}


def read_ticket_fields(listed: Iterable[Mapping[str, Any]]) -> list[FieldDefinition]:
    """Return the fields of a ticket, in the account's order, then the properties no list mentions."""
    read: dict[str, FieldDefinition] = {}
    for field in listed:
        if field.get("active") is False or not field.get("id"):
            continue
        definition = _read_ticket_field(field)
        read.setdefault(definition.key, definition)
    for definition in TICKET_PROPERTIES:
        read.setdefault(definition.key, definition)
    return list(read.values())


def read_keyed_fields(
    listed: Iterable[Mapping[str, Any]], container: str, properties: Iterable[FieldDefinition]
) -> list[FieldDefinition]:
    """Return the system ``properties`` of a user or organization, then the account's own fields."""
    custom = [_read_keyed_field(field, container) for field in listed if _is_usable(field)]
    return [*properties, *custom]


def read_object_fields(listed: Iterable[Mapping[str, Any]]) -> list[FieldDefinition]:
    """Return the fields of a custom object: name, external id and stamps first, then its own."""
    usable = [field for field in listed if _is_usable(field)]
    standard = {str(field["key"])[len(STANDARD_PREFIX) :]: field for field in usable if _is_standard(field)}
    properties = [
        _adopt_standard(definition, standard[definition.key]) if definition.key in standard else definition
        for definition in OBJECT_PROPERTIES
    ]
    custom = [_read_keyed_field(field, "custom_object_fields") for field in usable if not _is_standard(field)]
    return [*properties, *custom]


def _read_ticket_field(field: Mapping[str, Any]) -> FieldDefinition:
    zendesk_type = _text(field.get("type"))
    is_editable = field.get("agent_can_edit") is not False
    system = TICKET_SYSTEM_FIELDS.get(zendesk_type)
    if system is not None:
        return replace(
            system,
            title=_text(field.get("title")) or system.title,
            options=_read_options(field),
            required=field.get("required") is True,
            writable=system.writable and is_editable,
        )
    return _read_custom(field, f"{CUSTOM_FIELD_PREFIX}{field['id']}", is_editable)


def _read_keyed_field(field: Mapping[str, Any], container: str) -> FieldDefinition:
    is_editable = field.get("readonly") is not True and field.get("system") is not True
    return _read_custom(field, build_custom_key(container, str(field["key"])), is_editable)


def _read_custom(field: Mapping[str, Any], key: str, is_editable: bool) -> FieldDefinition:
    zendesk_type = _text(field.get("type"))
    return FieldDefinition(
        key=key,
        type=TYPE_NAMES.get(zendesk_type, zendesk_type),
        title=_text(field.get("title")) or key,
        options=_read_options(field),
        max_length=LENGTHS.get(zendesk_type),
        pattern=_text(field.get("regexp_for_validation")),
        required=field.get("required") is True,
        writable=is_editable and zendesk_type in CUSTOM_TYPES - NEVER_WRITABLE,
        relationship_target=_text(field.get("relationship_target_type")),
    )


def _adopt_standard(definition: FieldDefinition, field: Mapping[str, Any]) -> FieldDefinition:
    properties = field.get("properties")
    is_numbered = isinstance(properties, dict) and properties.get("autoincrement_enabled") is True
    return replace(
        definition,
        title=_text(field.get("title")) or definition.title,
        required=field.get("required") is True and not is_numbered,
        writable=definition.writable and not is_numbered and field.get("readonly") is not True,
    )


def _read_options(field: Mapping[str, Any]) -> tuple[FieldOption, ...]:
    statuses = [status for status in _dicts(field.get("custom_statuses")) if status.get("active") is not False]
    if statuses:
        return tuple(FieldOption(str(status.get("id")), _text(status.get("agent_label"))) for status in statuses)
    listed = _dicts(field.get("custom_field_options")) or _dicts(field.get("system_field_options"))
    return tuple(
        FieldOption(str(option["value"]), _text(option.get("name")) or str(option["value"]))
        for option in listed
        if option.get("value") not in (None, "")
    )


def _is_usable(field: Mapping[str, Any]) -> bool:
    return field.get("active") is not False and isinstance(field.get("key"), str) and bool(field["key"])


def _is_standard(field: Mapping[str, Any]) -> bool:
    return str(field["key"]).startswith(STANDARD_PREFIX)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
