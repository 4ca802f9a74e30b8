"""Which record a pasted address opens: read off the addresses that the provider itself would give."""

from urllib.parse import unquote, urlsplit

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration
from crm_integrations.record_names import is_record_id
from crm_integrations.selectors.configurations import find_provider
from crm_integrations.services.known_definitions import known_entity_types

MARK = "RECORD-ID-STANDS-HERE"


def find_by_address(configuration: Configuration, pasted: str) -> RecordReference | None:
    """The record behind a link of the account's pages; None when it is no such link. Asks nobody."""
    provider, authentication = find_provider(configuration), configuration.authentication
    if provider is None or authentication is None:
        return None
    try:
        path = urlsplit(pasted.strip()).path
    except ValueError:
        return None
    account = authentication.account
    for entity_type in known_entity_types(account_id=account.pk):
        address = provider.record_url(account.address, configuration.external_domain, entity_type, MARK)
        before, _mark, after = urlsplit(address).path.partition(MARK)
        record_id = unquote(path.removeprefix(before).removesuffix(after).partition("/")[0])
        if path.startswith(before) and is_record_id(record_id):
            return RecordReference(entity_type, record_id)
    return None
