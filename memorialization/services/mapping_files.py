"""Memorialization mappings in configuration files: the list `memorializationMappings`."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import ngettext

from crm_integrations import permissions
from crm_integrations.configuration_sections import ConfigurationSection, SectionRefused
from crm_integrations.definitions import display_title
from crm_integrations.file_reading import FileList, FileObject
from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.mapping_pages.head_checks import find_repeated_names
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_now
from memorialization.mappings.checks import RowKey, check_draft, find_taken_rows, row_keys
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft, clean_source
from memorialization.models import MappedField, MemorializationMapping
from memorialization.services.mappings import MappingRefused, store_new_mapping

MAPPING_KEYS = ("name", "description", "active", "entities")
ENTITY_KEYS = ("entityType", "fields")
ROW_KEYS = ("crmField", "channel", "source")


class MemorializationSection(ConfigurationSection):
    """How the list is written, checked and stored."""

    view_permission = permissions.VIEW_DATA_MEMORIALIZATION
    create_permissions = (permissions.EDIT_CONFIGURATIONS, permissions.CREATE_DATA_MEMORIALIZATION)

    def write(self, configuration: Configuration) -> list[dict[str, Any]]:
        """Every mapping by name."""
        mappings = MemorializationMapping.objects.filter(configuration=configuration).prefetch_related(
            "entities__fields"
        )
        return [_write_mapping(mapping) for mapping in mappings]

    def check(
        self, entries: FileList, *, authentication: Authentication
    ) -> tuple[Sequence[MappingContents], list[Problem]]:
        """Every rule of the editor, asked of the account as it is now."""
        shapes: list[Problem] = []
        reader = FileList(entries.values, entries.path, shapes)
        drafts = [_read_mapping(entry) for entry in reader.objects()]
        if shapes:
            return [], shapes
        types = [entity_type for draft in drafts for entity_type in draft.entity_types]
        fields = read_account_now(authentication=authentication, entity_types=types)
        contents, problems = [], find_repeated_names([draft.name for draft in drafts])
        for number, draft in enumerate(drafts):
            checked, found = check_draft(draft, fields)
            problems += [problem.under(number) for problem in found]
            contents += [checked] if checked else []
        problems += _find_rows_of_others(drafts, fields)
        return contents, [problem.under(*entries.path) for problem in problems]

    def store(self, contents: Sequence[MappingContents], *, configuration: Configuration, actor: User | None) -> None:
        """Each as its version 1. `check` ran before, so a refusal here is the database's own idea of equal names."""
        for number, mapping in enumerate(contents):
            try:
                store_new_mapping(configuration=configuration, contents=mapping, actor=actor)
            except MappingRefused as refused:
                raise SectionRefused([problem.under(number) for problem in refused.problems]) from refused

    def describe(self, contents: Sequence[MappingContents]) -> list[str]:
        """One line per mapping."""
        return [_describe(mapping) for mapping in contents]


def _write_mapping(mapping: MemorializationMapping) -> dict[str, Any]:
    entities = [
        {"entityType": entity.entity_type, "fields": [_write_row(row) for row in entity.fields.all()]}
        for entity in mapping.entities.all()
    ]
    return {
        "name": mapping.name,
        "description": mapping.description,
        "active": mapping.is_active,
        "entities": entities,
    }


def _write_row(row: MappedField) -> dict[str, str]:
    return {"crmField": row.crm_field, "channel": row.channel, "source": row.source}


def _read_mapping(entry: FileObject) -> MappingDraft:
    entry.allow(*MAPPING_KEYS)
    return MappingDraft(
        name=entry.text("name"),
        description=entry.text("description", default=""),
        is_active=entry.flag("active", default=True),
        entities=tuple(_read_entity(entity) for entity in entry.entries("entities").objects()),
    )


def _read_entity(entity: FileObject) -> EntityDraft:
    entity.allow(*ENTITY_KEYS)
    return EntityDraft(entity.text("entityType"), tuple(_read_row(row) for row in entity.entries("fields").objects()))


def _read_row(row: FileObject) -> RowDraft:
    row.allow(*ROW_KEYS)
    channel = row.text("channel")
    return RowDraft(row.text("crmField"), channel, clean_source(channel=channel, source=row.text("source")))


def _find_rows_of_others(drafts: Sequence[MappingDraft], fields: AccountFields) -> list[Problem]:
    """Rows that an earlier active mapping of the file has already."""
    titles = {
        (entity, key): display_title(found)
        for entity, by_key in fields.by_type.items()
        for key, found in by_key.items()
    }
    taken: dict[RowKey, str] = {}
    problems: list[Problem] = []
    for number, draft in enumerate(drafts):
        if draft.is_active:
            problems += [problem.under(number) for problem in find_taken_rows(draft, taken, titles)]
            taken |= {key: draft.name for _path, key in row_keys(draft)}
    return problems


def _describe(mapping: MappingContents) -> str:
    rows = sum(len(entity.rows) for entity in mapping.entities)
    words = {"name": mapping.name, "count": rows}
    if mapping.is_active:
        return (
            ngettext(
                "Data memorialization mapping “%(name)s”: %(count)s field",
                "Data memorialization mapping “%(name)s”: %(count)s fields",
                rows,
            )
            % words
        )
    return (
        ngettext(
            "Data memorialization mapping “%(name)s”, inactive: %(count)s field",
            "Data memorialization mapping “%(name)s”, inactive: %(count)s fields",
            rows,
        )
        % words
    )
