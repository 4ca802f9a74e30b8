"""Record types that a configuration's active mappings write to, with their names."""

from collections.abc import Callable
from functools import partial

from crm_integrations.models import Configuration
from memorialization.models import MappedEntity
from memorialization.selectors.ledger_records import RecordNames, configuration_account


def mapped_types(configuration: Configuration) -> list[tuple[str, str]]:
    """(key, title) in the order mapped; asks nobody."""
    active = MappedEntity.objects.filter(mapping__configuration=configuration, mapping__is_active=True)
    keys = dict.fromkeys(active.order_by("position", "pk").values_list("entity_type", flat=True))
    title_of = record_type_titles(configuration)
    return [(key, title_of(key)) for key in keys]


def record_type_titles(configuration: Configuration) -> Callable[[str], str]:
    """What names a record type by its key, in the reader's language; asks nobody."""
    account = configuration_account(configuration)
    return partial(RecordNames([account]).title, account)
