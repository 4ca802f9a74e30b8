"""What a replay run is asked to send again: a filter of the deliveries list, or moments named on the command line.

The list's own filter is used, so that what the list shows is what is replayed. It is read again for every slice, below
an id that is fixed when the run starts: what comes later, the run's own deliveries among it, is never swept in.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery
from memorialization.selectors.ledger_branches import delivery_branches
from memorialization.selectors.ledger_filters import LedgerFilters, filtered_deliveries, first_since
from memorialization.selectors.ledger_search import narrow_deliveries
from memorialization.selectors.ledger_slices import Branch

READERS = {"configuration": UUID, "since": date.fromisoformat, "until": date.fromisoformat, "replay": int}


@dataclass(frozen=True, slots=True)
class ReplayChoice:
    """The list's filters; `since` and `before` narrow it to moments instead of days."""

    filters: LedgerFilters = field(default_factory=LedgerFilters)
    since: datetime | None = None
    before: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """For `ReplayRun.choice`; what was not asked for is left out."""
        own = {each.name: getattr(self.filters, each.name) for each in fields(self.filters)}
        moments = {"moment_since": self.since, "moment_before": self.before}
        named = {name: value for name, value in own.items() if value}
        texts = {name: value.isoformat() for name, value in moments.items() if value}
        return {name: str(value) for name, value in named.items()} | texts


def read_choice(stored: dict[str, str]) -> ReplayChoice:
    """The choice as it was stored; a criterion that this version does not know is an error, never ignored."""
    rest = dict(stored)
    since, before = rest.pop("moment_since", ""), rest.pop("moment_before", "")
    criteria: dict[str, Any] = {name: READERS.get(name, str)(text) for name, text in rest.items()}  # type: ignore[operator]
    return ReplayChoice(
        LedgerFilters(**criteria),
        datetime.fromisoformat(since) if since else None,
        datetime.fromisoformat(before) if before else None,
    )


def newest_delivery_id() -> int:
    """The id that a run beginning now goes up to."""
    return Delivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def chosen_deliveries(choice: ReplayChoice, *, last_id: int) -> QuerySet[Delivery]:
    """What the choice finds up to `last_id`; a text is looked for among what is newest up to there, as on the list."""
    rows = filtered_deliveries(replace(choice.filters, q="")).filter(_bounds_of(choice, last_id))
    return narrow_deliveries(rows, choice.filters.q) if choice.filters.q else rows


def chosen_branches(choice: ReplayChoice, *, last_id: int) -> list[Branch[Delivery]]:
    """The same as branches, of which each is read from an index in the order of ids."""
    return delivery_branches(choice.filters, within=_bounds_of(choice, last_id))


def _bounds_of(choice: ReplayChoice, last_id: int) -> Q:
    """The ids among which the choice looks."""
    bounds, every = Q(pk__lte=last_id), Delivery.objects.all()
    if choice.since:
        first = first_since(every, choice.since)
        bounds &= Q(pk__in=[]) if first is None else Q(pk__gte=first)
    if choice.before:
        beyond = first_since(every, choice.before)
        bounds &= Q() if beyond is None else Q(pk__lt=beyond)
    return bounds


def has_replay() -> Exists:
    """Whether a delivery was replayed already; a replay that was taken back does not count."""
    return Exists(Delivery.objects.filter(replay_of=OuterRef("pk")).exclude(reason=DeliveryReason.TAKEN_BACK))


def count_unreplayed(choice: ReplayChoice) -> int:
    """How many of them would be looked at for the first time."""
    return chosen_deliveries(choice, last_id=newest_delivery_id()).exclude(has_replay()).count()
