"""The mapping editor's page of data memorialization: what it adds to the page that all editors share."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from crm_integrations.mapping_pages.editor_page import CardPlan
from crm_integrations.mapping_pages.field_choices import Option, OptionGroup
from memorialization.forms.editor_catalogue import script_tables
from memorialization.forms.editor_rows import PARTS, RowView, build_row, source_groups
from memorialization.forms.editor_state import RowState
from memorialization.mappings.row_fit import FIT_WORDS, FitWords
from memorialization.mappings.row_words import describe_field
from memorialization.models.mappings import RowChannel


@dataclass(frozen=True, slots=True)
class RowChoices:
    """The lists that every row offers, and every badge, for the script to copy."""

    sources: list[OptionGroup]
    channels: list[Option]
    fit_words: list[tuple[str, FitWords]]


def list_choices() -> RowChoices:
    """In the reader's language."""
    return RowChoices(
        source_groups(),
        [Option(value, label) for value, label in RowChannel.choices],
        [(fit.value, words) for fit, words in FIT_WORDS.items()],
    )


PLAN: CardPlan[RowState, RowView] = CardPlan(
    build_row=build_row,
    new_row=lambda number: RowView.to_copy(RowState(), number),
    is_offered=lambda field: field.is_writable,
    describe_field=describe_field,
    parts=PARTS,
    gone_type=_("The CRM account has no such entity type any more. Nothing is written to it; remove it."),
    active_help=_("Interactions that fall due are written with the active mappings."),
    script_tables=script_tables,
    extras=list_choices,
)
