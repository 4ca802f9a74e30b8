"""What a replay run is asked to send again: a filter of the deliveries list, or moments named on the command line.

The list's own filter is used, so that what the list shows is what is replayed. It is read again for every slice, below
an id that is fixed when the run starts: what comes later, the run's own deliveries among it, is never swept in.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from memorialization.models import Delivery
from memorialization.selectors.ledger_filters import LedgerFilters, filtered_deliveries, first_since
from memorialization.selectors.ledger_search import narrow_deliveries

TAKEN_BACK = "taken_back"  # the reason of a replay that was cancelled before it was sent: as if there had been none
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
    rows = filtered_deliveries(replace(choice.filters, q="")).filter(pk__lte=last_id)
    if choice.since:
        first = first_since(Delivery.objects.all(), choice.since)
        rows = rows.filter(pk__gte=first) if first is not None else rows.none()
    if choice.before:
        beyond = first_since(Delivery.objects.all(), choice.before)
        rows = rows.filter(pk__lt=beyond) if beyond is not None else rows
    return narrow_deliveries(rows, choice.filters.q) if choice.filters.q else rows


def has_replay() -> Exists:
    """Whether a delivery was replayed already; a replay that was taken back does not count."""
    return Exists(Delivery.objects.filter(replay_of=OuterRef("pk")).exclude(reason=TAKEN_BACK))


def count_unreplayed(choice: ReplayChoice) -> int:
    """How many of them would be looked at for the first time."""
    return chosen_deliveries(choice, last_id=newest_delivery_id()).exclude(has_replay()).count()
