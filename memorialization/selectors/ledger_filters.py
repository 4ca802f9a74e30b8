"""What a person asked the ledger for, and the rows that answer it; nothing here counts or reads whole tables.

A page takes its rows from `memorialization.selectors.ledger_branches`: the same rows, through an index for each case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import BooleanField, F, Func, Model, QuerySet
from django.utils import timezone

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction
from memorialization.selectors.ledger_search import narrow_deliveries, narrow_interactions
from memorialization.selectors.ledger_states import deliveries_in_state, interactions_in_state

Row = TypeVar("Row", bound=Model)
# SQLite uses a partial index only where its own condition stands in the query, word for word and without a parameter.
HAS_REASON = Func(F("reason"), template="(%(expressions)s > '')", output_field=BooleanField())
FIRST_DAY = date(2000, 1, 1)  # no row is older; the first day of the calendar has no beginning in every time zone


@dataclass(frozen=True, slots=True)
class LedgerFilters:
    """Every criterion of a list; an empty one asks for nothing. `since` and `until` are days, both included."""

    state: str = ""
    configuration: UUID | None = None
    channel: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""
    reason: str = ""

    def as_query(self, **changes: Any) -> str:
        """The criteria as the query of an address, with some of them changed."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return urlencode({name: str(value) for name, value in {**own, **changes}.items() if value})

    @property
    def is_empty(self) -> bool:
        """Whether everything is asked for."""
        return not self.as_query()


def filtered_deliveries(filters: LedgerFilters, *, has_text: bool = True) -> QuerySet[Delivery]:
    """The deliveries of configurations that are not deleted, as far as the filters (the text too) let them through."""
    rows = Delivery.objects.exclude(configuration__state=Configuration.State.DELETED)
    if filters.state:
        rows = deliveries_in_state(rows, filters.state)
    rows = rows.filter(**_plain_criteria(filters, {"channel": "channel", "reason": "reason"}))
    rows = rows.filter(HAS_REASON) if filters.reason else rows
    rows = between_days(rows, Delivery.objects.all(), filters)
    return narrow_deliveries(rows, filters.q) if filters.q and has_text else rows


def filtered_interactions(filters: LedgerFilters, *, has_text: bool = True) -> QuerySet[Interaction]:
    """The same for interactions."""
    rows = Interaction.objects.exclude(configuration__state=Configuration.State.DELETED)
    if filters.state:
        rows = interactions_in_state(rows, filters.state)
    rows = rows.filter(**_plain_criteria(filters, {"channel": "channel"}))
    rows = between_days(rows, Interaction.objects.all(), filters)
    return narrow_interactions(rows, filters.q) if filters.q and has_text else rows


def _plain_criteria(filters: LedgerFilters, columns: Mapping[str, str]) -> dict[str, Any]:
    wanted = {column: getattr(filters, name) for name, column in {**columns, "configuration": "configuration"}.items()}
    return {column: value for column, value in wanted.items() if value}


def between_days(rows: QuerySet[Row], every: QuerySet[Row], filters: LedgerFilters) -> QuerySet[Row]:
    """Rows of these days. Ids grow with time, so a day is a range of ids, and the order by id needs no sorting."""
    if filters.since:
        first = first_since(every, _start_of(filters.since))
        rows = rows.filter(pk__gte=first) if first is not None else rows.none()
    if filters.until:
        beyond = first_since(every, _start_of(filters.until + timedelta(days=1)))
        rows = rows.filter(pk__lt=beyond) if beyond is not None else rows
    return rows


def first_since(every: QuerySet[Any], moment: datetime) -> int | None:
    """The id of the first row since a moment, by the index on `created_at`."""
    return every.filter(created_at__gte=moment).order_by("created_at", "pk").values_list("pk", flat=True).first()


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(max(day, FIRST_DAY), time.min))
