"""The fields of an account as drafts of mappings are checked against them, and when a stored field no longer holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_integrations.providers.base import CRMField

NAME_LIMIT = 100  # characters, as DataMapping
DESCRIPTION_LIMIT = 1000

FieldsByKey = Mapping[str, CRMField]
Kept = Mapping[tuple[str, str], CRMField]
"""(entity type, field key) → the definition that a stored mapping was saved with."""


@dataclass(frozen=True)
class AccountFields:
    """What the account offers, as far as it could be read: fields by entity type, and why others could not be."""

    by_type: Mapping[str, FieldsByKey]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    kept: Kept = field(default_factory=dict)
    """Definitions that the stored mapping already has: its rows survive a field that is gone, flagged."""

    def find(self, entity_type: str, key: str) -> CRMField | None:
        """The field as the account has it now."""
        return self.by_type.get(entity_type, {}).get(key)


def find_definition(entity_type: str, key: str, fields: AccountFields) -> CRMField | None:
    """The field as the account has it now, else as the stored mapping knows it."""
    return fields.find(entity_type, key) or fields.kept.get((entity_type, key))


def has_changed_type(entity_type: str, key: str, fields: AccountFields) -> bool:
    """Whether the CRM changed the field's type since the mapping was saved."""
    known, kept = fields.find(entity_type, key), fields.kept.get((entity_type, key))
    return known is not None and kept is not None and known.type != kept.type
