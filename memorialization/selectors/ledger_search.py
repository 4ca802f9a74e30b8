"""The ledger's text filter: ids of every kind and agents through indexes, whatever their age; else the newest rows.

Customers' text is never searched. What is found exactly wins, then ids that begin with the text and agents whose name
has it in it. Anything else – another part of an id, a caller's number, a beginning that hundreds of ids have – is
looked for in `Interaction.search_text` (lower case) of the newest rows of the days asked for. No search reads a table.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial, reduce
from operator import or_
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.db.models.lookups import In

from crm_integrations.models import Configuration
from memorialization.models import Contact, Delivery, Interaction, InteractionEvent, RecordLane
from memorialization.selectors.ledger_agents import find_agents

Row = TypeVar("Row", bound=Model)
RECENT_ROWS = 10_000  # how far back any other part of a word is looked for: less than a tenth of a second
MATCHES_LIMIT = 500  # of each kind; more than that is no page that anybody reads
AGENT_ROWS_LIMIT = 10_000  # interactions of the agents found, above which a page is found quicker from the newest on
LAST_CHARACTER = chr(0x10FFFF)
PRESENT = Q(state__in=[state for state in Configuration.State if state != Configuration.State.DELETED])


@dataclass(frozen=True, slots=True)
class Named:
    """Ids of the rows that a text names, by kind; `agents` are Agent IDs."""

    contacts: tuple[int, ...] = ()
    lanes: tuple[int, ...] = ()
    laneless: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    agents: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    @property
    def is_too_much(self) -> bool:
        """Whether more was found than is looked through."""
        return any(len(getattr(self, each.name)) > MATCHES_LIMIT for each in fields(self))


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the conditions a row may fulfil; `is_small` says that all its rows can be gathered and sorted.

    `is_recent` marks the last resort: a text that is looked for among the newest rows.
    """

    condition: Q
    is_small: bool = True
    is_recent: bool = False


def narrow_deliveries(rows: QuerySet[Delivery], text: str) -> QuerySet[Delivery]:
    """Those that `text` names."""
    return _narrow(rows, delivery_criteria(text, newest=partial(_newest_id, rows)))


def narrow_interactions(rows: QuerySet[Interaction], text: str) -> QuerySet[Interaction]:
    """The same for interactions: a record finds those that are written to it."""
    return _narrow(rows, interaction_criteria(text, newest=partial(_newest_id, rows)))


def delivery_criteria(text: str, *, newest: Callable[[], int]) -> list[Criterion]:
    """Conditions of which each is answered by an index, for a page to merge; `newest` is an id to look back from."""
    named = find_named(text)
    if not named:
        return [_recently(newest(), "interaction__search_text__contains", text)]
    criteria = {
        "interaction__contact__in": named.contacts,
        "lane__in": named.lanes,
        "pk__in": named.laneless,
        "interaction__in": named.segments,
    }
    return [*_criteria(criteria), *_agent_criteria(named.agents, "interaction__agent_id")]


def interaction_criteria(text: str, *, newest: Callable[[], int]) -> list[Criterion]:
    """The same for interactions."""
    named = find_named(text)
    if not named:
        return [_recently(newest(), "search_text__contains", text)]
    written = Delivery.objects.filter(_any_of(_criteria({"lane__in": named.lanes, "pk__in": named.laneless})))
    written_ids = written.order_by("-pk").values_list("interaction_id", flat=True)[:MATCHES_LIMIT]
    interactions = tuple(written_ids) if named.lanes or named.laneless else ()
    criteria = {"contact__in": named.contacts, "pk__in": (*named.segments, *interactions)}
    return [*_criteria(criteria), *_agent_criteria(named.agents, "agent_id")] or [Criterion(Q(pk__in=[]))]


def find_named(text: str) -> Named:
    """What the text names: exactly, else as a beginning; nothing when it is neither or names too much."""
    exact = Named(
        contacts=(*_ids(Contact, Q(contact_id=text)), *_contacts_of_event(text)),
        lanes=_ids(RecordLane, Q(record_id=text)),
        laneless=_ids(Delivery, Q(lane__isnull=True, record_id=text)),
        segments=_ids(Interaction, Q(segment_id=text)),
        agents=(text,) if Interaction.objects.filter(agent_id=text).exists() else (),
    )
    if exact:
        return exact
    begun = Named(
        contacts=_ids(Contact, begins_with("contact_id", text)),
        lanes=_ids(RecordLane, begins_with("record_id", text)),
        laneless=_ids(Delivery, Q(lane__isnull=True) & begins_with("record_id", text)),
        agents=find_agents(text),
    )
    return Named() if begun.is_too_much else begun


def begins_with(column: str, text: str) -> Q:
    """A condition that an index on the column answers, letter for letter the same on both databases.

    SQLite sorts by code points and matches LIKE without regard to case; PostgreSQL may sort by a language's rules, and
    has an index for LIKE.
    """
    if connection.vendor == "sqlite":
        return Q((f"{column}__gte", text), (f"{column}__lt", text + LAST_CHARACTER))
    return Q((f"{column}__startswith", text))


def _ids(model: type[Model], condition: Q) -> tuple[int, ...]:
    """One more than the limit tells that there are too many."""
    found: QuerySet[Any] = model._default_manager.filter(condition)
    return tuple(found.order_by().values_list("pk", flat=True)[: MATCHES_LIMIT + 1])


def _contacts_of_event(text: str) -> tuple[int, ...]:
    """Contacts that have an event of this id: an index look-up per configuration."""
    present = list(Configuration.objects.filter(PRESENT).values_list("pk", flat=True))
    events = InteractionEvent.objects.filter(configuration__in=present, event_id=text).order_by()
    return tuple(events.values_list("contact_id", flat=True)[:MATCHES_LIMIT])


def _criteria(wanted: dict[str, tuple[int, ...]]) -> list[Criterion]:
    return [Criterion(Q((column, list(ids)))) for column, ids in wanted.items() if ids]


def _agent_criteria(agents: tuple[str, ...], column: str) -> list[Criterion]:
    """Rows of agents: gathered where these are few; else the newest are looked at until a page is full."""
    if not agents:
        return []
    count = Interaction.objects.filter(agent_id__in=agents).order_by()[: AGENT_ROWS_LIMIT + 1].count()
    if count <= AGENT_ROWS_LIMIT:
        return [Criterion(Q((f"{column}__in", agents)))]
    unindexed = Concat(F(column), Value(""))
    return [Criterion(Q(In(unindexed, list(agents))), is_small=False)]


def _recently(newest: int, column: str, text: str) -> Criterion:
    """The newest rows; ids are counted instead of rows, which is the same or less."""
    return Criterion(Q((column, text.lower()), pk__gt=newest - RECENT_ROWS), is_small=False, is_recent=True)


def _newest_id(rows: QuerySet[Any]) -> int:
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0


def _narrow(rows: QuerySet[Row], criteria: list[Criterion]) -> QuerySet[Row]:
    """Rows that fulfil any of the conditions. Several are sets of ids: no index answers an OR across tables."""
    if len(criteria) == 1:
        return rows.filter(criteria[0].condition)
    every: QuerySet[Row] = rows.model._default_manager.all()
    return rows.filter(_any_of(Criterion(Q(pk__in=every.filter(each.condition).values("pk"))) for each in criteria))


def _any_of(criteria: Iterable[Criterion]) -> Q:
    combine: Callable[[Q, Q], Q] = or_
    return reduce(combine, [each.condition for each in criteria], Q(pk__in=[]))
