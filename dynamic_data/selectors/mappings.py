"""Dynamic data mappings as the configuration's tab lists them, and what they tell of themselves elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.definitions import display_title, field_from_json, title_of_key
from crm_integrations.models import Configuration
from crm_integrations.overview import Facts, ImpactLine, MappingCount
from crm_integrations.selectors.mappings import entity_titles, mappings_of
from dynamic_data.models import DynamicDataMapping, ShownEntity

MAPPINGS = gettext_lazy("Dynamic Data")


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One line of the tab; `details` names the fields of each record type."""

    mapping: DynamicDataMapping
    details: list[str]
    row_count: int
    changed_at: datetime
    changed_by: str


def mapping_lines(configuration: Configuration) -> list[MappingLine]:
    """The tab's lines, in a constant number of queries."""
    rows = mappings_of(DynamicDataMapping, configuration).select_related("changed_by")
    titles = entity_titles(configuration)
    return [
        MappingLine(
            mapping,
            [_describe(entity, titles) for entity in mapping.entities.all()],
            mapping.row_count,
            mapping.updated_at,
            mapping.changed_by.get_username() if mapping.changed_by else "",
        )
        for mapping in rows.annotate(row_count=Count("entities__fields")).prefetch_related("entities__fields")
    ]


def _describe(entity: ShownEntity, titles: Mapping[str, str]) -> str:
    words = {
        "entity": titles.get(entity.entity_type) or title_of_key(entity.entity_type),
        "fields": ", ".join(display_title(field_from_json(field.definition)) for field in entity.fields.all()),
    }
    return _("%(entity)s: %(fields)s") % words


def dynamic_data_facts(configuration_ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
    """How many active mappings each configuration has."""
    rows = DynamicDataMapping.objects.filter(configuration__in=configuration_ids).order_by()
    active = dict(rows.values_list("configuration").annotate(active=Count("pk", filter=Q(is_active=True))))
    return {pk: Facts(mappings=(MappingCount(MAPPINGS, active.get(pk, 0)),)) for pk in configuration_ids}


def dynamic_data_impact(configuration: Configuration) -> list[ImpactLine]:
    """What a deletion takes along."""
    mappings = DynamicDataMapping.objects.filter(configuration=configuration)
    return [ImpactLine(_("Dynamic data mappings"), mappings.count())]
