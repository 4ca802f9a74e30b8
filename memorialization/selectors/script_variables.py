"""Which script variables a configuration reads, and what for."""

from dataclasses import dataclass

from django.db.models import QuerySet

from crm_integrations.definitions import field_from_json
from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from memorialization.models import MappedField
from memorialization.models.mappings import RowChannel


@dataclass(frozen=True, slots=True)
class ScriptVariables:
    """Names in lower case. `record_types`: name → the record type whose id it carries; `mapped`: read by mappings."""

    record_types: dict[str, str]
    mapped: tuple[str, ...]
    search: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name once, records first."""
        return tuple(dict.fromkeys((*self.record_types, *self.search, *self.mapped)))


def script_variables_of(configuration: Configuration) -> ScriptVariables:
    """What the settings and the active mappings read."""
    mapped = _variable_rows(configuration).order_by("source").values_list("source", flat=True).distinct()
    records = configuration.record_variables if configuration.uses_record_variables else {}
    search = (configuration.email_variable, configuration.external_id_variable)
    return ScriptVariables(
        record_types={name.lower(): entity_type for entity_type, name in records.items() if name},
        mapped=tuple(mapped),
        search=tuple(name.lower() for name in search if name and configuration.searches_records),
    )


def variable_targets(configuration: Configuration) -> dict[str, CRMField]:
    """The CRM field that each mapped script variable is written to; of several the first."""
    rows = _variable_rows(configuration).order_by("source", "-pk")
    return {source: field_from_json(stored) for source, stored in rows.values_list("source", "definition")}


def _variable_rows(configuration: Configuration) -> QuerySet[MappedField]:
    return MappedField.objects.filter(
        channel=RowChannel.SCRIPT_VARIABLE,
        entity__mapping__configuration=configuration,
        entity__mapping__is_active=True,
    )
