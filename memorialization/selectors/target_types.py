"""Record types that a configuration's active mappings write to, with their names."""

from crm_integrations.models import Configuration
from memorialization.models import MappedEntity
from memorialization.selectors.ledger_records import RecordNames, configuration_account


def mapped_types(configuration: Configuration) -> list[tuple[str, str]]:
    """(key, title) in the order mapped; asks nobody."""
    active = MappedEntity.objects.filter(mapping__configuration=configuration, mapping__is_active=True)
    keys = dict.fromkeys(active.order_by("position", "pk").values_list("entity_type", flat=True))
    account = configuration_account(configuration)
    names = RecordNames([account])
    return [(key, names.title(account, key)) for key in keys]
