"""Record types and fields as the catalogue last read them, whatever their age, for whoever names them; asks nobody.

Each look at a card needs a few of an account's hundreds of fields, so what was parsed stays with the process until the
catalogue reads anew.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.db import connection

from crm_integrations.definitions import entity_type_from_json, field_from_json
from crm_integrations.models import CatalogueSnapshot, CRMAccount
from crm_integrations.providers.base import CRMField, EntityType
from crm_integrations.row_sql import Selection, read_values, selection, table_of
from crm_integrations.services.catalogue import ENTITY_TYPES

KEPT = 64  # snapshots a process keeps parsed; one of 400 fields takes half a megabyte
SNAPSHOTS = table_of(CatalogueSnapshot)
OF_ACCOUNT = ("id", "provider", "address")
ACCOUNT_QUERY = f"""
SELECT {{account}}, {{stamp}} FROM {table_of(CRMAccount)} account
LEFT JOIN {SNAPSHOTS} snapshot ON snapshot.account_id = account.id AND snapshot.entity_type = %s
WHERE account.id = %s
"""  # noqa: S608 - our own words only


def known_entity_types(*, account_id: int | None) -> Mapping[str, EntityType]:
    """The record types, by key."""
    found = CatalogueSnapshot.objects.filter(account_id=account_id, entity_type=ENTITY_TYPES)
    stamp = found.values_list("pk", "fetched_at").first()
    return _parse_entity_types(*stamp) if stamp else {}


def known_account(*, account_id: int) -> tuple[CRMAccount, Mapping[str, EntityType]]:
    """The account's kind and address, and its record types, for every look at a card by one statement."""
    columns, stamp = selection(CRMAccount, connection.vendor, "account", OF_ACCOUNT), snapshot_stamp()
    statement = ACCOUNT_QUERY.format(account=columns.names, stamp=stamp.names)
    [values] = read_values(statement, [ENTITY_TYPES, account_id])
    pk, fetched_at = stamp.read(values[len(columns) :])
    return columns.build(values[: len(columns)]), _parse_entity_types(pk, fetched_at) if pk is not None else {}


def snapshot_stamp() -> Selection[CatalogueSnapshot]:
    """What `parsed_fields` takes, in a statement where the table is called `snapshot`."""
    return selection(CatalogueSnapshot, connection.vendor, "snapshot", ("id", "fetched_at"))


@lru_cache(maxsize=KEPT)
def parsed_fields(pk: int, fetched_at: datetime) -> Mapping[str, CRMField]:
    """The fields of a snapshot as it was read then, by key."""
    return {found.key: found for found in map(field_from_json, _read(pk))}


def forget_parsed() -> None:
    """Parse anew, for whoever changes snapshots without reading."""
    _parse_entity_types.cache_clear()
    parsed_fields.cache_clear()


@lru_cache(maxsize=KEPT)
def _parse_entity_types(pk: int, fetched_at: datetime | None) -> Mapping[str, EntityType]:
    return {found.key: found for found in map(entity_type_from_json, _read(pk))}


def _read(pk: int) -> list[dict[str, object]]:
    """What the snapshot holds by now, which may be newer than its stamp was: then it is parsed once more."""
    definitions: list[dict[str, object]] | None
    definitions = CatalogueSnapshot.objects.filter(pk=pk).values_list("definitions", flat=True).first()
    return definitions or []
