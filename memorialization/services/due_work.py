"""What is due on an account, by record type and way of writing, and which of it the limits let through now."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_integrations.budgets.running import LOOK_AGAIN_S
from crm_integrations.models import CRMAccount
from crm_integrations.providers.base import CRMProvider, LimitScope
from crm_integrations.providers.registry import get_provider
from crm_integrations.row_sql import as_time, read_values
from crm_integrations.services.budget_books import BudgetBook, read_book
from crm_integrations.services.call_budgets import is_half_used, opens_at, set_in_flight
from memorialization.models import RecordLane
from memorialization.services.account_turn import MOMENT_S
from memorialization.services.bulk_writing import count_on_their_way, count_records_underway
from memorialization.services.claims import has_suspect_lanes

BULK_FROM = 10  # records that are due; fewer are there sooner by calls of their own
FEWEST_IN_BULK = 2  # when others have claimed the rest meanwhile
SINGLES_AT_ONCE = 10  # what is due is shared among so many claims of threads that write one by one
FEWEST_SINGLES, MOST_SINGLES = 4, 20  # of a claim
BULKS_AT_ONCE = 10  # what is due is spread over as many bulk writes, which the CRM works off side by side
SMALLEST_BULK, LARGEST_BULK = 25, 100
SOON = timedelta(seconds=LOOK_AGAIN_S)  # all places are taken, as far as the budget knows, or a window is about to open
COUNTED_MOST = BULKS_AT_ONCE * LARGEST_BULK
LANE = RecordLane._meta.db_table
FIRST_TYPE = f"SELECT entity_type FROM {LANE} WHERE account_id = %s AND entity_type > %s ORDER BY entity_type LIMIT 1"  # noqa: S608
COUNT_DUE = f"""
SELECT COUNT(*) FROM (
  SELECT 1 FROM {LANE}
  WHERE account_id = %s AND entity_type = %s AND goes_alone = %s AND next_due_at <= %s AND lease IS NULL
    AND (closed_until IS NULL OR closed_until <= %s)
  LIMIT {COUNTED_MOST}) AS few
"""  # noqa: S608 - the name of our own model


@dataclass(frozen=True, slots=True)
class Work:
    """Lanes of one record type to claim: `size` at a time, for one bulk write or for calls of their own."""

    entity_type: str
    goes_alone: bool
    is_bulk: bool
    size: int
    claims: int = 1  # so many of them are worth while before looking again
    rest: int = 0  # lanes that are due beyond the first claim, as far as they were counted
    fewest: int = FEWEST_IN_BULK  # lanes that still go in bulk when a claim finds no more


@dataclass(frozen=True, slots=True)
class DueWork:
    """What can be done now, and when the limits open for the rest (None: nothing waits for a limit).

    `suspect_types`: record types that may have suspect lanes due, and of which calls of their own may be made.
    """

    works: tuple[Work, ...]
    opens_at: datetime | None
    suspect_types: tuple[str, ...] = ()


class WorkFinder:
    """Finds the work of one account."""

    def __init__(self, account: CRMAccount) -> None:
        self._account = account
        self._provider: CRMProvider = get_provider(account.provider)
        self._places = next((limit for limit in self._provider.limits if limit.scope is LimitScope.IN_FLIGHT), None)
        self._openings: dict[Sequence[str], datetime | None] = {}
        self._known_book: BudgetBook | None = None

    @property
    def slots(self) -> int:
        """How many bulk writes may be on their way at a time; the customer's other integrations keep their share."""
        most = self._places.calls if self._places is not None else 0
        return max(1, most * (100 - self._account.head_room_percent) // 100) if most else 0

    def note_in_flight(self, now: datetime) -> None:
        """Tell the budget how many bulk writes the CRM may have under way, after some of them ended."""
        if self._places is not None:
            count = count_on_their_way(account_id=self._account.pk)
            limit_class = self._places.limit_class
            set_in_flight(account_id=self._account.pk, limit_class=limit_class, count=count, now=now)

    def classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        """The limit classes that such a write spends."""
        return self._provider.write_classes(entity_type, is_bulk=is_bulk)

    def find(self, now: datetime) -> DueWork:
        """Everything that is due, by type."""
        self._openings, self._known_book = {}, None
        works: list[Work] = []
        waits: list[datetime] = []
        suspect_types: dict[str, None] = {}
        has_suspects = has_suspect_lanes(account_id=self._account.pk)
        free_slots = self.slots - count_on_their_way(account_id=self._account.pk)
        for entity_type in self._entity_types():
            for goes_alone in (False, True):
                due = self._due(entity_type, goes_alone, now)
                if not due:
                    continue
                if has_suspects and (suspects_at := self._opens_at(entity_type, is_bulk=False, now=now)) is not None:
                    waits.append(suspects_at)
                elif has_suspects:
                    suspect_types[entity_type] = None
                work = self._choose(entity_type, goes_alone, due, free_slots, now)
                if work is not None:
                    works.append(work)
                else:
                    waits += self._opening_times(entity_type, now)
        return DueWork(tuple(works), min(waits, default=None), tuple(suspect_types))

    def _choose(self, entity_type: str, goes_alone: bool, due: int, free_slots: int, now: datetime) -> Work | None:
        """The way that gets most done; None while the limits are closed, or a bulk write under way is to be awaited.

        Half of the single writes of a window are for what has no other way, such as notes: beyond that, values go in
        bulk however few they are, and gather while the bulk writes before them are under way.
        """
        single_opens_at = self._opens_at(entity_type, is_bulk=False, now=now)
        is_shut = single_opens_at is not None and single_opens_at > now + timedelta(seconds=MOMENT_S)
        is_scarce = is_shut or self._is_half_used(entity_type, now)
        if not goes_alone and self.slots and (due >= BULK_FROM or is_scarce):
            bulk_opens_at = self._opens_at(entity_type, is_bulk=True, now=now)
            opens_soon = free_slots <= 0 or (bulk_opens_at is not None and bulk_opens_at <= now + SOON)
            if opens_soon and (due >= BULK_FROM or is_shut):
                return None  # one will be free sooner than calls of their own get much done
            if due < BULK_FROM and due < count_on_their_way(account_id=self._account.pk, entity_type=entity_type):
                return None  # more gather until the next of them is over
            if free_slots > 0 and bulk_opens_at is None:
                size = self._bulk_size(entity_type, due)
                claims = min(free_slots, math.ceil(due / size))
                fewest = 1 if is_scarce else FEWEST_IN_BULK
                return Work(entity_type, False, True, size, claims, rest=due - size, fewest=fewest)
        if single_opens_at is not None:
            return None
        size = min(max(math.ceil(due / SINGLES_AT_ONCE), FEWEST_SINGLES), MOST_SINGLES)
        return Work(entity_type, goes_alone, False, size, rest=due - size)

    def _bulk_size(self, entity_type: str, due: int) -> int:
        """A share of all that is due and under way, so that many who look at the same backlog choose the same size."""
        underway = count_records_underway(account_id=self._account.pk, entity_type=entity_type)
        return min(max(math.ceil((due + underway) / BULKS_AT_ONCE), SMALLEST_BULK), LARGEST_BULK)

    def _opens_at(self, entity_type: str, *, is_bulk: bool, now: datetime) -> datetime | None:
        classes = self.classes(entity_type, is_bulk=is_bulk)
        if classes not in self._openings:
            self._openings[classes] = opens_at(book=self._book(), limit_classes=classes, now=now)
        return self._openings[classes]

    def _is_half_used(self, entity_type: str, now: datetime) -> bool:
        """Of the limits that bulk writes do not spend."""
        return is_half_used(book=self._book(), limit_classes=self._of_singles_alone(entity_type), now=now)

    def _of_singles_alone(self, entity_type: str) -> list[str]:
        shared = self.classes(entity_type, is_bulk=True)
        return [name for name in self.classes(entity_type, is_bulk=False) if name not in shared]

    def _book(self) -> BudgetBook:
        """The budgets, read once for each look."""
        if self._known_book is None:
            self._known_book = read_book(self._account)
        return self._known_book

    def _opening_times(self, entity_type: str, now: datetime) -> Iterator[datetime]:
        for is_bulk in (False, True):
            opening = self._openings.get(self.classes(entity_type, is_bulk=is_bulk))
            if opening is not None:
                yield opening
        ends_at = self._book().end_of(self._of_singles_alone(entity_type))  # from then on, values go alone again
        if ends_at is not None and ends_at > now:
            yield ends_at

    def _entity_types(self) -> Iterator[str]:
        """The record types of the account's lanes, by one step of the index each."""
        found = read_values(FIRST_TYPE, [self._account.pk, ""])
        while found:
            yield found[0][0]
            found = read_values(FIRST_TYPE, [self._account.pk, found[0][0]])

    def _due(self, entity_type: str, goes_alone: bool, now: datetime) -> int:
        """How many lanes a claim may look at; counted up to what makes a difference."""
        moment = as_time(now)
        [(count,)] = read_values(COUNT_DUE, [self._account.pk, entity_type, goes_alone, moment, moment])
        return int(count)
