"""The fields that agents see, by record type: the active mappings' choice, in the definitions that are known now."""

from typing import Any

from crm_integrations.card_fields import CardFields
from crm_integrations.definitions import field_from_json
from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from crm_integrations.row_sql import as_uuid, read_values, table_of
from crm_integrations.services.known_definitions import SNAPSHOTS, parsed_fields, snapshot_stamp
from crm_integrations.stored_json import decode_json
from dynamic_data.models import DynamicDataMapping, ShownEntity, ShownField

# Asked with every look at a card. A definition as it was saved is needed only while the account's own are not known.
SHOWN_QUERY = f"""
SELECT entity.entity_type, shown.crm_field, CASE WHEN snapshot.id IS NULL THEN shown.definition END, {{stamp}}
FROM {table_of(DynamicDataMapping)} mapping
JOIN {table_of(ShownEntity)} entity ON entity.mapping_id = mapping.id
JOIN {table_of(ShownField)} shown ON shown.entity_id = entity.id
LEFT JOIN {SNAPSHOTS} snapshot ON snapshot.account_id = %s AND snapshot.entity_type = entity.entity_type
  AND snapshot.fetched_at IS NOT NULL
WHERE mapping.configuration_id = %s AND mapping.is_active
ORDER BY entity.position, entity.id, shown.position
"""  # noqa: S608 - our own words only


def shown_fields(configuration: Configuration) -> CardFields:
    """In the order chosen, in one query. A field that the account is known to have no more is left out."""
    account_id = configuration.authentication.account_id if configuration.authentication else None
    stamp = snapshot_stamp()
    chosen: dict[str, list[CRMField]] = {}
    rows = read_values(SHOWN_QUERY.format(stamp=stamp.names), [account_id, as_uuid(configuration.pk)])
    for entity_type, key, saved, *values in rows:
        fields = chosen.setdefault(entity_type, [])
        definition = _newest(key, saved, stamp.read(values))
        if definition is not None:
            fields.append(definition)
    return chosen


def _newest(key: str, saved: str | None, stamp: tuple[Any, ...]) -> CRMField | None:
    """The account's own definition, whose title and options may be newer than those the mapping was saved with."""
    return field_from_json(decode_json(saved)) if saved is not None else parsed_fields(*stamp).get(key)
