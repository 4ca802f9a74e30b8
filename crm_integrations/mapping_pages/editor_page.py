"""A mapping editor's page: cards with their rows, what is wrong where, and the list of problems with links."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title, title_of_key
from crm_integrations.mapping_pages.account_fields import AccountFields
from crm_integrations.mapping_pages.editor_state import CardState, EditorState, FieldRow
from crm_integrations.mapping_pages.field_choices import Option, OptionGroup, group_fields, group_labels, short_field
from crm_integrations.mapping_pages.head_form import MappingHeadForm, build_head_form
from crm_integrations.problems import Path, Problem
from crm_integrations.providers.base import CRMField, EntityType
from crm_integrations.services.account_fields import AccountCatalogue

R = TypeVar("R", bound=FieldRow)
V = TypeVar("V")
R_contra = TypeVar("R_contra", bound=FieldRow, contravariant=True)
V_co = TypeVar("V_co", covariant=True)
ByPlace = Mapping[Path, list[str]]


class RowBuilder(Protocol[R_contra, V_co]):
    """What a kind of mappings draws of a row; `groups` are the fields that the list offers."""

    def __call__(
        self,
        state: R_contra,
        *,
        entity_type: str,
        numbers: tuple[int, int],
        fields: AccountFields,
        groups: Sequence[OptionGroup],
        errors: dict[str, list[str]],
    ) -> V_co:
        """The row as its template needs it."""


@dataclass(frozen=True, slots=True)
class CardPlan(Generic[R, V]):
    """How one kind of mappings draws its editor.

    `parts`: key of a problem's path → part of the row's ids. `new_row`: the row that the script copies for a card.
    `describe_field`: a field's small print. `script_tables`: what the kind's own script reads besides the fields;
    `extras`: what its own template draws.
    """

    build_row: RowBuilder[R, V]
    new_row: Callable[[int], V]
    is_offered: Callable[[CRMField], bool]
    describe_field: Callable[[CRMField], str]
    parts: Mapping[str, str]
    gone_type: str | Promise  # what is said of a record type that the account no longer has
    active_help: str | Promise  # what an active mapping does
    rows_limit: int | None = None
    script_tables: Callable[[], dict[str, Any]] = dict
    extras: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class CardView(Generic[V]):
    """One entity type with its rows; `age` says since when its fields are as shown, `notice` why no newer ones are."""

    number: int
    entity_type: str
    title: str
    rows: list[V]
    errors: list[str]
    fetched_at: datetime | None
    notice: str
    template_row: V
    rows_limit: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether no further row may be added."""
        return self.rows_limit is not None and len(self.rows) >= self.rows_limit


@dataclass(frozen=True)
class ProblemLink:
    """One line of the summary, with the control it speaks of."""

    target: str
    place: str
    sentence: str


@dataclass(frozen=True)
class EditorPage(Generic[R, V]):
    """All that every editor's template draws; `catalogue` is for its script, `extras` the kind's own."""

    state: EditorState[R]
    form: MappingHeadForm
    cards: list[CardView[V]]
    entity_options: list[Option]
    problems: list[ProblemLink]
    catalogue: dict[str, Any]
    focus: str
    extras: Any = None


def build_editor_page(
    state: EditorState[R],
    plan: CardPlan[R, V],
    *,
    catalogue: AccountCatalogue,
    fields: AccountFields,
    entity_types: Sequence[EntityType],
    problems: Iterable[Problem],
    focus: str,
) -> EditorPage[R, V]:
    """The page for what is typed, as the account is known."""
    found = list(problems)
    by_place = _group_by_place(found)
    titles = {entity.key: display_title(entity) for entity in entity_types}
    cards = [
        _build_card(number, entity, plan, titles, catalogue, fields, by_place)
        for number, entity in enumerate(state.entities)
    ]
    head = {name: by_place[(name,)] for name in ("name", "description") if (name,) in by_place}
    return EditorPage(
        state=state,
        form=build_head_form(state, head, active_help=plan.active_help),
        cards=cards,
        entity_options=[Option(entity.key, display_title(entity)) for entity in entity_types],
        problems=[_link(problem, cards, plan.parts) for problem in found],
        catalogue={
            "fields": {
                entity.entity_type: _short_fields(entity.entity_type, plan, fields) for entity in state.entities
            },
            "groups": group_labels(),
            **plan.script_tables(),
        },
        focus=focus,
        extras=plan.extras(),
    )


def _short_fields(entity_type: str, plan: CardPlan[R, V], fields: AccountFields) -> list[dict[str, Any]]:
    """What the script offers of a record type, delivered once per page whatever the number of rows."""
    return [short_field(found, plan.describe_field(found)) for found in _offered(entity_type, plan, fields)]


def _offered(entity_type: str, plan: CardPlan[R, V], fields: AccountFields) -> Iterable[CRMField]:
    return filter(plan.is_offered, fields.by_type.get(entity_type, {}).values())


def _group_by_place(problems: Iterable[Problem]) -> ByPlace:
    places: dict[Path, list[str]] = defaultdict(list)
    for problem in problems:
        places[problem.path].append(problem.message)
    return places


def _build_card(
    number: int,
    entity: CardState[R],
    plan: CardPlan[R, V],
    titles: Mapping[str, str],
    catalogue: AccountCatalogue,
    fields: AccountFields,
    by_place: ByPlace,
) -> CardView[V]:
    here = ("entities", number)
    reading = catalogue.readings.get(entity.entity_type)
    groups = group_fields(_offered(entity.entity_type, plan, fields))
    _open_first_blank(entity.rows)
    rows = [
        plan.build_row(
            row,
            entity_type=entity.entity_type,
            numbers=(number, position),
            fields=fields,
            groups=groups,
            errors=_errors_of_row(by_place, (*here, "fields", position), plan.parts),
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
        notice=_notice(entity.entity_type, reading.problem if reading else "", fields, plan.gone_type),
        template_row=plan.new_row(number),
        rows_limit=plan.rows_limit,
    )


def _errors_of_row(by_place: ByPlace, here: Path, parts: Mapping[str, str]) -> dict[str, list[str]]:
    """The sentences by part; a problem of a whole row stands at its field."""
    errors = {part: list(by_place[(*here, key)]) for key, part in parts.items() if (*here, key) in by_place}
    if here in by_place:
        errors.setdefault("field", []).extend(by_place[here])
    return errors


def _open_first_blank(rows: Sequence[FieldRow]) -> None:
    """The whole list of fields is in the page once per card, in the first row that still needs one."""
    blank = next((row for row in rows if not row.crm_field), None)
    if blank and not any(row.is_open for row in rows):
        blank.is_open = True


def _notice(entity_type: str, problem: str, fields: AccountFields, gone_type: str | Promise) -> str:
    if entity_type in fields.unreadable:
        return fields.unreadable[entity_type]
    if entity_type not in fields.by_type:
        return str(gone_type)
    if problem:
        return _("These fields could not be read again. The CRM says: “%(words)s”") % {"words": problem}
    return ""


def _link(problem: Problem, cards: Sequence[CardView[V]], parts: Mapping[str, str]) -> ProblemLink:
    """Where a problem's place is on the page, and what people call it."""
    match problem.path:
        case ("entities", int(number), "fields", int(position), *rest):
            words = {"entity": cards[number].title, "row": position + 1}
            part = parts.get(str(rest[0]), "field") if rest else "field"
            target = f"entity-{number}-row-{position}-{part}"
            return ProblemLink(target, _("%(entity)s, row %(row)s") % words, problem.message)
        case ("entities", int(number), *_rest):
            return ProblemLink(f"entity-{number}", cards[number].title, problem.message)
        case ("name" | "description" as name,):
            return ProblemLink(f"id_{name}", str(MappingHeadForm.base_fields[name].label), problem.message)
    return ProblemLink("adding", _("Entities"), problem.message)
