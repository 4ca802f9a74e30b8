"""What a mapping may say: every rule that can be told from the draft and the account's fields, without a database.

What only the database knows, names and rows of other mappings, is added by `memorialization.services.mappings`.
"""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title
from crm_integrations.mapping_pages.account_fields import AccountFields, find_definition
from crm_integrations.mapping_pages.checks import check_mapping
from crm_integrations.problems import Path, Problem
from memorialization.mappings.contents import EntityContents, MappingContents, Row
from memorialization.mappings.drafts import VARIABLE_LIMIT, EntityDraft, MappingDraft, RowDraft
from memorialization.models.mappings import RowChannel
from memorialization.source_fields import BY_KEY

RowKey = tuple[str, str, str]
"""(entity type, CRM field, channel): what at most one row of all active mappings may have (semantics §4.16)."""


def check_draft(draft: MappingDraft, fields: AccountFields) -> tuple[MappingContents | None, list[Problem]]:
    """The contents to store, or everything that is wrong with the draft."""
    problems = check_mapping(draft, fields, field_of=lambda row: row.crm_field, check_rows=_check_rows)
    return (None if problems else _build_contents(draft, fields)), problems


def row_keys(draft: MappingDraft) -> Iterator[tuple[Path, RowKey]]:
    """Every complete row with its place."""
    for number, entity in enumerate(draft.entities):
        for position, row in enumerate(entity.rows):
            if row.crm_field and row.channel in RowChannel.values:
                yield ("entities", number, "fields", position), (entity.entity_type, row.crm_field, row.channel)


def find_taken_rows(
    draft: MappingDraft, taken: Mapping[RowKey, str], titles: Mapping[tuple[str, str], str]
) -> list[Problem]:
    """Rows that another active mapping has already; `taken` gives its name, `titles` the fields' names for people."""
    problems = []
    for path, key in row_keys(draft):
        if key in taken:
            words = {
                "field": titles.get(key[:2], key[1]),
                "channel": RowChannel(key[2]).label,
                "mapping": taken[key],
            }
            sentence = _(
                "The active mapping “%(mapping)s” already writes “%(field)s” for %(channel)s. "
                "Remove the row there or choose another field here."
            )
            problems.append(Problem((*path, "crmField"), sentence % words))
    return problems


def _check_rows(entity: EntityDraft, fields: AccountFields) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for position, row in enumerate(entity.rows):
        first = seen.setdefault((row.crm_field, row.channel), position)
        problems = [*_check_field(entity.entity_type, row, fields), *_check_source(row)]
        if first != position and row.crm_field and row.channel in RowChannel.values:
            problems.append(_repeated(entity.entity_type, row, fields, first))
        yield from (problem.under("fields", position) for problem in problems)


def _check_field(entity_type: str, row: RowDraft, fields: AccountFields) -> Iterator[Problem]:
    if not row.crm_field:
        yield Problem(("crmField",), _("Choose a CRM field."))
        return
    if (entity_type, row.crm_field) in fields.kept or entity_type in fields.unreadable:
        return
    found = fields.by_type.get(entity_type, {}).get(row.crm_field)
    if found is None:
        yield Problem(("crmField",), _("The CRM has no such field. Choose another."))
    elif not found.is_writable:
        words = {"field": display_title(found)}
        yield Problem(("crmField",), _("“%(field)s” cannot be written. Choose another field.") % words)


def _check_source(row: RowDraft) -> Iterator[Problem]:
    if row.channel not in RowChannel.values:
        yield Problem(("channel",), _("Choose a channel."))
    elif row.channel == RowChannel.SCRIPT_VARIABLE:
        yield from _check_variable(row.source)
    elif not row.source:
        yield Problem(("source",), _("Choose the CXone Mpower data."))
    elif row.source not in BY_KEY:
        yield Problem(("source",), _("There is no such CXone Mpower data. Anything else is a script variable."))
    elif row.channel not in BY_KEY[row.source].channels:
        words = {"source": BY_KEY[row.source].label, "channel": RowChannel(row.channel).label}
        yield Problem(("source",), _("“%(source)s” does not exist for %(channel)s. Choose another.") % words)


def _check_variable(name: str) -> Iterator[Problem]:
    if not name:
        yield Problem(("source",), _("Type the name of the script variable."))
    elif len(name) > VARIABLE_LIMIT:
        yield Problem(("source",), _("Use at most %(limit)s characters.") % {"limit": VARIABLE_LIMIT})


def _repeated(entity_type: str, row: RowDraft, fields: AccountFields, first: int) -> Problem:
    definition = find_definition(entity_type, row.crm_field, fields)
    words = {
        "field": display_title(definition) if definition else row.crm_field,
        "channel": RowChannel(row.channel).label,
        "row": first + 1,
    }
    sentence = _("“%(field)s” already has a row for %(channel)s: row %(row)s. A field takes one row per channel.")
    return Problem(("crmField",), sentence % words)


def _build_contents(draft: MappingDraft, fields: AccountFields) -> MappingContents:
    return MappingContents(
        draft.name,
        draft.description,
        draft.is_active,
        tuple(_build_entity(entity, fields) for entity in draft.entities),
    )


def _build_entity(entity: EntityDraft, fields: AccountFields) -> EntityContents:
    rows = []
    for row in entity.rows:
        definition = find_definition(entity.entity_type, row.crm_field, fields)
        if definition is None:
            raise LookupError(f"{entity.entity_type} has no definition of {row.crm_field}")
        rows.append(Row(definition, row.channel, row.source))
    return EntityContents(entity.entity_type, tuple(rows))
