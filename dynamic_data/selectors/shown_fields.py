"""The fields that agents see, by record type: the active mappings' choice, in the definitions that are known now."""

from collections.abc import Mapping

from crm_integrations.card_fields import CardFields
from crm_integrations.definitions import field_from_json
from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from crm_integrations.services.known_definitions import known_fields
from dynamic_data.models import ShownField


def shown_fields(configuration: Configuration) -> CardFields:
    """In the order chosen, in two queries. A field that the account is known to have no more is left out."""
    rows = ShownField.objects.filter(
        entity__mapping__configuration=configuration, entity__mapping__is_active=True
    ).order_by("entity__position", "entity_id", "position")
    chosen: dict[str, list[CRMField]] = {}
    for entity_type, definition in rows.values_list("entity__entity_type", "definition"):
        chosen.setdefault(entity_type, []).append(field_from_json(definition))
    account_id = configuration.authentication.account_id if configuration.authentication else None
    known = known_fields(account_id=account_id, entity_types=list(chosen)) if chosen else {}
    return {entity_type: _newest(fields, known.get(entity_type)) for entity_type, fields in chosen.items()}


def _newest(fields: list[CRMField], known: Mapping[str, CRMField] | None) -> list[CRMField]:
    """The account's own definitions, whose titles and options may be newer than those the mapping was saved with."""
    return fields if known is None else [known[field.key] for field in fields if field.key in known]
