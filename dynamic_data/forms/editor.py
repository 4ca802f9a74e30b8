"""The editor of dynamic data mappings: rows of one CRM field each, and what is said of a field that no longer holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.card_fields import FIELDS_LIMIT
from crm_integrations.definitions import display_title
from crm_integrations.mapping_pages import editor_state
from crm_integrations.mapping_pages.account_fields import AccountFields, find_definition, has_changed_type
from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_page import CardPlan, EditorPage, build_editor_page
from crm_integrations.mapping_pages.editor_state import Act, CardState, EditorState, FieldRow
from crm_integrations.mapping_pages.field_choices import OptionGroup, group_labels, short_field
from crm_integrations.mapping_pages.field_words import describe_kind
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.services.account_fields import AccountCatalogue
from dynamic_data.mappings.checks import can_be_shown
from dynamic_data.mappings.contents import EntityDraft, MappingContents, MappingDraft

ACTS: EditorActs[FieldRow] = EditorActs(lambda before: FieldRow(), rows_limit=FIELDS_LIMIT)


class FieldDoubt(StrEnum):
    """Why a chosen field may not be shown as it was chosen."""

    GONE = "gone"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DoubtWords:
    """A doubt for people: a badge's state and label, and a sentence."""

    state: str
    label: str | Promise
    sentence: str | Promise


DOUBT_WORDS: dict[FieldDoubt, DoubtWords] = {
    FieldDoubt.GONE: DoubtWords(
        "fail", _("Field gone"), _("The CRM has no such field any more, so agents no longer see it. Remove it.")
    ),
    FieldDoubt.CHANGED: DoubtWords(
        "left_out",
        _("Type has changed"),
        _("The CRM changed the field's type since the last save. Save the mapping to work with the new one."),
    ),
    FieldDoubt.UNKNOWN: DoubtWords("unknown", _("Not checked"), _("The fields of the account could not be read.")),
}


@dataclass
class RowView:
    """What `_row.html` draws. `prefix` starts the ids and names of its controls."""

    prefix: str
    numbers: str  # of the card and the row, for the buttons' values
    state: FieldRow
    field_title: str = ""
    field_groups: Sequence[OptionGroup] = ()
    field_print: str = ""
    doubt: DoubtWords | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def field_id(self) -> str:
        """The id of the row's control."""
        return f"{self.prefix}-field"


def build_row(
    state: FieldRow,
    *,
    entity_type: str,
    numbers: tuple[int, int],
    fields: AccountFields,
    groups: Sequence[OptionGroup],
    errors: dict[str, list[str]],
) -> RowView:
    """One row; `groups` are every field of the record type, shown in rows that are open for choosing."""
    definition = find_definition(entity_type, state.crm_field, fields)
    doubt = find_doubt(entity_type, state.crm_field, fields)
    return RowView(
        prefix=f"entity-{numbers[0]}-row-{numbers[1]}",
        numbers=f"{numbers[0]} {numbers[1]}",
        state=state,
        field_title=display_title(definition) if definition else state.crm_field,
        field_groups=groups if state.is_open else (),
        field_print=describe_kind(definition) if definition else "",
        doubt=DOUBT_WORDS[doubt] if doubt else None,
        errors=errors,
    )


def find_doubt(entity_type: str, key: str, fields: AccountFields) -> FieldDoubt | None:
    """What is wrong with a chosen field: the mapping's snapshot of it against the account."""
    if not key:
        return None
    if fields.find(entity_type, key) is None:
        return FieldDoubt.UNKNOWN if entity_type in fields.unreadable else FieldDoubt.GONE
    return FieldDoubt.CHANGED if has_changed_type(entity_type, key, fields) else None


PLAN: CardPlan[FieldRow, RowView] = CardPlan(
    build_row=build_row,
    new_row=lambda number: RowView(f"entity-{number}-row-NEW", f"{number} NEW", FieldRow()),
    is_offered=can_be_shown,
    parts={"crmField": "field"},
    gone_type=_("The CRM account has no such entity type any more. Agents see none of its fields; remove it."),
    rows_limit=FIELDS_LIMIT,
)
ACTIVE_HELP = _("Agents see the fields of the active mappings; a record type is shown by one of them at most.")


def build_page(
    state: EditorState[FieldRow],
    *,
    catalogue: AccountCatalogue,
    fields: AccountFields,
    entity_types: Sequence[EntityType],
    problems: Iterable[Problem],
    focus: str,
) -> EditorPage[FieldRow, RowView]:
    """The page for what is typed, as the account is known."""
    types = list(dict.fromkeys(entity.entity_type for entity in state.entities))
    return build_editor_page(
        state,
        PLAN,
        catalogue=catalogue,
        fields=fields,
        entity_types=entity_types,
        problems=problems,
        focus=focus,
        active_help=ACTIVE_HELP,
        script_catalogue={
            "fields": {
                kind: [
                    short_field(found, describe_kind(found))
                    for found in fields.by_type.get(kind, {}).values()
                    if can_be_shown(found)
                ]
                for kind in types
            },
            "groups": group_labels(),
        },
    )


def draft_from_state(state: EditorState[FieldRow]) -> MappingDraft:
    """The mapping as it is to be checked."""
    entities = tuple(
        EntityDraft(entity.entity_type, tuple(row.crm_field for row in entity.rows)) for entity in state.entities
    )
    return MappingDraft(state.name.strip(), state.description.strip(), state.is_active, entities)


def state_from_contents(contents: MappingContents, *, version: int) -> EditorState[FieldRow]:
    """The editor as it opens on a stored mapping."""
    entities = [
        CardState(entity.entity_type, [FieldRow(found.key) for found in entity.fields]) for entity in contents.entities
    ]
    return EditorState(contents.name, contents.description, contents.is_active, base_version=version, entities=entities)


def read_post(data: QueryDict) -> tuple[EditorState[FieldRow], Act]:
    """What was typed, and the button that sent it."""
    return editor_state.read_post(data, build_row=_typed_row)


def _typed_row(parts: Mapping[str, str]) -> FieldRow:
    return FieldRow(parts.get("field", ""))
