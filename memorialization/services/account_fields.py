"""The account's fields as mappings need them: several entity types at once, errors as sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMField
from crm_integrations.providers.errors import CRMError, Reauthenticate, RecordGone
from crm_integrations.services.catalogue import Reading, read_catalogue
from memorialization.events.values import ValueRefused, read_entity_type
from memorialization.mappings.checks import AccountFields

Kept = Mapping[tuple[str, str], CRMField]


@dataclass
class AccountCatalogue:
    """Readings by entity type, and a sentence for each that could not be read; types that are gone are in neither."""

    readings: dict[str, Reading] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def as_fields(self, kept: Kept | None = None) -> AccountFields:
        """The shape that the rules check against."""
        by_type = {
            entity_type: {found.key: found for found in reading.fields}
            for entity_type, reading in self.readings.items()
        }
        return AccountFields(by_type, self.unreadable, kept or {})


def read_account_catalogue(
    *, authentication: Authentication | None, entity_types: Iterable[str], refresh: Iterable[str] = ()
) -> AccountCatalogue:
    """The fields of these entity types; those in `refresh` are asked for whatever the age of what is stored."""
    catalogue, again = AccountCatalogue(), set(refresh)
    for entity_type in filter(_can_exist, dict.fromkeys(entity_types)):
        try:
            catalogue.readings[entity_type] = _read(authentication, entity_type, refresh=entity_type in again)
        except RecordGone:
            continue
        except CRMError as error:
            catalogue.unreadable[entity_type] = explain_crm_error(error)
    return catalogue


def _can_exist(entity_type: str) -> bool:
    """Whether any account could have it; anything else that was typed is neither asked for nor stored."""
    try:
        return bool(read_entity_type(entity_type))
    except ValueRefused:
        return False


def _read(authentication: Authentication | None, entity_type: str, *, refresh: bool) -> Reading:
    if authentication is None:
        raise Reauthenticate("")
    return read_catalogue(authentication=authentication, entity_type=entity_type, refresh=refresh)
