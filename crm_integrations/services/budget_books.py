"""The budgets of one account under its row lock: read, changed by the pure rules, and saved in one statement.

Whoever holds the lock of the account's row is alone with its budgets and its circuit, on every database: PostgreSQL
locks the row, SQLite begins every transaction as a writer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from django.db import transaction

from crm_integrations.budgets import running, windows
from crm_integrations.budgets.windows import BudgetWindow, Stamp
from crm_integrations.models import CallBudget, CRMAccount
from crm_integrations.providers.limits import CallLimit, LimitScope
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.row_inserts import insert_values
from crm_integrations.row_sql import read_rows
from crm_integrations.row_updates import update_rows
from crm_integrations.services.account_rows import lock_account

UNKNOWN_WINDOW_S = 60.0  # of a limit that nobody documented
REASON_LIMIT = 200  # characters, as CallBudget.block_reason
SAME_NAMES = (
    "calls",
    "window_s",
    "epoch",
    "granted",
    "in_flight",
    "answered",
    "reported",
    "foreign",
    "granted_at",
    "blocked_until",
    "block_reason",
    "is_confirmed",
)
COLUMNS = (*SAME_NAMES, "scope", "window_ends_at")
_read_same = attrgetter(*SAME_NAMES)


@dataclass
class BudgetBook:
    """The windows of an account by limit class; those that were changed are saved at the end."""

    account: CRMAccount
    limits: Mapping[str, CallLimit]
    windows: dict[str, BudgetWindow] = field(default_factory=dict)
    scopes: dict[str, LimitScope] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)  # the ids of those that are stored already
    _changed: set[str] = field(default_factory=set)

    def scope_of(self, limit_class: str) -> LimitScope:
        """Who shares the limit; one that nobody documented is taken for the account's."""
        known = self.limits.get(limit_class)
        return known.scope if known else self.scopes.get(limit_class, LimitScope.ACCOUNT)

    def window_of(self, limit_class: str) -> BudgetWindow:
        """The window of a limit, from its documented size when it is the first time."""
        if limit_class in self.windows:
            return self.windows[limit_class]
        known = self.limits.get(limit_class)
        return BudgetWindow(known.calls if known else None, known.window_s if known else UNKNOWN_WINDOW_S)

    def put(self, limit_class: str, window: BudgetWindow) -> None:
        """Change a window."""
        if self.windows.get(limit_class) != window:
            self.windows[limit_class] = window
            self._changed.add(limit_class)

    def opens_at(self, limit_class: str, *, is_interactive: bool, now: datetime) -> datetime | None:
        """When the limit lets the next call through; None = now."""
        window = self.window_of(limit_class)
        reserved = 0 if is_interactive else self._head_room(window)
        if self.scope_of(limit_class) is LimitScope.IN_FLIGHT:
            return running.place_opens_at(window, reserved=reserved, now=now)
        return windows.opens_at(window, reserved=reserved, now=now, is_urgent=is_interactive)

    def spare(self, limit_classes: Sequence[str], *, now: datetime) -> int:
        """How many such calls of deliveries may be granted before they are needed; places are never."""
        if not limit_classes or any(self.scope_of(name) is LimitScope.IN_FLIGHT for name in limit_classes):
            return 0
        found = [self.window_of(name) for name in limit_classes]
        return min(windows.spare(window, reserved=self._head_room(window), now=now) for window in found)

    def is_half_used(self, limit_class: str, *, now: datetime) -> bool:
        """Whether deliveries have spent half of what they may of a limit; of places nothing is spent."""
        window = self.window_of(limit_class)
        is_place = self.scope_of(limit_class) is LimitScope.IN_FLIGHT
        return not is_place and windows.is_half_used(window, reserved=self._head_room(window), now=now)

    def end_of(self, limit_classes: Sequence[str]) -> datetime | None:
        """When the first of these windows is over, as far as is known."""
        ends = [self.window_of(name).ends_at for name in limit_classes]
        return min((end for end in ends if end is not None), default=None)

    def grant(self, limit_class: str, *, now: datetime) -> Stamp:
        """Spend one call; gives what is known of the window it was spent from."""
        is_place = self.scope_of(limit_class) is LimitScope.IN_FLIGHT
        granted = (running.take_place if is_place else windows.grant)(self.window_of(limit_class), now=now)
        self.put(limit_class, granted)
        return granted.stamp

    def block(self, limit_class: str, *, seconds: float | None, reason: str, now: datetime) -> datetime:
        """Let nobody spend from it for so long; gives the end."""
        blocked = windows.block(self.window_of(limit_class), seconds=seconds, reason=reason[:REASON_LIMIT], now=now)
        self.put(limit_class, blocked)
        assert blocked.blocked_until is not None
        return blocked.blocked_until

    def save(self) -> None:
        """Store what was changed, by one statement; whoever opened the book is alone with its rows."""
        changed = {name: self._values_of(name) for name in sorted(self._changed)}
        update_rows(CallBudget, {self.rows[name]: each for name, each in changed.items() if name in self.rows}, COLUMNS)
        new = [(self.account.pk, name, *each) for name, each in changed.items() if name not in self.rows]
        insert_values(CallBudget, ("account_id", "limit_class", *COLUMNS), new)
        self._changed.clear()

    def _head_room(self, window: BudgetWindow) -> int:
        return windows.head_room(window.calls, self.account.head_room_percent)

    def _values_of(self, limit_class: str) -> tuple[object, ...]:
        """What is stored of a window, in the order of COLUMNS."""
        window = self.windows[limit_class]
        return (*_read_same(window), self.scope_of(limit_class).value, window.ends_at)


def open_book(*, account_id: int) -> BudgetBook:
    """The account's budgets, locked until the transaction ends. Raises CRMAccount.DoesNotExist."""
    assert transaction.get_connection().in_atomic_block, "the lock lasts as long as the transaction"
    return read_book(lock_account(account_id=account_id))


def read_book(account: CRMAccount) -> BudgetBook:
    """The account's budgets as they are just now, for looking only."""
    book = BudgetBook(account, documented_limits(account.provider))
    for row in read_rows(CallBudget, "account_id = %s", [account.pk]):
        book.rows[row.limit_class] = row.pk
        book.windows[row.limit_class] = build_window(row)
        book.scopes[row.limit_class] = LimitScope(row.scope)
    return book


def documented_limits(slug: str) -> dict[str, CallLimit]:
    """The limits that a kind of CRM documents, by class."""
    try:
        limits = get_provider(slug).limits
    except UnknownProvider:
        return {}
    return {limit.limit_class: limit for limit in limits}


def build_window(row: CallBudget) -> BudgetWindow:
    """A stored budget as the rules see it."""
    return BudgetWindow(ends_at=row.window_ends_at, **{name: getattr(row, name) for name in SAME_NAMES})
