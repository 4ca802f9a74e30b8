"""The budget governor: how many calls of each limit of an account may be made, by everybody together.

One short transaction notes the answer of the call before and asks for the next, or for a few while there is plenty.
Rows are the only state, so that any number of processes count as one, and losing a process or the broker loses nothing.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import ngettext

from crm_integrations.budgets import running, windows
from crm_integrations.budgets.circuits import weigh_failure
from crm_integrations.budgets.windows import Stamp, WindowReport
from crm_integrations.models import CallBudget, CRMAccount
from crm_integrations.providers.errors import RetryLater
from crm_integrations.providers.limits import LimitReport, LimitScope
from crm_integrations.row_sql import as_time, places_for, read_values, table_of
from crm_integrations.services.budget_books import BudgetBook, open_book
from crm_integrations.services.call_minutes import add_call_minutes, begin_of_minute
from crm_integrations.services.circuits import note_on_locked
from crm_integrations.soft_commits import soft_commit

WHOLE_ACCOUNT = "account"  # the limit class that every call spends
IN_SECONDS_S = 90  # longer waits are told in minutes


class BudgetSpent(RetryLater):
    """A limit of ours says not now: no call was made, and none is an attempt."""

    def __init__(self, *, limit_class: str, retry_after_s: float) -> None:
        super().__init__(_explain_wait(retry_after_s), retry_after_s=retry_after_s, limit_class=limit_class)


@dataclass(frozen=True, slots=True)
class Grant:
    """One call that may be made. `stamps`: limit class → what was known of the window it was spent from."""

    account_id: int
    limit_classes: tuple[str, ...]
    stamps: Mapping[str, Stamp]
    granted_at: datetime
    use_by: datetime  # then it is given back: others may reckon without it


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What became of a grant. `refused`: the limit class that refused it; `is_given_back`: it was never used."""

    grant: Grant
    at: datetime
    reports: Sequence[LimitReport] = ()
    refused: str = ""
    retry_after_s: float | None = None
    words: str = ""
    has_failed: bool = False
    is_given_back: bool = False

    def find_report(self, limit_class: str) -> LimitReport | None:
        """What it said of one limit."""
        return next((report for report in self.reports if report.limit_class == limit_class), None)


def acquire(
    *,
    account_id: int,
    limit_classes: Sequence[str],
    is_interactive: bool,
    now: datetime,
    answers: Sequence[CallAnswer] = (),
) -> Grant:
    """Spend one call of each limit, or of none; notes `answers` first. Raises BudgetSpent.

    Deliveries leave the account's head-room to others, people's own calls may use it.
    """
    [granted] = acquire_several(
        account_id=account_id,
        limit_classes=limit_classes,
        is_interactive=is_interactive,
        most=1,
        now=now,
        answers=answers,
    )
    return granted


def acquire_several(
    *,
    account_id: int,
    limit_classes: Sequence[str],
    is_interactive: bool,
    most: int,
    now: datetime,
    answers: Sequence[CallAnswer] = (),
) -> list[Grant]:
    """The same for a row of calls: one, and up to `most` while there is plenty of all limits.

    Those beyond the first end with their windows, so that none is spent from one and counted by the CRM in the next.
    Before each of them it is to be asked whether the CRM has refused anybody meanwhile (`is_blocked`).
    """
    has_refusals = any(answer.refused for answer in answers)
    with nullcontext() if has_refusals else soft_commit(), transaction.atomic(savepoint=False):
        book = open_book(account_id=account_id)
        _note_answers(book, answers)
        governed = _governed(book, limit_classes)
        shut = _find_shut(book, governed, is_interactive=is_interactive, now=now)
        grants = [] if shut else [_spend(book, limit_classes, now)]
        if grants:
            ahead = min(book.spare(governed, now=now), most - 1)
            grants += [_spend_ahead(book, limit_classes, now) for _call in range(ahead)]
        book.save()
    if shut:
        limit_class, until = shut
        raise BudgetSpent(limit_class=limit_class, retry_after_s=max((until - now).total_seconds(), 0.0))
    return grants


def settle(*, account_id: int, answers: Sequence[CallAnswer]) -> None:
    """Note what became of grants."""
    if not answers:
        return
    with transaction.atomic():
        try:
            book = open_book(account_id=account_id)
        except CRMAccount.DoesNotExist:
            return
        _note_answers(book, answers)
        book.save()


def opens_at(
    *, book: BudgetBook, limit_classes: Sequence[str], now: datetime, is_interactive: bool = False
) -> datetime | None:
    """When a call of these limits may be made, as the book was read; None = at once. Only `acquire` decides."""
    shut = _find_shut(book, _governed(book, limit_classes), is_interactive=is_interactive, now=now)
    return shut[1] if shut else None


def is_half_used(*, book: BudgetBook, limit_classes: Sequence[str], now: datetime) -> bool:
    """Whether half of what deliveries may spend of one of these limits is spent, as the book was read."""
    return any(book.is_half_used(name, now=now) for name in _governed(book, limit_classes))


def blocked_until(*, account_id: int, now: datetime, limit_class: str = WHOLE_ACCOUNT) -> datetime | None:
    """Until when the CRM asked to be left alone; None = it did not."""
    rows = CallBudget.objects.filter(account_id=account_id, limit_class=limit_class, blocked_until__gt=now)
    return rows.values_list("blocked_until", flat=True).first()


def is_blocked(*, account_id: int, limit_classes: Sequence[str], now: datetime) -> bool:
    """Whether the CRM asked to be left alone with such calls; read without any lock."""
    statement = (
        f"SELECT 1 FROM {table_of(CallBudget)} WHERE account_id = %s "  # noqa: S608 - the name of our own model
        f"AND limit_class IN ({places_for(limit_classes)}) AND blocked_until > %s LIMIT 1"
    )
    return bool(read_values(statement, [account_id, *limit_classes, as_time(now)]))


def set_in_flight(*, account_id: int, limit_class: str, count: int, now: datetime) -> None:
    """So many of ours take a place in this limit just now, by the count of whoever keeps them."""
    with transaction.atomic():
        book = open_book(account_id=account_id)
        book.put(limit_class, running.set_running(book.window_of(limit_class), count=count, now=now))
        book.save()


def forget_past_blocks(*, now: datetime) -> int:
    """Clear blocks that are over, so that pages do not show their reasons; returns how many there were."""
    return CallBudget.objects.filter(blocked_until__lt=now).update(blocked_until=None, block_reason="")


def _governed(book: BudgetBook, limit_classes: Sequence[str]) -> list[str]:
    """Those that are limits of the account; limits of single records are the lanes' concern."""
    return [name for name in limit_classes if book.scope_of(name) is not LimitScope.RECORD]


def _spend(book: BudgetBook, limit_classes: Sequence[str], now: datetime) -> Grant:
    stamps = {name: book.grant(name, now=now) for name in _governed(book, limit_classes)}
    return Grant(book.account.pk, tuple(limit_classes), stamps, now, now + timedelta(seconds=windows.STALE_S))


def _spend_ahead(book: BudgetBook, limit_classes: Sequence[str], now: datetime) -> Grant:
    granted = _spend(book, limit_classes, now)
    ends_at = book.end_of(_governed(book, limit_classes))
    return granted if ends_at is None else replace(granted, use_by=min(granted.use_by, ends_at))


def _find_shut(
    book: BudgetBook, limit_classes: Sequence[str], *, is_interactive: bool, now: datetime
) -> tuple[str, datetime] | None:
    """The limit that opens last, and when; None when all are open."""
    found = [(name, book.opens_at(name, is_interactive=is_interactive, now=now)) for name in limit_classes]
    shut = [(name, until) for name, until in found if until is not None]
    return max(shut, key=lambda each: each[1]) if shut else None


def _note_answers(book: BudgetBook, answers: Sequence[CallAnswer]) -> None:
    """Correct the budgets, count the minutes and the circuit."""
    minutes: dict[tuple[str, datetime], Counter[str]] = defaultdict(Counter)
    for answer in answers:
        _correct_budgets(book, answer)
        if not answer.is_given_back:
            _count_minutes(minutes, answer)
    made = [answer for answer in answers if not answer.is_given_back]
    if not made:
        return
    add_call_minutes(account_id=book.account.pk, counts=minutes)
    news = [answer for answer in made if _is_newer(answer, book.account.circuit_opened_at)]
    failures = sum(_weigh_failure(answer) for answer in news if answer.has_failed)
    successes = sum(not answer.has_failed for answer in news)
    note_on_locked(book.account, calls=successes + failures, failures=failures, now=made[-1].at)


def _is_newer(answer: CallAnswer, opened_at: datetime | None) -> bool:
    """Whether it says how the CRM is since the circuit opened: an answer may have been kept, and a call have hung."""
    told_of = answer.grant.granted_at if answer.has_failed else answer.at
    return opened_at is None or told_of > opened_at


def _weigh_failure(answer: CallAnswer) -> int:
    """How many failed calls it counts as: one that hangs keeps a thread from the other accounts all the time."""
    return weigh_failure(lasted_s=(answer.at - answer.grant.granted_at).total_seconds())


def _correct_budgets(book: BudgetBook, answer: CallAnswer) -> None:
    for limit_class, stamp in answer.grant.stamps.items():
        is_place = book.scope_of(limit_class) is LimitScope.IN_FLIGHT
        (_settle_place if is_place else _settle_call)(book, limit_class, stamp, answer)
    for report in answer.reports:
        is_budget = report.scope is LimitScope.ACCOUNT and book.scope_of(report.limit_class) is LimitScope.ACCOUNT
        if is_budget and report.limit_class not in answer.grant.stamps:
            window = book.window_of(report.limit_class)
            observed = windows.observe(window, report=_as_window_report(report), now=answer.at)
            book.put(report.limit_class, observed)
    if answer.refused and book.scope_of(answer.refused) is not LimitScope.RECORD:
        book.block(answer.refused, seconds=answer.retry_after_s, reason=answer.words, now=answer.at)


def _settle_call(book: BudgetBook, limit_class: str, stamp: Stamp, answer: CallAnswer) -> None:
    window, report = book.window_of(limit_class), answer.find_report(limit_class)
    if answer.is_given_back:
        book.put(limit_class, windows.give_back(window, stamp=stamp))
        return
    read = _as_window_report(report) if report else None
    book.put(limit_class, windows.settle(window, stamp=stamp, report=read, now=answer.at))


def _settle_place(book: BudgetBook, limit_class: str, _stamp: Stamp, answer: CallAnswer) -> None:
    """A place stays taken when the CRM took the work, or may have; its keeper knows better, soon."""
    window, report = book.window_of(limit_class), answer.find_report(limit_class)
    if answer.is_given_back or answer.refused:
        window = running.free_place(window)
    if report is not None:
        window = running.read_places(window, report=_as_window_report(report), now=answer.at)
    book.put(limit_class, window)


def _count_minutes(minutes: dict[tuple[str, datetime], Counter[str]], answer: CallAnswer) -> None:
    minute = begin_of_minute(answer.at)
    for limit_class in answer.grant.stamps:
        minutes[limit_class, minute] += Counter(calls=1, failed=int(answer.has_failed))
    if answer.refused:
        minutes[answer.refused, minute]["limited"] += 1


def _as_window_report(report: LimitReport) -> WindowReport:
    return WindowReport(report.limit, report.remaining, report.resets_in_s)


def _explain_wait(seconds: float) -> str:
    if seconds <= IN_SECONDS_S:
        wait = max(math.ceil(seconds), 1)
        return ngettext(
            "The calls that the CRM allows are used up. Try again in %(count)d second.",
            "The calls that the CRM allows are used up. Try again in %(count)d seconds.",
            wait,
        ) % {"count": wait}
    wait = math.ceil(seconds / 60)
    return ngettext(
        "The calls that the CRM allows are used up. Try again in %(count)d minute.",
        "The calls that the CRM allows are used up. Try again in %(count)d minutes.",
        wait,
    ) % {"count": wait}
