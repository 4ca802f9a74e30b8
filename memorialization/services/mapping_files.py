"""Memorialization mappings in configuration files: the list `memorializationMappings`."""

from collections.abc import Iterator, Sequence

from django.utils.translation import ngettext_lazy

from crm_integrations.definitions import display_title
from crm_integrations.file_reading import FileList, FileObject
from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.problems import Problem
from crm_integrations.services.mapping_sections import MappingSection
from memorialization.mappings.checks import RowKey, find_taken_rows, row_keys
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import MappingDraft, RowDraft, clean_source
from memorialization.models import MappedField
from memorialization.services.mappings import MAPPINGS

ROW_KEYS = ("crmField", "channel", "source")


def _write_row(row: MappedField) -> dict[str, str]:
    return {"crmField": row.crm_field, "channel": row.channel, "source": row.source}


def _read_rows(rows: FileList) -> Iterator[RowDraft]:
    return map(_read_row, rows.objects())


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


SECTION: MappingSection[MappingContents, RowDraft] = MappingSection(
    mappings=MAPPINGS,
    write_row=_write_row,
    read_rows=_read_rows,
    find_repeated_rows=_find_rows_of_others,
    active_line=ngettext_lazy(
        "Data memorialization mapping “%(name)s”: %(count)s field",
        "Data memorialization mapping “%(name)s”: %(count)s fields",
        "count",
    ),
    inactive_line=ngettext_lazy(
        "Data memorialization mapping “%(name)s”, inactive: %(count)s field",
        "Data memorialization mapping “%(name)s”, inactive: %(count)s fields",
        "count",
    ),
)
