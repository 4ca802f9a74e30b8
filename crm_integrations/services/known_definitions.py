"""Record types and fields as the catalogue last read them, whatever their age, for whoever names them; asks nobody.

Each look at a card needs a few of an account's hundreds of fields, so what was parsed stays with the process until the
catalogue reads anew.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from crm_integrations.definitions import entity_type_from_json, field_from_json
from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import CRMField, EntityType
from crm_integrations.services.catalogue import ENTITY_TYPES

KEPT = 64  # snapshots a process keeps parsed; one of 400 fields takes half a megabyte


def known_entity_types(*, account_id: int | None) -> Mapping[str, EntityType]:
    """The record types, by key."""
    found = CatalogueSnapshot.objects.filter(account_id=account_id, entity_type=ENTITY_TYPES)
    stamp = found.values_list("pk", "fetched_at").first()
    return _parse_entity_types(*stamp) if stamp else {}


def known_fields(*, account_id: int | None, entity_types: Iterable[str]) -> dict[str, Mapping[str, CRMField]]:
    """The fields of these types, by type and key. A type that was never read is not in it."""
    found = CatalogueSnapshot.objects.filter(account_id=account_id, entity_type__in=list(entity_types))
    stamps = found.exclude(fetched_at=None).values_list("entity_type", "pk", "fetched_at")
    return {entity_type: _parse_fields(pk, fetched_at) for entity_type, pk, fetched_at in stamps}


def forget_parsed() -> None:
    """Parse anew, for whoever changes snapshots without reading."""
    _parse_entity_types.cache_clear()
    _parse_fields.cache_clear()


@lru_cache(maxsize=KEPT)
def _parse_entity_types(pk: int, fetched_at: datetime | None) -> Mapping[str, EntityType]:
    return {found.key: found for found in map(entity_type_from_json, _read(pk))}


@lru_cache(maxsize=KEPT)
def _parse_fields(pk: int, fetched_at: datetime) -> Mapping[str, CRMField]:
    return {found.key: found for found in map(field_from_json, _read(pk))}


def _read(pk: int) -> list[dict[str, object]]:
    """What the snapshot holds by now, which may be newer than its stamp was: then it is parsed once more."""
    definitions: list[dict[str, object]] | None
    definitions = CatalogueSnapshot.objects.filter(pk=pk).values_list("definitions", flat=True).first()
    return definitions or []
