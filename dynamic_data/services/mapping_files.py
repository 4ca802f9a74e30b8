"""Dynamic data mappings in configuration files: the list `dynamicDataMappings`."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import ngettext

from crm_integrations import permissions
from crm_integrations.configuration_sections import ConfigurationSection, SectionRefused
from crm_integrations.definitions import title_of_key
from crm_integrations.file_reading import FileList, FileObject
from crm_integrations.mapping_pages.head_checks import find_repeated_names
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_now
from crm_integrations.services.mapping_saving import MappingRefused
from dynamic_data.mappings.checks import check_draft, find_taken_types
from dynamic_data.mappings.contents import EntityDraft, MappingContents, MappingDraft
from dynamic_data.models import DynamicDataMapping
from dynamic_data.services.mappings import store_new_mapping

MAPPING_KEYS = ("name", "description", "active", "entities")
ENTITY_KEYS = ("entityType", "fields")


class DynamicDataSection(ConfigurationSection):
    """How the list is written, checked and stored."""

    view_permission = permissions.VIEW_DYNAMIC_DATA
    create_permissions = (permissions.EDIT_CONFIGURATIONS, permissions.CREATE_DYNAMIC_DATA)

    def write(self, configuration: Configuration) -> list[dict[str, Any]]:
        """Every mapping by name."""
        mappings = DynamicDataMapping.objects.filter(configuration=configuration)
        return [_write_mapping(mapping) for mapping in mappings.prefetch_related("entities__fields")]

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
        problems += _find_types_of_others(drafts)
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


def _write_mapping(mapping: DynamicDataMapping) -> dict[str, Any]:
    entities = [
        {"entityType": entity.entity_type, "fields": [field.crm_field for field in entity.fields.all()]}
        for entity in mapping.entities.all()
    ]
    return {
        "name": mapping.name,
        "description": mapping.description,
        "active": mapping.is_active,
        "entities": entities,
    }


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
    return EntityDraft(entity.text("entityType"), tuple(entity.entries("fields").texts()))


def _find_types_of_others(drafts: Sequence[MappingDraft]) -> list[Problem]:
    """Record types that an earlier active mapping of the file shows already."""
    taken: dict[str, str] = {}
    problems: list[Problem] = []
    for number, draft in enumerate(drafts):
        if draft.is_active:
            titles = {kind: title_of_key(kind) for kind in draft.entity_types}
            problems += [problem.under(number) for problem in find_taken_types(draft, taken, titles)]
            taken |= dict.fromkeys(draft.entity_types, draft.name)
    return problems


def _describe(mapping: MappingContents) -> str:
    fields = sum(len(entity.fields) for entity in mapping.entities)
    words = {"name": mapping.name, "count": fields}
    if mapping.is_active:
        return (
            ngettext(
                "Dynamic data mapping “%(name)s”: %(count)s field",
                "Dynamic data mapping “%(name)s”: %(count)s fields",
                fields,
            )
            % words
        )
    return (
        ngettext(
            "Dynamic data mapping “%(name)s”, inactive: %(count)s field",
            "Dynamic data mapping “%(name)s”, inactive: %(count)s fields",
            fields,
        )
        % words
    )
