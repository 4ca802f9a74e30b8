"""The editor of dynamic data mappings: rows of one CRM field each, and what is said of a field that no longer holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.card_fields import FIELDS_LIMIT
from crm_integrations.mapping_pages.account_fields import AccountFields, find_definition, has_changed_type
from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_page import CardPlan
from crm_integrations.mapping_pages.editor_state import FieldRow
from crm_integrations.mapping_pages.field_choices import OptionGroup
from crm_integrations.mapping_pages.field_words import describe_kind
from crm_integrations.mapping_pages.row_forms import RowForms
from crm_integrations.mapping_pages.row_views import FieldRowView
from crm_integrations.providers.base import CRMField
from dynamic_data.mappings.checks import can_be_shown


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
class RowView(FieldRowView[FieldRow]):
    """What `_row.html` draws."""

    doubt: DoubtWords | None = None


def build_row(
    state: FieldRow,
    *,
    entity_type: str,
    numbers: tuple[int, int],
    fields: AccountFields,
    groups: Sequence[OptionGroup],
    errors: dict[str, list[str]],
) -> RowView:
    """One row; `groups` are every field of the record type."""
    definition = find_definition(entity_type, state.crm_field, fields)
    doubt = find_doubt(entity_type, state.crm_field, fields)
    view = RowView.place(state, *numbers)
    view.offer(definition, groups)
    view.field_print = describe_kind(definition) if definition else ""
    view.doubt = DOUBT_WORDS[doubt] if doubt else None
    view.errors = errors
    return view


def find_doubt(entity_type: str, key: str, fields: AccountFields) -> FieldDoubt | None:
    """What is wrong with a chosen field: the mapping's snapshot of it against the account."""
    if not key:
        return None
    if fields.find(entity_type, key) is None:
        return FieldDoubt.UNKNOWN if entity_type in fields.unreadable else FieldDoubt.GONE
    return FieldDoubt.CHANGED if has_changed_type(entity_type, key, fields) else None


ACTS: EditorActs[FieldRow] = EditorActs(lambda before: FieldRow(), rows_limit=FIELDS_LIMIT)
ROWS: RowForms[FieldRow, CRMField, str] = RowForms(
    typed=lambda parts: FieldRow(parts.get("field", "")),
    opened=lambda shown: FieldRow(shown.key),
    drafted=lambda row: row.crm_field,
)
PLAN: CardPlan[FieldRow, RowView] = CardPlan(
    build_row=build_row,
    new_row=lambda number: RowView.to_copy(FieldRow(), number),
    is_offered=can_be_shown,
    describe_field=describe_kind,
    parts={"crmField": "field"},
    gone_type=_("The CRM account has no such entity type any more. Agents see none of its fields; remove it."),
    active_help=_("Agents see the fields of the active mappings; a record type is shown by one of them at most."),
    rows_limit=FIELDS_LIMIT,
)
