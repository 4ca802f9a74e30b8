"""The account's fields as mappings need them: several entity types at once, errors as sentences."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.mapping_pages.account_fields import AccountFields, Kept
from crm_integrations.models import Authentication
from crm_integrations.providers.errors import CRMError, Reauthenticate, RecordGone
from crm_integrations.record_names import is_entity_type
from crm_integrations.services.catalogue import Reading, read_catalogue


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
    """The fields of these entity types; those in `refresh` are asked for whatever the age of what is stored.

    What no account could have is neither asked for nor stored.
    """
    catalogue, again = AccountCatalogue(), set(refresh)
    for entity_type in filter(is_entity_type, dict.fromkeys(entity_types)):
        try:
            catalogue.readings[entity_type] = _read(authentication, entity_type, refresh=entity_type in again)
        except RecordGone:
            continue
        except CRMError as error:
            catalogue.unreadable[entity_type] = explain_crm_error(error)
    return catalogue


def read_account_now(*, authentication: Authentication, entity_types: Iterable[str]) -> AccountFields:
    """The account as it is now: what could only be served from an older reading counts as unreadable."""
    types = list(dict.fromkeys(entity_types))
    catalogue = read_account_catalogue(authentication=authentication, entity_types=types, refresh=types)
    stale = {key: reading.problem for key, reading in catalogue.readings.items() if reading.problem}
    sentence = _("The account cannot be read now, so the mapping cannot be checked. The CRM says: “%(words)s”")
    unreadable = {**catalogue.unreadable, **{key: sentence % {"words": words} for key, words in stale.items()}}
    fresh = {key: reading for key, reading in catalogue.readings.items() if key not in stale}
    return AccountCatalogue(fresh, unreadable).as_fields()


def _read(authentication: Authentication | None, entity_type: str, *, refresh: bool) -> Reading:
    if authentication is None:
        raise Reauthenticate("")
    return read_catalogue(authentication=authentication, entity_type=entity_type, refresh=refresh)
