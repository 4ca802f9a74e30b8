"""Mappings of any kind in configuration files: one list, each entry with its head and its rows by record type."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.configuration_sections import ConfigurationSection, SectionRefused
from crm_integrations.file_reading import FileList, FileObject
from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.mapping_pages.contents import Contents, EntityRows
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_now
from crm_integrations.services.mapping_saving import MappingRefused
from crm_integrations.services.mapping_store import MappingStore

MAPPING_KEYS = ("name", "description", "active", "entities")
ENTITY_KEYS = ("entityType", "fields")

K = TypeVar("K", bound=Contents[Any])
R = TypeVar("R")


@dataclass(frozen=True)
class MappingSection(ConfigurationSection, Generic[K, R]):
    """How the list of one kind is written, checked and stored.

    `write_row`: a stored row as the file shows it; `read_rows`: the rows of a record type, to be checked.
    `find_repeated_rows`: what an earlier active mapping of the file says already. `active_line` and `inactive_line` say
    what would be stored, with places for `name` and `count`.
    """

    mappings: MappingStore[Any, K, Contents[R]]
    write_row: Callable[[Any], object]
    read_rows: Callable[[FileList], Iterable[R]]
    find_repeated_rows: Callable[[Sequence[Contents[R]], AccountFields], list[Problem]]
    active_line: str | Promise
    inactive_line: str | Promise

    @property
    def view_permission(self) -> str:
        """Of the kind alone; who may see the configuration has been asked."""
        return self.mappings.kind.resource.format(action="view")

    @property
    def create_permissions(self) -> tuple[str, ...]:
        """What makes a mapping."""
        return self.mappings.kind.create_permissions

    def write(self, configuration: Configuration) -> list[dict[str, Any]]:
        """Every mapping by name."""
        stored = self.mappings.model._default_manager.filter(configuration=configuration)
        return [self._write_mapping(mapping) for mapping in stored.prefetch_related("entities__fields")]

    def check(self, entries: FileList, *, authentication: Authentication) -> tuple[Sequence[K], list[Problem]]:
        """Every rule of the editor, asked of the account as it is now."""
        shapes: list[Problem] = []
        reader = FileList(entries.values, entries.path, shapes)
        drafts = [self._read_mapping(entry) for entry in reader.objects()]
        if shapes:
            return [], shapes
        types = [entity_type for draft in drafts for entity_type in draft.entity_types]
        fields = read_account_now(authentication=authentication, entity_types=types)
        contents, problems = [], _find_repeated_names(drafts)
        for number, draft in enumerate(drafts):
            checked, found = self.mappings.check_draft(draft, fields)
            problems += [problem.under(number) for problem in found]
            contents += [checked] if checked else []
        problems += self.find_repeated_rows(drafts, fields)
        return contents, [problem.under(*entries.path) for problem in problems]

    def store(self, contents: Sequence[K], *, configuration: Configuration, actor: User | None) -> None:
        """Each as its version 1. `check` ran before, so a refusal here is the database's own idea of equal names."""
        for number, mapping in enumerate(contents):
            try:
                self.mappings.store_new(configuration=configuration, contents=mapping, actor=actor)
            except MappingRefused as refused:
                raise SectionRefused([problem.under(number) for problem in refused.problems]) from refused

    def describe(self, contents: Sequence[K]) -> list[str]:
        """One line per mapping."""
        return [
            (self.active_line if mapping.is_active else self.inactive_line)
            % {"name": mapping.name, "count": mapping.row_count}
            for mapping in contents
        ]

    def _write_mapping(self, mapping: Any) -> dict[str, Any]:
        entities = [
            {"entityType": entity.entity_type, "fields": [self.write_row(row) for row in entity.fields.all()]}
            for entity in mapping.entities.all()
        ]
        return {
            "name": mapping.name,
            "description": mapping.description,
            "active": mapping.is_active,
            "entities": entities,
        }

    def _read_mapping(self, entry: FileObject) -> Contents[R]:
        entry.allow(*MAPPING_KEYS)
        return Contents(
            name=entry.text("name"),
            description=entry.text("description", default=""),
            is_active=entry.flag("active", default=True),
            entities=tuple(self._read_entity(entity) for entity in entry.entries("entities").objects()),
        )

    def _read_entity(self, entity: FileObject) -> EntityRows[R]:
        entity.allow(*ENTITY_KEYS)
        return EntityRows(entity.text("entityType"), tuple(self.read_rows(entity.entries("fields"))))


def _find_repeated_names(drafts: Sequence[Contents[R]]) -> list[Problem]:
    """Names that an earlier mapping of the file has."""
    seen: set[str] = set()
    problems = []
    for number, draft in enumerate(drafts):
        if draft.name.lower() in seen:
            problems.append(Problem((number, "name"), _("Another mapping of this file has this name.")))
        seen.add(draft.name.lower())
    return problems
