"""Record types and fields as the catalogue last read them, whatever their age, for whoever names them; asks nobody.

Each look at a card needs a few of an account's hundreds of fields, so what was parsed stays with the process until the
catalogue reads anew.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.db import connection

from crm_integrations.definitions import entity_type_from_json, field_from_json
from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import CRMField, EntityType
from crm_integrations.row_sql import Selection, selection, table_of
from crm_integrations.services.catalogue import ENTITY_TYPES

KEPT = 64  # snapshots a process keeps parsed; one of 400 fields takes half a megabyte
SNAPSHOTS = table_of(CatalogueSnapshot)


def known_entity_types(*, account_id: int | None) -> Mapping[str, EntityType]:
    """The record types, by key."""
    found = CatalogueSnapshot.objects.filter(account_id=account_id, entity_type=ENTITY_TYPES)
    stamp = found.values_list("pk", "fetched_at").first()
    return parsed_entity_types(*stamp) if stamp else {}


def snapshot_stamp() -> Selection[CatalogueSnapshot]:
    """What `parsed_…` take, in a statement where the table is called `snapshot`."""
    return selection(CatalogueSnapshot, connection.vendor, "snapshot", ("id", "fetched_at"))


@lru_cache(maxsize=KEPT)
def parsed_fields(pk: int, fetched_at: datetime) -> Mapping[str, CRMField]:
    """The fields of a snapshot as it was read then, by key."""
    return {found.key: found for found in map(field_from_json, _read(pk))}


def forget_parsed() -> None:
    """Parse anew, for whoever changes snapshots without reading."""
    parsed_entity_types.cache_clear()
    parsed_fields.cache_clear()


@lru_cache(maxsize=KEPT)
def parsed_entity_types(pk: int, fetched_at: datetime | None) -> Mapping[str, EntityType]:
    """The record types of a snapshot as it was read then, by key."""
    return {found.key: found for found in map(entity_type_from_json, _read(pk))}


def _read(pk: int) -> list[dict[str, object]]:
    """What the snapshot holds by now, which may be newer than its stamp was: then it is parsed once more."""
    definitions: list[dict[str, object]] | None
    definitions = CatalogueSnapshot.objects.filter(pk=pk).values_list("definitions", flat=True).first()
    return definitions or []
