"""Saving data memorialization mappings, as mappings of any kind are; their own is that a field has one row per channel.

Every save that changes something keeps the contents as a version: deliveries name the one that planned them.
"""

from django.db.models import QuerySet

from crm_integrations.definitions import display_title
from crm_integrations.models import Configuration
from crm_integrations.problems import Problem
from crm_integrations.services.mapping_store import MappingStore
from memorialization.mapping_kind import KIND
from memorialization.mappings.checks import RowKey, check_draft, find_taken_rows
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import MappingDraft, draft_row
from memorialization.models import MappedField, MemorializationMapping
from memorialization.services.mapping_storage import (
    describe_rows,
    read_stored,
    store_head,
    store_rows,
    stored_definitions,
)


def _find_taken(
    _configuration: Configuration, contents: MappingContents, others: QuerySet[MemorializationMapping]
) -> list[Problem]:
    titles = {
        (entity.entity_type, row.field.key): display_title(row.field)
        for entity in contents.entities
        for row in entity.rows
    }
    return find_taken_rows(contents.convert_rows(draft_row), _taken_rows(others), titles)


def _taken_rows(mappings: QuerySet[MemorializationMapping]) -> dict[RowKey, str]:
    rows = MappedField.objects.filter(entity__mapping__in=mappings)
    columns = rows.values_list("entity__entity_type", "crm_field", "channel", "entity__mapping__name")
    return {(entity_type, key, channel): name for entity_type, key, channel, name in columns}


MAPPINGS: MappingStore[MemorializationMapping, MappingContents, MappingDraft] = MappingStore(
    kind=KIND,
    model=MemorializationMapping,
    audit_prefix="mapping",
    check_draft=check_draft,
    find_taken=_find_taken,
    read=read_stored,
    read_definitions=stored_definitions,
    store_head=store_head,
    store_rows=store_rows,
    describe_rows=describe_rows,
)
create_mapping = MAPPINGS.create
update_mapping = MAPPINGS.update
set_mapping_active = MAPPINGS.set_active
delete_mapping = MAPPINGS.delete
duplicate_mapping = MAPPINGS.duplicate
