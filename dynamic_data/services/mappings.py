"""Saving dynamic data mappings as any mappings are; their own is that one of them at most shows a record type."""

from django.db.models import QuerySet

from crm_integrations.definitions import title_of_key
from crm_integrations.models import Configuration
from crm_integrations.problems import Problem
from crm_integrations.selectors.mappings import entity_titles
from crm_integrations.services.mapping_store import MappingStore
from dynamic_data.mapping_kind import KIND
from dynamic_data.mappings.checks import check_draft, find_taken_types
from dynamic_data.mappings.contents import MappingContents, MappingDraft
from dynamic_data.models import DynamicDataMapping, ShownEntity
from dynamic_data.services.mapping_storage import (
    describe_fields,
    read_stored,
    store_fields,
    store_head,
    stored_definitions,
)


def _find_taken(
    configuration: Configuration, contents: MappingContents, others: QuerySet[DynamicDataMapping]
) -> list[Problem]:
    rows = ShownEntity.objects.filter(mapping__in=others)
    taken = dict(rows.values_list("entity_type", "mapping__name"))
    known = entity_titles(configuration)
    titles = {kind: known.get(kind) or title_of_key(kind) for kind in contents.entity_types}
    return find_taken_types(contents, taken, titles)


MAPPINGS: MappingStore[DynamicDataMapping, MappingContents, MappingDraft] = MappingStore(
    kind=KIND,
    model=DynamicDataMapping,
    audit_prefix="dynamic_mapping",
    check_draft=check_draft,
    find_taken=_find_taken,
    read=read_stored,
    read_definitions=stored_definitions,
    store_head=store_head,
    store_rows=store_fields,
    describe_rows=describe_fields,
)
create_mapping = MAPPINGS.create
update_mapping = MAPPINGS.update
set_mapping_active = MAPPINGS.set_active
delete_mapping = MAPPINGS.delete
duplicate_mapping = MAPPINGS.duplicate
