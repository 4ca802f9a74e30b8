"""The last hour of an account by minute: calls, refusals, deliveries, and how many calls were saved."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from crm_integrations.models import CallMinute, CRMAccount
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from crm_integrations.services.call_minutes import begin_of_minute
from memorialization.models import DeliveryMinute

MINUTES = 60


@dataclass(frozen=True, slots=True)
class ClassCalls:
    """Calls of one limit in the last hour. `limited`: refused by this limit."""

    calls: int = 0
    limited: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class HourOfCalls:
    """By minute, oldest first: `answered`, `limited` (refused by any limit) and `failed` calls; and by limit class."""

    answered: tuple[int, ...]
    limited: tuple[int, ...]
    failed: tuple[int, ...]
    by_class: Mapping[str, ClassCalls]

    @property
    def refusals(self) -> int:
        """Calls that the CRM refused for a limit."""
        return sum(self.limited)

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.answered) + sum(self.limited) + sum(self.failed)


@dataclass(frozen=True, slots=True)
class HourOfDeliveries:
    """By minute, oldest first. Deliveries and writes are those that succeeded; calls are all that were made."""

    deliveries: tuple[int, ...]
    writes: tuple[int, ...]
    bulk_writes: tuple[int, ...]
    calls: tuple[int, ...]
    bulk_calls: tuple[int, ...]

    @property
    def total(self) -> int:
        """Deliveries that were written."""
        return sum(self.deliveries)

    @property
    def total_calls(self) -> int:
        """Every call that sending them took: writing, waiting for bulk writes, reading back."""
        return sum(self.calls)

    @property
    def saved_by_sharing(self) -> int:
        """Writes that were not needed because several deliveries to one record went as one."""
        return max(self.total - sum(self.writes), 0)

    @property
    def saved_by_bulk(self) -> int:
        """Calls that were not needed because one carried many records; looking and reading back are taken off."""
        return max(sum(self.bulk_writes) - sum(self.bulk_calls), 0)

    @property
    def saved(self) -> int:
        """Against a client that makes one call for each delivery."""
        return self.saved_by_sharing + self.saved_by_bulk


def last_minutes(now: datetime) -> list[datetime]:
    """The minutes of the last hour, oldest first, the present one last."""
    present = begin_of_minute(now)
    return [present - timedelta(minutes=back) for back in range(MINUTES - 1, -1, -1)]


def read_calls(*, account: CRMAccount, now: datetime) -> HourOfCalls:
    """Every call to the account, whoever of us made it."""
    minutes = last_minutes(now)
    rows = list(CallMinute.objects.filter(account=account, minute__gte=minutes[0], minute__lte=minutes[-1]))
    limited: dict[datetime, int] = defaultdict(int)
    whole: dict[datetime, CallMinute] = {}
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        limited[row.minute] += row.limited
        sums[row.limit_class] = [
            a + b for a, b in zip(sums[row.limit_class], (row.calls, row.limited, row.failed), strict=True)
        ]
        if row.limit_class == WHOLE_ACCOUNT:  # every call spends this one too
            whole[row.minute] = row
    failed = [whole[minute].failed if minute in whole else 0 for minute in minutes]
    refused = [limited[minute] for minute in minutes]
    calls = [whole[minute].calls if minute in whole else 0 for minute in minutes]
    answered = [max(total - bad - no, 0) for total, bad, no in zip(calls, failed, refused, strict=True)]
    by_class = {name: ClassCalls(*counts) for name, counts in sums.items()}
    return HourOfCalls(tuple(answered), tuple(refused), tuple(failed), by_class)


def read_deliveries(*, account: CRMAccount, now: datetime) -> HourOfDeliveries:
    """What the engine sent to the account."""
    minutes = last_minutes(now)
    rows = DeliveryMinute.objects.filter(account=account, minute__gte=minutes[0], minute__lte=minutes[-1])
    found = {row.minute: row for row in rows}

    def series(name: str) -> tuple[int, ...]:
        return tuple(getattr(found[minute], name) if minute in found else 0 for minute in minutes)

    columns = ("deliveries", "writes", "bulk_writes", "calls", "bulk_calls")
    return HourOfDeliveries(*(series(name) for name in columns))


def count_refusals(*, accounts: Sequence[CRMAccount], now: datetime) -> dict[int, int]:
    """Account → calls that its CRM refused for a limit in the last hour."""
    recent = CallMinute.objects.filter(account__in=accounts, minute__gte=last_minutes(now)[0])
    return dict(recent.order_by().values_list("account_id").annotate(count=Sum("limited")))
