"""Zendesk's field definitions and records in the port's shapes."""

from collections.abc import Mapping

from crm_integrations.providers.base import CRMField, CRMRecord, FieldOption, FieldType
from crm_integrations.providers.zendesk.titles import INTERNAL_NOTE
from zendesk_client import FieldDefinition, Record

TYPES: dict[str, FieldType] = {
    **{kind.value: kind for kind in FieldType},
    "currency": FieldType.DECIMAL,
    "parent": FieldType.LOOKUP,
}
READ_ONLY_TYPES = frozenset({"partialcreditcard"})


def build_field(definition: FieldDefinition) -> CRMField:
    """One field of the catalogue. A type this product does not know is shown, but never offered for writing."""
    kind = TYPES.get(definition.type)
    return CRMField(
        key=definition.key,
        title=INTERNAL_NOTE if kind is FieldType.COMMENT else definition.title,
        type=kind or FieldType.TEXT,
        is_writable=definition.writable and kind is not None and definition.type not in READ_ONLY_TYPES,
        is_custom=not definition.is_system,
        is_required=definition.required,
        max_length=definition.max_length,
        pattern=definition.pattern,
        options=tuple(FieldOption(option.value, option.title) for option in definition.options),
    )


def build_definitions(types: Mapping[str, FieldType] | None) -> dict[str, FieldDefinition]:
    """What the client needs to read and write these fields in canonical form."""
    return {key: FieldDefinition(key=key, type=kind.value, title="") for key, kind in (types or {}).items()}


def build_record(record: Record, names: Mapping[str, str] | None = None) -> CRMRecord:
    """One record; `title` is the subject or name, its owner the requester of a ticket."""
    return CRMRecord(
        entity_type=record.entity_type,
        id=record.id,
        title=record.title,
        values=record.values,
        is_closed=record.is_closed,
        owner_id=str(record.body.get("requester_id") or "") if record.entity_type == "ticket" else "",
        updated_at=record.updated_at,
        names=names or {},
        created_at=str(record.body.get("created_at") or ""),
    )
