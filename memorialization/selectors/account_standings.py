"""How accounts stand: what is due first, what holds it up, and whether anybody is at work. Each answer is bounded.

The readiness check asks for the oldest delivery that could be tried, which may have to pass over many that are held.
A page that people leave open asks less: the oldest delivery of all, and what that one waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_integrations.budgets.circuits import CircuitState
from crm_integrations.models import Authentication, Configuration, CRMAccount
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.selectors.budgets import find_shut, read_books
from crm_integrations.services.budget_books import BudgetBook
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from memorialization.models import Delivery
from memorialization.selectors.account_backlogs import count_bulk_writes, find_oldest_due
from memorialization.selectors.account_progress import STUCK_AFTER, accounts_at_work, count_held_authentications


@dataclass(frozen=True, slots=True)
class Standing:
    """One account at one moment. `shut`: limit class → when it lets deliveries through again."""

    account: CRMAccount
    book: BudgetBook
    oldest: Delivery | None  # the head of the record that has been due for longest, held or not
    shut: Mapping[str, datetime]
    shut_before: Mapping[str, datetime]  # a minute ago
    is_at_work: bool
    bulk_writes: int  # under way
    held: int  # authentications that need a person
    at: datetime

    @property
    def due_at(self) -> datetime | None:
        """Since when the oldest has been due."""
        return self.oldest.lane.next_due_at if self.oldest and self.oldest.lane else None

    @property
    def is_circuit_closed(self) -> bool:
        """Whether calls go through as usual."""
        return self.account.circuit_state == CircuitState.CLOSED.value

    @property
    def is_held(self) -> bool:
        """Whether the oldest waits for a person."""
        return self.oldest is not None and _is_held(self.oldest)

    @property
    def is_settling(self) -> bool:
        """Whether the record of the oldest rests."""
        return self._settles_after(self.at)

    @property
    def is_stuck(self) -> bool:
        """Whether the oldest has been due for a minute in which nothing held it up and nothing was tried."""
        since = self.at - STUCK_AFTER
        if self.oldest is None or self.due_at is None or self.due_at > since or self.is_at_work:
            return False
        is_waiting = self.is_held or not self.is_circuit_closed or self._settles_after(since)
        return not (is_waiting or _is_fresh(self.oldest, since) or self.find_shut_limit() or self._was_shut())

    def find_shut_limit(self) -> tuple[str, datetime] | None:
        """Of the limits that the oldest needs, the one that opens last."""
        found = [(name, self.shut[name]) for name in self._needed() & self.shut.keys()]
        return max(found, key=lambda each: each[1]) if found else None

    def _was_shut(self) -> bool:
        return bool(self._needed() & self.shut_before.keys())

    def _settles_after(self, moment: datetime) -> bool:
        lane = self.oldest.lane if self.oldest else None
        return lane is not None and lane.closed_until is not None and lane.closed_until > moment

    def _needed(self) -> set[str]:
        entity_type = self.oldest.entity_type if self.oldest else ""
        try:
            return {WHOLE_ACCOUNT, *get_provider(self.account.provider).write_classes(entity_type, is_bulk=False)}
        except UnknownProvider:
            return {WHOLE_ACCOUNT}


def read_standings(*, accounts: Sequence[CRMAccount], now: datetime) -> list[Standing]:
    """Every account's standing, in a constant number of queries."""
    books = read_books(accounts)
    oldest = find_oldest_due(accounts=accounts, now=now)
    at_work = accounts_at_work(since=now - STUCK_AFTER)
    bulk_writes, held = count_bulk_writes(accounts=accounts), count_held_authentications()
    return [
        Standing(
            account=account,
            book=books[account.pk],
            oldest=oldest.get(account.pk),
            shut=find_shut(books[account.pk], now=now),
            shut_before=find_shut(books[account.pk], now=now - STUCK_AFTER),
            is_at_work=account.pk in at_work,
            bulk_writes=bulk_writes.get(account.pk, 0),
            held=held.get(account.pk, 0),
            at=now,
        )
        for account in accounts
    ]


def _is_held(delivery: Delivery) -> bool:
    authentication = delivery.configuration.authentication
    if delivery.configuration.state != Configuration.State.ACTIVE or authentication is None:
        return True
    return authentication.state != Authentication.State.ACTIVE


def _is_fresh(delivery: Delivery, since: datetime) -> bool:
    """Whether a hold ended only now."""
    authentication = delivery.configuration.authentication
    return authentication is not None and authentication.state_changed_at > since
