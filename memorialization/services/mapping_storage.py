"""How a mapping is stored: its rows as tables, its versions as contents. Called inside the saving transaction."""

from crm_integrations.mapping_pages.account_fields import Kept
from crm_integrations.models import User
from memorialization.mappings.contents import MappingContents, field_as_json, field_from_json
from memorialization.mappings.drafts import draft_from_contents
from memorialization.models import MappedEntity, MappedField, MappingVersion, MemorializationMapping


def stored_definitions(mapping: MemorializationMapping) -> Kept:
    """The field definitions that the mapping's rows were saved with."""
    rows = MappedField.objects.filter(entity__mapping=mapping)
    stored = rows.values_list("entity__entity_type", "crm_field", "definition")
    return {(entity_type, key): field_from_json(definition) for entity_type, key, definition in stored}


def current_version(mapping: MemorializationMapping) -> MappingVersion:
    """The version that says what the mapping says now."""
    return mapping.versions.select_related("created_by").get(number=mapping.version)


def describe_rows(version: MappingVersion) -> list[dict[str, object]]:
    """The rows in short, without definitions: enough to write them again."""
    draft = draft_from_contents(MappingContents.from_json(version.contents))
    return [
        {"entityType": entity.entity_type, "fields": [[row.crm_field, row.channel, row.source] for row in entity.rows]}
        for entity in draft.entities
    ]


def store_next_version(mapping: MemorializationMapping, contents: MappingContents, actor: User | None) -> None:
    """Count the version up; the rows are the caller's."""
    mapping.name, mapping.description, mapping.is_active = contents.name, contents.description, contents.is_active
    mapping.version += 1
    mapping.save()
    store_version(mapping, contents, actor)


def store_version(mapping: MemorializationMapping, contents: MappingContents, actor: User | None) -> None:
    """Keep what the present version says."""
    MappingVersion.objects.create(
        mapping=mapping, number=mapping.version, contents=contents.as_json(), created_by=actor
    )


def store_rows(mapping: MemorializationMapping, contents: MappingContents) -> None:
    """Write the rows of a mapping that has none."""
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
