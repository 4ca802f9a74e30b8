"""The mapping editor's page of data memorialization: what it adds to the page that all editors share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.mapping_pages.editor_page import CardPlan, EditorPage, build_editor_page
from crm_integrations.mapping_pages.editor_state import EditorState
from crm_integrations.mapping_pages.field_choices import Option, OptionGroup
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.services.account_fields import AccountCatalogue
from memorialization.forms.editor_catalogue import build_catalogue
from memorialization.forms.editor_rows import PARTS, RowView, build_row, source_groups
from memorialization.forms.editor_state import RowState
from memorialization.mappings.row_fit import FIT_WORDS, FitWords
from memorialization.models.mappings import RowChannel

PLAN: CardPlan[RowState, RowView] = CardPlan(
    build_row=build_row,
    new_row=lambda number: RowView(f"entity-{number}-row-NEW", f"{number} NEW", RowState(), "", ()),
    is_offered=lambda field: field.is_writable,
    parts=PARTS,
    gone_type=_("The CRM account has no such entity type any more. Nothing is written to it; remove it."),
)
ACTIVE_HELP = _("Interactions that fall due are written with the active mappings.")


@dataclass(frozen=True, slots=True)
class RowChoices:
    """The lists that every row offers, and every badge, for the script to copy."""

    sources: list[OptionGroup]
    channels: list[Option]
    fit_words: list[tuple[str, FitWords]]


def build_page(
    state: EditorState[RowState],
    *,
    catalogue: AccountCatalogue,
    fields: AccountFields,
    entity_types: Sequence[EntityType],
    problems: Iterable[Problem] = (),
    focus: str = "",
) -> EditorPage[RowState, RowView]:
    """The page for what is typed, as the account is known."""
    choices = RowChoices(
        source_groups(),
        [Option(value, label) for value, label in RowChannel.choices],
        [(fit.value, words) for fit, words in FIT_WORDS.items()],
    )
    return build_editor_page(
        state,
        PLAN,
        catalogue=catalogue,
        fields=fields,
        entity_types=entity_types,
        problems=problems,
        focus=focus,
        active_help=ACTIVE_HELP,
        script_catalogue=build_catalogue(dict.fromkeys(entity.entity_type for entity in state.entities), fields),
        extras=choices,
    )
