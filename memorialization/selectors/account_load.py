"""How an account gets on, for its page: its state in one sentence, why the oldest delivery waits, and all figures."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404

from crm_integrations.models import CRMAccount
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.selectors.budgets import build_states
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from memorialization.models import Delivery
from memorialization.selectors.account_activity import (
    HourOfCalls,
    HourOfDeliveries,
    count_refusals,
    read_calls,
    read_deliveries,
)
from memorialization.selectors.account_backlogs import (
    NOTHING,
    Backlog,
    UnderWay,
    count_backlog,
    count_backlogs,
    read_under_way,
)
from memorialization.selectors.account_conditions import Condition, explain_wait, find_condition
from memorialization.selectors.account_limits import LimitRow, build_limit_rows
from memorialization.selectors.account_standings import Standing, read_standings


@dataclass(frozen=True, slots=True)
class OldestDue:
    """The delivery that has been due for longest, and what it waits for."""

    delivery: Delivery
    due_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class AccountLoad:
    """Everything that changes on the page of one account."""

    account: CRMAccount
    condition: Condition
    backlog: Backlog
    under_way: UnderWay
    oldest: OldestDue | None
    hour: HourOfDeliveries
    calls: HourOfCalls
    limits: list[LimitRow]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line of the list. `limit`: the one that all calls count for, when the CRM said how large it is."""

    account: CRMAccount
    condition: Condition
    backlog: Backlog
    limit: LimitRow | None
    refusals: int


def account_or_404(pk: int) -> CRMAccount:
    """The account."""
    account = CRMAccount.objects.filter(pk=pk).first()
    if account is None:
        raise Http404
    return account


def type_label(account: CRMAccount) -> str:
    """The name of its kind of CRM."""
    try:
        return str(get_provider(account.provider).label)
    except UnknownProvider:
        return account.provider


def account_url(account: CRMAccount) -> str:
    """Its address for people."""
    try:
        return get_provider(account.provider).account_url(account.address)
    except UnknownProvider:
        return account.address


def read_account_load(*, account: CRMAccount, now: datetime) -> AccountLoad:
    """The figures of one account, in a constant number of queries."""
    standing = read_standings(accounts=[account], now=now)[0]
    backlog = count_backlog(account_id=account.pk)
    calls = read_calls(account=account, now=now)
    return AccountLoad(
        account=account,
        condition=find_condition(standing, backlog),
        backlog=backlog,
        under_way=read_under_way(account=account),
        oldest=_build_oldest(standing),
        hour=read_deliveries(account=account, now=now),
        calls=calls,
        limits=build_limit_rows(account, build_states(standing.book, now=now), calls.by_class, now),
    )


def read_account_lines(*, now: datetime) -> list[AccountLine]:
    """All accounts by address, in a constant number of queries."""
    accounts = list(CRMAccount.objects.order_by("address", "pk"))
    backlogs, refusals = count_backlogs(), count_refusals(accounts=accounts, now=now)
    return [
        _build_line(standing, backlogs.get(standing.account.pk, NOTHING), refusals.get(standing.account.pk, 0))
        for standing in read_standings(accounts=accounts, now=now)
    ]


def _build_line(standing: Standing, backlog: Backlog, refusals: int) -> AccountLine:
    states = build_states(standing.book, now=standing.at)
    whole = [state for state in states if state.limit_class == WHOLE_ACCOUNT and state.limit]
    limits = build_limit_rows(standing.account, whole, {}, standing.at)
    return AccountLine(
        account=standing.account,
        condition=find_condition(standing, backlog),
        backlog=backlog,
        limit=limits[0] if limits else None,
        refusals=refusals,
    )


def _build_oldest(standing: Standing) -> OldestDue | None:
    if standing.oldest is None or standing.due_at is None:
        return None
    return OldestDue(standing.oldest, standing.due_at, explain_wait(standing))
