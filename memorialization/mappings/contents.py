"""What a mapping says, as data: the shape of `MappingVersion.contents` and what planning reads.

Pure: no database, no HTTP. Field definitions travel with the rows, so a delivery is planned from the version alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crm_integrations.definitions import field_as_json, field_from_json
from crm_integrations.mapping_pages.contents import Contents, EntityRows
from crm_integrations.providers.base import CRMField

__all__ = ["EntityContents", "MappingContents", "Row", "field_as_json", "field_from_json"]


@dataclass(frozen=True, slots=True)
class Row:
    """CRM field ← channel · source. `channel` is a `RowChannel` value; `source` a source field key or variable name."""

    field: CRMField
    channel: str
    source: str


EntityContents = EntityRows[Row]


class MappingContents(Contents[Row]):
    """One version of a mapping."""

    def as_json(self) -> dict[str, Any]:
        """What is stored in `MappingVersion.contents`."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "MappingContents":
        """The version behind a stored object."""
        return cls(
            name=stored["name"],
            description=stored["description"],
            is_active=stored["is_active"],
            entities=tuple(_entity_from_json(entity) for entity in stored["entities"]),
        )


def _entity_from_json(stored: Mapping[str, Any]) -> EntityContents:
    rows = tuple(
        Row(field=field_from_json(row["field"]), channel=row["channel"], source=row["source"]) for row in stored["rows"]
    )
    return EntityContents(entity_type=stored["entity_type"], rows=rows)
