"""Dynamic data mappings in configuration files: the list `dynamicDataMappings`."""

from collections.abc import Sequence

from django.utils.translation import ngettext_lazy

from crm_integrations.definitions import title_of_key
from crm_integrations.file_reading import FileList
from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.problems import Problem
from crm_integrations.services.mapping_sections import MappingSection
from dynamic_data.mappings.checks import find_taken_types
from dynamic_data.mappings.contents import MappingContents, MappingDraft
from dynamic_data.models import ShownField
from dynamic_data.services.mappings import MAPPINGS


def _write_field(field: ShownField) -> str:
    return field.crm_field


def _find_types_of_others(drafts: Sequence[MappingDraft], fields: AccountFields) -> list[Problem]:
    """Record types that an earlier active mapping of the file shows already."""
    taken: dict[str, str] = {}
    problems: list[Problem] = []
    for number, draft in enumerate(drafts):
        if draft.is_active:
            titles = {kind: title_of_key(kind) for kind in draft.entity_types}
            problems += [problem.under(number) for problem in find_taken_types(draft, taken, titles)]
            taken |= dict.fromkeys(draft.entity_types, draft.name)
    return problems


SECTION: MappingSection[MappingContents, str] = MappingSection(
    mappings=MAPPINGS,
    write_row=_write_field,
    read_rows=FileList.texts,
    find_repeated_rows=_find_types_of_others,
    active_line=ngettext_lazy(
        "Dynamic data mapping “%(name)s”: %(count)s field",
        "Dynamic data mapping “%(name)s”: %(count)s fields",
        "count",
    ),
    inactive_line=ngettext_lazy(
        "Dynamic data mapping “%(name)s”, inactive: %(count)s field",
        "Dynamic data mapping “%(name)s”, inactive: %(count)s fields",
        "count",
    ),
)
