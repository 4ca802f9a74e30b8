"""What agents see in the demo: fields of its account by key, or by the titles they have there."""

from collections.abc import Mapping, Sequence

from crm_integrations.card_fields import FIELDS_LIMIT
from crm_integrations.models import Configuration, User
from crm_integrations.providers.base import CRMField
from crm_integrations.services.catalogue import read_fields
from dynamic_data.mappings.contents import EntityDraft, MappingDraft
from dynamic_data.models import DynamicDataMapping
from dynamic_data.services.mappings import create_mapping

NAME = "Customer card"
DESCRIPTION = "Made for the demo: what agents see while they talk. Change it as you like."
WISHES: Mapping[str, tuple[str, ...]] = {
    "ticket": ("status", "priority", "requester_id", "Disposition", "Call notes"),
    "user": ("phone", "email", "organization_id", "last_agent", "last_call"),
}


def add_demo_mapping(configuration: Configuration, actor: User) -> None:
    """The mapping of the demo's card, unless there is one. What the account does not have is left out."""
    authentication = configuration.authentication
    if authentication is None or DynamicDataMapping.objects.filter(configuration=configuration).exists():
        return
    entities = tuple(
        EntityDraft(
            entity_type, _find_keys(wishes, read_fields(authentication=authentication, entity_type=entity_type))
        )
        for entity_type, wishes in WISHES.items()
    )
    create_mapping(configuration=configuration, draft=MappingDraft(NAME, DESCRIPTION, True, entities), actor=actor)


def _find_keys(wishes: Sequence[str], fields: Sequence[CRMField]) -> tuple[str, ...]:
    found = [field.key for wish in wishes for field in fields if wish in (field.key, field.title)]
    return tuple(dict.fromkeys(found))[:FIELDS_LIMIT]
