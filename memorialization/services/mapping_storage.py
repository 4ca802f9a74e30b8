"""How a mapping is stored: its rows as tables, its versions as contents. Called inside the saving transaction."""

from crm_integrations.mapping_pages.account_fields import Kept
from crm_integrations.models import User
from crm_integrations.services.mapping_store import Stored
from memorialization.mappings.contents import MappingContents, field_as_json, field_from_json
from memorialization.models import MappedEntity, MappedField, MappingVersion, MemorializationMapping


def stored_definitions(mapping: MemorializationMapping) -> Kept:
    """The field definitions that the mapping's rows were saved with."""
    rows = MappedField.objects.filter(entity__mapping=mapping)
    stored = rows.values_list("entity__entity_type", "crm_field", "definition")
    return {(entity_type, key): field_from_json(definition) for entity_type, key, definition in stored}


def current_version(mapping: MemorializationMapping) -> MappingVersion:
    """The version that says what the mapping says now."""
    return mapping.versions.select_related("created_by").get(number=mapping.version)


def read_stored(mapping: MemorializationMapping) -> Stored[MappingContents]:
    """What the mapping says now."""
    version = current_version(mapping)
    return Stored(MappingContents.from_json(version.contents), version.created_by, version.created_at)


def describe_rows(contents: MappingContents) -> list[dict[str, object]]:
    """The rows in short, without definitions: enough to write them again."""
    return [
        {"entityType": entity.entity_type, "fields": [[row.field.key, row.channel, row.source] for row in entity.rows]}
        for entity in contents.entities
    ]


def store_head(mapping: MemorializationMapping, contents: MappingContents, actor: User | None) -> None:
    """The mapping's own columns, and the version that keeps what it says."""
    mapping.save()
    MappingVersion.objects.create(
        mapping=mapping, number=mapping.version, contents=contents.as_json(), created_by=actor
    )


def store_rows(mapping: MemorializationMapping, contents: MappingContents) -> None:
    """Write the rows in place of those that were there."""
    mapping.entities.all().delete()
    entities = MappedEntity.objects.bulk_create(
        MappedEntity(mapping=mapping, entity_type=entity.entity_type, position=number)
        for number, entity in enumerate(contents.entities)
    )
    MappedField.objects.bulk_create(
        MappedField(
            entity=entities[number],
            crm_field=row.field.key,
            channel=row.channel,
            source=row.source,
            position=position,
            definition=field_as_json(row.field),
        )
        for number, entity in enumerate(contents.entities)
        for position, row in enumerate(entity.rows)
    )
