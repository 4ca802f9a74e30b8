"""Data mappings of any kind as their tab lists them."""

from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404

from crm_integrations.definitions import display_title
from crm_integrations.models import Configuration, DataMapping
from crm_integrations.services.known_definitions import known_entity_types

M = TypeVar("M", bound=DataMapping)


def mappings_of(model: type[M], configuration: Configuration) -> QuerySet[M]:
    """Every mapping of a configuration, active ones first."""
    rows = model._default_manager.filter(configuration=configuration)
    return rows.select_related("configuration__authentication__account").order_by("-is_active", "name")


def mapping_or_404(model: type[M], configuration: Configuration, mapping_id: int) -> M:
    """The mapping, if it is one of this configuration."""
    mapping = mappings_of(model, configuration).filter(pk=mapping_id).first()
    if mapping is None:
        raise Http404
    return mapping


def entity_titles(configuration: Configuration) -> dict[str, str]:
    """The record types' names as last read from the account."""
    account_id = configuration.authentication.account_id if configuration.authentication else None
    return {key: display_title(found) for key, found in known_entity_types(account_id=account_id).items()}
