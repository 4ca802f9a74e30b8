"""CRM records as the ledger names them: the type in words, the id, and where a person opens it in the CRM."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Prefetch, QuerySet

from crm_integrations.definitions import display_title, entity_type_from_json
from crm_integrations.models import CatalogueSnapshot, Configuration, CRMAccount
from crm_integrations.providers.base import EntityType
from crm_integrations.selectors.configurations import find_provider
from crm_integrations.services.catalogue import ENTITY_TYPES
from memorialization.models import Delivery

Row = TypeVar("Row", bound=Model)
SECRETS = ("authentication__access_token", "authentication__refresh_token")  # no page's business
Titles = Mapping[int, Mapping[str, EntityType]]
"""Entity types by account and key, as last read."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """A record in words; `url` is empty when it has no id or its kind of CRM is not installed any more."""

    type_title: str
    id: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.type_title} {self.id}".strip()


class RecordNames:
    """Names records of several accounts with one query, whatever their number."""

    def __init__(self, accounts: Iterable[CRMAccount | None]) -> None:
        self._titles = entity_type_titles({account.pk for account in accounts if account is not None})

    def title(self, account: CRMAccount | None, entity_type: str) -> str:
        """The entity type in the reader's language; its key when the account never said its title."""
        found = self._titles.get(account.pk, {}).get(entity_type) if account else None
        return display_title(found) if found else _readable_key(entity_type)

    def name(self, configuration: Configuration, account: CRMAccount | None, entity_type: str, pk: str) -> RecordName:
        """A record of this account, opened the way the configuration says."""
        return RecordName(self.title(account, entity_type), pk, record_url(configuration, account, entity_type, pk))

    def name_of(self, delivery: Delivery) -> RecordName:
        """The record of a delivery; without one, the type alone."""
        account = account_of(delivery)
        return self.name(delivery.configuration, account, delivery.entity_type, delivery.record_id)


def with_configurations(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Rows with their configurations and accounts, each of which is read once however many rows share it."""
    configurations = Configuration.objects.select_related("authentication__account").defer(*SECRETS)
    return rows.prefetch_related(Prefetch("configuration", configurations))


def record_names(deliveries: Iterable[Delivery]) -> RecordNames:
    """Names for the records of these deliveries."""
    return RecordNames(account_of(delivery) for delivery in deliveries)


def account_of(delivery: Delivery) -> CRMAccount | None:
    """The account the record lives in: its lane's, else the one its configuration uses now."""
    return delivery.lane.account if delivery.lane else configuration_account(delivery.configuration)


def configuration_account(configuration: Configuration) -> CRMAccount | None:
    """The account a configuration uses now."""
    return configuration.authentication.account if configuration.authentication else None


def record_url(configuration: Configuration, account: CRMAccount | None, entity_type: str, record_id: str) -> str:
    """Where a person opens the record; the external domain belongs to the account that the configuration uses now."""
    provider = find_provider(configuration)
    if provider is None or account is None or not record_id:
        return ""
    domain = configuration.external_domain if account == configuration_account(configuration) else ""
    return provider.record_url(account.address, domain, entity_type, record_id)


def _readable_key(entity_type: str) -> str:
    return entity_type.rpartition(":")[2].replace("_", " ").capitalize()


def entity_type_titles(account_ids: Iterable[int]) -> Titles:
    """What the accounts call their entity types; asks no CRM."""
    snapshots = CatalogueSnapshot.objects.filter(account__in=list(account_ids), entity_type=ENTITY_TYPES)
    return {
        snapshot.account_id: {
            found.key: found for found in (entity_type_from_json(stored) for stored in snapshot.definitions)
        }
        for snapshot in snapshots
    }
