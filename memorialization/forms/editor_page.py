"""The mapping editor's page: cards and rows, the list of problems."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title, title_of_key
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from memorialization.forms.editor_catalogue import build_catalogue
from memorialization.forms.editor_rows import (
    PARTS,
    Option,
    OptionGroup,
    RowView,
    build_row,
    field_groups,
    source_groups,
)
from memorialization.forms.editor_state import EditorState, EntityState, RowState
from memorialization.forms.mapping_editor import MappingHeadForm, build_head_form
from memorialization.mappings.checks import AccountFields
from memorialization.mappings.row_fit import FIT_WORDS, FitWords
from memorialization.models.mappings import RowChannel
from memorialization.services.account_fields import AccountCatalogue


@dataclass(frozen=True)
class CardView:
    """One entity type with its rows; `age` says since when its fields are as shown, `notice` why no newer ones are."""

    number: int
    entity_type: str
    title: str
    rows: list[RowView]
    errors: list[str]
    fetched_at: datetime | None
    notice: str
    template_row: RowView


@dataclass(frozen=True)
class ProblemLink:
    """One line of the summary, with the control it speaks of."""

    target: str
    place: str
    sentence: str


@dataclass(frozen=True)
class EditorPage:
    """All that `editor.html` draws."""

    state: EditorState
    form: MappingHeadForm
    cards: list[CardView]
    entity_options: list[Option]
    sources: list[OptionGroup]
    channels: list[Option]
    problems: list[ProblemLink]
    catalogue: dict[str, Any]
    focus: str

    @property
    def fit_words(self) -> list[tuple[str, FitWords]]:
        """Every badge, for the script to copy."""
        return [(fit.value, words) for fit, words in FIT_WORDS.items()]


def build_page(
    state: EditorState,
    *,
    catalogue: AccountCatalogue,
    fields: AccountFields,
    entity_types: Sequence[EntityType],
    problems: Iterable[Problem] = (),
    focus: str = "",
) -> EditorPage:
    """The page for what is typed, as the account is known."""
    found = list(problems)
    types = [entity.entity_type for entity in state.entities]
    by_place = _by_place(found)
    titles = {entity.key: display_title(entity) for entity in entity_types}
    cards = [
        _build_card(number, entity, titles, catalogue, fields, by_place) for number, entity in enumerate(state.entities)
    ]
    return EditorPage(
        state=state,
        form=build_head_form(
            state, {name: by_place[(name,)] for name in ("name", "description") if (name,) in by_place}
        ),
        cards=cards,
        entity_options=[Option(entity.key, display_title(entity)) for entity in entity_types],
        sources=source_groups(),
        channels=[Option(value, label) for value, label in RowChannel.choices],
        problems=[_link(problem, cards) for problem in found],
        catalogue=build_catalogue(dict.fromkeys(types), fields),
        focus=focus,
    )


def _by_place(problems: Iterable[Problem]) -> dict[tuple[str | int, ...], list[str]]:
    places: dict[tuple[str | int, ...], list[str]] = defaultdict(list)
    for problem in problems:
        places[problem.path].append(problem.message)
    return places


def _build_card(
    number: int,
    entity: EntityState,
    titles: dict[str, str],
    catalogue: AccountCatalogue,
    fields: AccountFields,
    by_place: dict[tuple[str | int, ...], list[str]],
) -> CardView:
    here = ("entities", number)
    reading = catalogue.readings.get(entity.entity_type)
    groups = field_groups(list(fields.by_type.get(entity.entity_type, {}).values()))
    _open_first_blank(entity.rows)
    rows = [
        build_row(
            row,
            entity_type=entity.entity_type,
            numbers=(number, position),
            fields=fields,
            groups=groups,
            errors={
                part: by_place[(*here, "fields", position, key)]
                for key, part in PARTS.items()
                if (*here, "fields", position, key) in by_place
            },
        )
        for position, row in enumerate(entity.rows)
    ]
    return CardView(
        number=number,
        entity_type=entity.entity_type,
        title=titles.get(entity.entity_type) or title_of_key(entity.entity_type),
        rows=rows,
        errors=[*by_place.get((*here, "entityType"), ()), *by_place.get((*here, "fields"), ())],
        fetched_at=reading.fetched_at if reading else None,
        notice=_notice(entity.entity_type, reading.problem if reading else "", fields),
        template_row=RowView(f"entity-{number}-row-NEW", f"{number} NEW", RowState(), "", ()),
    )


def _open_first_blank(rows: list[RowState]) -> None:
    """The whole list of fields is in the page once per card, in the first row that still needs one."""
    blank = next((row for row in rows if not row.crm_field), None)
    if blank and not any(row.is_open for row in rows):
        blank.is_open = True


def _notice(entity_type: str, problem: str, fields: AccountFields) -> str:
    if entity_type in fields.unreadable:
        return fields.unreadable[entity_type]
    if entity_type not in fields.by_type:
        return _("The CRM account has no such entity type any more. Nothing is written to it; remove it.")
    if problem:
        return _("These fields could not be read again. The CRM says: “%(words)s”") % {"words": problem}
    return ""


def _link(problem: Problem, cards: list[CardView]) -> ProblemLink:
    """Where a problem's place is on the page, and what people call it."""
    match problem.path:
        case ("entities", int(number), "fields", int(position), str(key)) if key in PARTS:
            words = {"entity": cards[number].title, "row": position + 1}
            target = f"entity-{number}-row-{position}-{PARTS[key]}"
            return ProblemLink(target, _("%(entity)s, row %(row)s") % words, problem.message)
        case ("entities", int(number), *_rest):
            return ProblemLink(f"entity-{number}", cards[number].title, problem.message)
        case ("name" | "description" as name,):
            return ProblemLink(f"id_{name}", str(MappingHeadForm.base_fields[name].label), problem.message)
    return ProblemLink("adding", _("Entities"), problem.message)
