"""The account behind a card, its record types, and what was found for the contact: one statement with every look."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration, CRMAccount, FoundRecord
from crm_integrations.providers.base import EntityType
from crm_integrations.row_sql import as_uuid, read_values, selection, table_of
from crm_integrations.services.catalogue import ENTITY_TYPES
from crm_integrations.services.known_definitions import SNAPSHOTS, parsed_entity_types, snapshot_stamp

OF_ACCOUNT = ("id", "provider", "address")
ACCOUNT_QUERY = f"""
SELECT found.entity_type, found.record_id, {{stamp}}, {{account}}
FROM {table_of(CRMAccount)} account
LEFT JOIN {SNAPSHOTS} snapshot ON snapshot.account_id = account.id AND snapshot.entity_type = %s
LEFT JOIN {table_of(FoundRecord)} found ON found.configuration_id = %s AND found.contact_id = %s
WHERE account.id = %s ORDER BY found.position, found.id
"""  # noqa: S608 - our own words only


@dataclass(frozen=True, slots=True)
class CardAccount:
    """`entity_types`: by key, as they were last read. `found`: what workflows found for the contact, in its order."""

    account: CRMAccount | None = None
    entity_types: Mapping[str, EntityType] = field(default_factory=dict)
    found: tuple[RecordReference, ...] = ()


def read_card_account(configuration: Configuration, *, contact_id: str = "") -> CardAccount:
    """The configuration's account; nothing when it has none. The account is the authentication's from here on."""
    authentication = configuration.authentication
    if authentication is None:
        return CardAccount()
    columns, stamp = selection(CRMAccount, connection.vendor, "account", OF_ACCOUNT), snapshot_stamp()
    statement = ACCOUNT_QUERY.format(account=columns.names, stamp=stamp.names)
    parameters = [ENTITY_TYPES, as_uuid(configuration.pk), contact_id, authentication.account_id]
    rows = read_values(statement, parameters)
    _entity_type, _record_id, *values = rows[0]
    pk, fetched_at = stamp.read(values[: len(stamp)])
    authentication.account = account = columns.build(values[len(stamp) :])
    return CardAccount(
        account,
        parsed_entity_types(pk, fetched_at) if pk is not None else {},
        tuple(RecordReference(entity_type, record_id) for entity_type, record_id, *_rest in rows if entity_type),
    )
