"""How each account gets on: what is due, why it may wait, and whether it is stuck. Few queries for all accounts.

Waiting for calls to be allowed, for a circuit to close, for a hold to end or for a record to settle is no failure.
Due work that nothing holds up, and that nobody tries for a minute, is.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)

from crm_integrations.models import Authentication, CallBudget, Configuration, CRMAccount
from crm_integrations.providers.limits import LimitScope
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.services.budget_books import BudgetBook, build_window, documented_limits
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from memorialization.models import Attempt, BulkWrite, Delivery, RecordLane

STUCK_AFTER = timedelta(seconds=60)  # due for longer, and nothing tried meanwhile: no worker and no sweep is at work
NEWEST_ATTEMPTS = 50_000  # looked at for signs of work: more than workers make in a minute
RAMP = timedelta(seconds=1)  # a limit that opens so soon only feels its way into a new window


@dataclass(frozen=True, slots=True)
class AccountProgress:
    """One account at one moment. `blocked`: limit class → when it lets deliveries through again."""

    account: CRMAccount
    oldest_due_at: datetime | None  # of what could be tried now
    is_overdue: bool  # for a minute by now, and nothing but a limit or the circuit can hold it up
    is_at_work: bool
    is_waiting: bool  # for a limit or the circuit, within the last minute
    blocked: Mapping[str, datetime]
    bulk_writes: int  # under way

    @property
    def is_stuck(self) -> bool:
        """Whether it should move and does not."""
        return self.is_overdue and not self.is_at_work and not self.is_waiting


@dataclass(frozen=True, slots=True)
class Oldest:
    """Of the lanes that could be claimed: since when the first is due, and the type of the first a minute ago."""

    due_at: datetime | None
    overdue_type: str | None


def read_progress(*, now: datetime) -> list[AccountProgress]:
    """All accounts, by id."""
    since = now - STUCK_AFTER
    accounts = list(CRMAccount.objects.order_by("pk"))
    oldest = _read_oldest(now, since)
    books = _read_books(accounts)
    bulk_writes = _read_bulk_writes(since)
    at_work = accounts_at_work(since=since)
    return [
        AccountProgress(
            account=account,
            oldest_due_at=oldest[account.pk].due_at,
            is_overdue=oldest[account.pk].overdue_type is not None or bulk_writes[account.pk][1],
            is_at_work=account.pk in at_work,
            is_waiting=_is_waiting(account, oldest[account.pk].overdue_type, books[account.pk], since),
            blocked=_find_blocked(books[account.pk], now),
            bulk_writes=bulk_writes[account.pk][0],
        )
        for account in accounts
    ]


def accounts_at_work(*, since: datetime) -> set[int]:
    """Accounts for which a write was tried since then."""
    newest = Subquery(Attempt.objects.order_by("-pk").values("pk")[:1], output_field=BigIntegerField())
    recent = Attempt.objects.filter(pk__gt=newest - NEWEST_ATTEMPTS, started_at__gte=since)
    return set(recent.order_by().values_list("lane__account_id", flat=True).distinct())


def due_lanes(*, now: datetime) -> QuerySet[RecordLane]:
    """Record lanes that a worker could claim at this moment, limits and circuits apart."""
    return RecordLane.objects.filter(
        Q(closed_until__isnull=True) | Q(closed_until__lte=now),
        Exists(_deliveries_to_try(now)),
        lease__isnull=True,
        next_due_at__lte=now,
    )


def count_lanes(*, now: datetime) -> dict[str, Mapping[int, int]]:
    """Kind → account → how many of its record lanes are such; each kind is read from an index of just those lanes.

    Those in somebody's hands are few and counted here: grouped by SQLite, it would read all lanes by account.
    """
    waiting = RecordLane.objects.order_by().filter(next_due_at__isnull=False, lease__isnull=True)
    by_account = waiting.values_list("account_id").annotate(count=Count("pk"))
    leased = RecordLane.objects.filter(lease__isnull=False, bulk_write__isnull=True)
    in_bulk = RecordLane.objects.filter(bulk_write__isnull=False)
    return {
        "due": dict(by_account.filter(next_due_at__lte=now)),
        "settling": dict(by_account.filter(closed_until__gt=now)),
        "leased": Counter(leased.values_list("account_id", flat=True)),
        "in_bulk": Counter(in_bulk.values_list("account_id", flat=True)),
    }


def count_held_authentications() -> dict[int, int]:
    """Account → how many of its authentications hold what waits for them."""
    held = Authentication.objects.exclude(state=Authentication.State.ACTIVE).filter(
        configurations__state=Configuration.State.ACTIVE
    )
    return dict(held.order_by().values_list("account_id").annotate(count=Count("pk", distinct=True)))


def _deliveries_to_try(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        lane=OuterRef("pk"),
        state=Delivery.State.WAITING,
        next_attempt_at__lte=now,
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__account=OuterRef("account"),
        configuration__authentication__state=Authentication.State.ACTIVE,
        configuration__authentication__state_changed_at__lte=now,
    )


def _read_oldest(now: datetime, since: datetime) -> dict[int, Oldest]:
    """Each account's oldest due lanes; a wholly held account is not searched for any, however much waits."""
    usable = Configuration.objects.filter(
        state=Configuration.State.ACTIVE,
        authentication__state=Authentication.State.ACTIVE,
        authentication__account=OuterRef("pk"),
    )

    def first(column: str, moment: datetime) -> Case:
        lanes = due_lanes(now=moment).filter(account=OuterRef("pk")).order_by("next_due_at").values(column)
        return Case(When(Exists(usable), then=Subquery(lanes[:1])))

    rows = CRMAccount.objects.annotate(due_at=first("next_due_at", now), overdue_type=first("entity_type", since))
    found = {row[0]: Oldest(row[1], row[2]) for row in rows.values_list("pk", "due_at", "overdue_type")}
    return defaultdict(lambda: Oldest(None, None), found)  # an account may be added meanwhile


def _read_books(accounts: list[CRMAccount]) -> dict[int, BudgetBook]:
    """Every account's budgets, to look at."""
    books = {account.pk: BudgetBook(account, documented_limits(account.provider)) for account in accounts}
    for row in CallBudget.objects.filter(account__in=accounts):
        books[row.account_id].windows[row.limit_class] = build_window(row)
        books[row.account_id].scopes[row.limit_class] = LimitScope(row.scope)
    return books


def _read_bulk_writes(since: datetime) -> dict[int, tuple[int, bool]]:
    """Account → how many bulk writes are under way, and whether nobody looks after one of them."""
    unseen = Q(poll_at__lte=since) & (Q(poll_lease_until__isnull=True) | Q(poll_lease_until__lte=since))
    usable = Authentication.objects.filter(
        account=OuterRef("account"), state=Authentication.State.ACTIVE, state_changed_at__lte=since
    )
    found = (
        BulkWrite.objects.exclude(state=BulkWrite.State.CONCLUDED)
        .order_by()
        .values("account_id")
        .annotate(count=Count("pk"), unseen=Min("poll_at", filter=Q(unseen, Exists(usable))))
    )
    counts = {row["account_id"]: (row["count"], row["unseen"] is not None) for row in found}
    return defaultdict(lambda: (0, False), counts)


def _is_waiting(account: CRMAccount, entity_type: str | None, book: BudgetBook, since: datetime) -> bool:
    """Whether the circuit, or a limit that its oldest overdue write needs, held the account up at any time since then.

    A circuit that nobody probes any more holds nothing up: somebody should.
    """
    if account.circuit_state != CRMAccount.Circuit.CLOSED:
        return account.circuit_probe_at is None or account.circuit_probe_at > since
    return bool(_find_blocked(book, since).keys() & _needed_limits(account.provider, entity_type))


def _needed_limits(provider: str, entity_type: str | None) -> set[str]:
    """What a write of that type spends, alone or in bulk; without a type, what every call spends."""
    try:
        write_classes = get_provider(provider).write_classes
    except UnknownProvider:
        return {WHOLE_ACCOUNT}
    if entity_type is None:
        return {WHOLE_ACCOUNT}
    return {WHOLE_ACCOUNT, *write_classes(entity_type, is_bulk=False), *write_classes(entity_type, is_bulk=True)}


def _find_blocked(book: BudgetBook, now: datetime) -> dict[str, datetime]:
    """The account's limits that let no delivery through at that moment, and until when."""
    opens = {
        name: book.opens_at(name, is_interactive=False, now=now)
        for name in book.windows
        if book.scope_of(name) is not LimitScope.RECORD
    }
    return {
        name: at for name, at in opens.items() if at is not None and (at > now + RAMP or _counts_places(book, name))
    }


def _counts_places(book: BudgetBook, name: str) -> bool:
    """Whether it is a limit on what runs at the same time: when one of its places opens nobody knows."""
    return book.scope_of(name) is LimitScope.IN_FLIGHT
