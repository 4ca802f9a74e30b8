"""How a dynamic data mapping is stored. Called inside the saving transaction."""

from crm_integrations.definitions import field_as_json, field_from_json
from crm_integrations.mapping_pages.account_fields import Kept
from crm_integrations.models import User
from crm_integrations.services.mapping_store import Stored
from dynamic_data.mappings.contents import EntityContents, MappingContents
from dynamic_data.models import DynamicDataMapping, ShownEntity, ShownField


def read_stored(mapping: DynamicDataMapping) -> Stored[MappingContents]:
    """What the mapping says now."""
    entities = tuple(
        EntityContents(entity.entity_type, tuple(field_from_json(field.definition) for field in entity.fields.all()))
        for entity in mapping.entities.prefetch_related("fields")
    )
    contents = MappingContents(mapping.name, mapping.description, mapping.is_active, entities)
    return Stored(contents, mapping.changed_by, mapping.updated_at)


def stored_definitions(mapping: DynamicDataMapping) -> Kept:
    """The field definitions that the mapping was saved with."""
    rows = ShownField.objects.filter(entity__mapping=mapping)
    stored = rows.values_list("entity__entity_type", "crm_field", "definition")
    return {(entity_type, key): field_from_json(definition) for entity_type, key, definition in stored}


def describe_fields(contents: MappingContents) -> list[dict[str, object]]:
    """The fields in short, without definitions: enough to choose them again."""
    return [
        {"entityType": entity.entity_type, "fields": [field.key for field in entity.rows]}
        for entity in contents.entities
    ]


def store_head(mapping: DynamicDataMapping, _contents: MappingContents, actor: User | None) -> None:
    """The mapping's own columns, and who saved them."""
    mapping.changed_by = actor
    mapping.save()


def store_fields(mapping: DynamicDataMapping, contents: MappingContents) -> None:
    """Write the fields in place of those that were there."""
    mapping.entities.all().delete()
    entities = ShownEntity.objects.bulk_create(
        ShownEntity(mapping=mapping, entity_type=entity.entity_type, position=number)
        for number, entity in enumerate(contents.entities)
    )
    ShownField.objects.bulk_create(
        ShownField(entity=entities[number], crm_field=field.key, position=position, definition=field_as_json(field))
        for number, entity in enumerate(contents.entities)
        for position, field in enumerate(entity.rows)
    )
