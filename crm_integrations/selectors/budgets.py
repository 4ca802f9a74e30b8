"""Budgets as pages show them: what of each limit of an account is used, by whom, and what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise

from crm_integrations.budgets import running, windows
from crm_integrations.budgets.windows import BudgetWindow
from crm_integrations.models import CallBudget, CRMAccount
from crm_integrations.providers.limits import LimitScope
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.services.budget_books import BudgetBook, build_window, documented_limits, read_book

RAMP = timedelta(seconds=1)  # a limit that opens so soon only feels its way into a new window


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One limit. `used` is by everybody, `foreign` of that by others; `reserved` of `left` is the head-room."""

    limit_class: str
    scope: LimitScope
    limit: int | None
    window_s: float
    used: int
    foreign: int
    left: int | None
    reserved: int
    window_ends_at: datetime | None
    blocked_until: datetime | None
    block_reason: str


def budget_states(*, account_id: int, now: datetime) -> list[BudgetState]:
    """Every limit that was asked for or reported, by name."""
    return build_states(read_book(CRMAccount.objects.get(pk=account_id)), now=now)


def read_books(accounts: Sequence[CRMAccount]) -> dict[int, BudgetBook]:
    """The budgets of many accounts by their ids, in one query, for looking only."""
    books = {account.pk: BudgetBook(account, documented_limits(account.provider)) for account in accounts}
    for row in CallBudget.objects.filter(account__in=books):
        books[row.account_id].windows[row.limit_class] = build_window(row)
        books[row.account_id].scopes[row.limit_class] = LimitScope(row.scope)
    return books


def build_states(book: BudgetBook, *, now: datetime) -> list[BudgetState]:
    """The limits of a book, by name."""
    percent = book.account.head_room_percent
    return [
        _build_state(name, book.scope_of(name), window, percent, now) for name, window in sorted(book.windows.items())
    ]


def find_shut(book: BudgetBook, *, now: datetime) -> dict[str, datetime]:
    """The limits that let no delivery through at that moment, and until when; feeling the way is not shut."""
    opens = {
        name: book.opens_at(name, is_interactive=False, now=now)
        for name in book.windows
        if book.scope_of(name) is not LimitScope.RECORD
    }
    return {name: at for name, at in opens.items() if at is not None and at > now + RAMP}


def find_limit_labels(account: CRMAccount) -> Mapping[str, str | Promise]:
    """Limit class → its words; what is missing is shown by its name."""
    try:
        return get_provider(account.provider).limit_labels
    except UnknownProvider:
        return {}


def find_pause(states: list[BudgetState], *, limit_class: str = "account") -> BudgetState | None:
    """The limit whose block stops the whole account, while it lasts."""
    return next((state for state in states if state.limit_class == limit_class and state.blocked_until), None)


def _build_state(name: str, scope: LimitScope, stored: BudgetWindow, percent: int, now: datetime) -> BudgetState:
    is_places = scope is LimitScope.IN_FLIGHT
    window = running.refresh_places(stored, now) if is_places else windows.refresh(stored, now)
    used = window.granted + window.foreign
    limit = window.calls
    is_blocked = window.blocked_until is not None and window.blocked_until > now
    return BudgetState(
        limit_class=name,
        scope=scope,
        limit=limit,
        window_s=window.window_s,
        used=used if limit is None else min(used, limit),
        foreign=window.foreign,
        left=None if limit is None else max(limit - used, 0),
        reserved=max(windows.head_room(limit, percent) - window.foreign, 0),
        window_ends_at=None if is_places else window.ends_at,
        blocked_until=window.blocked_until if is_blocked else None,
        block_reason=window.block_reason if is_blocked else "",
    )
