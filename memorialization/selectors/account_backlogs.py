"""What waits for an account: how much, counted up to a bound, what is oldest, and what is with the CRM just now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery

from crm_integrations.models import Configuration, CRMAccount
from memorialization.models import BulkWrite, Delivery, RecordLane

COUNTED_MOST = 10_000  # beyond it pages say “over 10,000”, so that a count stays quick whatever waits
BULK_LINES = 30
# An index holds what waits, account by account and in order. CROSS JOIN has SQLite begin with it, ORDER BY PostgreSQL,
# which would else expect to find enough of any account soon, wherever it begins.
COUNT = f"""
SELECT account.id,
  (SELECT COUNT(*) FROM (
    SELECT 1 FROM memorialization_recordlane AS lane
    WHERE lane.account_id = account.id AND lane.next_due_at IS NOT NULL AND lane.lease IS NULL
    ORDER BY lane.next_due_at LIMIT {COUNTED_MOST + 1}) AS few),
  (SELECT COUNT(*) FROM (
    SELECT 1 FROM memorialization_recordlane AS lane CROSS JOIN memorialization_delivery AS delivery
    WHERE lane.account_id = account.id AND lane.next_due_at IS NOT NULL AND lane.lease IS NULL
      AND delivery.lane_id = lane.id AND delivery.state = 'waiting'
    ORDER BY lane.next_due_at LIMIT {COUNTED_MOST + 1}) AS few)
FROM crm_integrations_crmaccount AS account
"""  # noqa: S608 - a number of ours
LOOKED_FOR = f"""
SELECT configuration.id, configuration.name, authentication.account_id, configuration.state,
  (SELECT COUNT(*) FROM (
    SELECT 1 FROM memorialization_interaction AS interaction
    WHERE interaction.configuration_id = configuration.id AND interaction.match_due_at IS NOT NULL
    ORDER BY interaction.match_due_at LIMIT {COUNTED_MOST + 1}) AS few)
FROM crm_integrations_configuration AS configuration
LEFT JOIN crm_integrations_authentication AS authentication ON authentication.id = configuration.authentication_id
WHERE configuration.state <> 'deleted'
"""  # noqa: S608 - a number of ours
SHOWN_OF_OLDEST = (
    "state",
    "entity_type",
    "next_attempt_at",
    "lane__account_id",
    "lane__next_due_at",
    "lane__closed_until",
    "must_look_first",
    "configuration__name",
    "configuration__state",
    "configuration__authentication__name",
    "configuration__authentication__state",
    "configuration__authentication__state_changed_at",
)


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """So many, or more than that."""

    value: int
    is_more: bool = False

    def __bool__(self) -> bool:
        return self.value > 0


@dataclass(frozen=True, slots=True)
class LookedFor:
    """How many interactions of one configuration wait for their records; nobody looks while it is not active."""

    configuration_id: UUID
    configuration_name: str
    account_id: int | None
    is_active: bool
    count: BoundedCount


@dataclass(frozen=True, slots=True)
class Backlog:
    """Deliveries that are not with the CRM yet, how many records they are for, and what has none yet."""

    records: BoundedCount
    deliveries: BoundedCount
    looked_for: tuple[LookedFor, ...] = ()  # by configuration, of those that have any

    @property
    def interactions(self) -> BoundedCount:
        """Interactions whose records are being looked for, of all configurations."""
        total = sum(each.count.value for each in self.looked_for)
        return BoundedCount(
            min(total, COUNTED_MOST), any(each.count.is_more for each in self.looked_for) or total > COUNTED_MOST
        )


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What is with the CRM: records in bulk writes, newest first, and records that are written one by one."""

    bulk_writes: tuple[BulkWrite, ...]
    single_records: int

    @property
    def bulk_records(self) -> int:
        """Records in bulk writes."""
        return sum(bulk.size for bulk in self.bulk_writes)

    @property
    def bulk_done(self) -> int:
        """Those of them that the CRM has worked off."""
        return sum(min(bulk.done, bulk.size) for bulk in self.bulk_writes)

    @property
    def records(self) -> int:
        """All of them."""
        return self.bulk_records + self.single_records

    @property
    def shown(self) -> tuple[BulkWrite, ...]:
        """The bulk writes that a page lists."""
        return self.bulk_writes[:BULK_LINES]


NOTHING = Backlog(BoundedCount(0), BoundedCount(0))


def count_backlogs() -> dict[int, Backlog]:
    """The backlog of every account, in two queries."""
    return _count(COUNT, [], count_looked_for())


def count_backlog(*, account_id: int) -> Backlog:
    """The backlog of one account."""
    looked_for = count_looked_for(account_id=account_id)
    return _count(f"{COUNT} WHERE account.id = %s", [account_id], looked_for).get(account_id, NOTHING)


def count_looked_for(*, account_id: int | None = None) -> list[LookedFor]:
    """The configurations with interactions whose records are looked for, of one account or of all, by name."""
    condition, parameters = ("", []) if account_id is None else (" AND authentication.account_id = %s", [account_id])
    with connection.cursor() as cursor:
        cursor.execute(f"{LOOKED_FOR}{condition} ORDER BY configuration.name", parameters)
        rows = cursor.fetchall()
    return [
        LookedFor(UUID(str(pk)), name, account, state == Configuration.State.ACTIVE, _bounded(count))
        for pk, name, account, state, count in rows
        if count
    ]


def find_oldest_due(*, accounts: Sequence[CRMAccount], now: datetime) -> dict[int, Delivery]:
    """Account → the head of its record that has been due for longest, also when something holds it."""
    due = RecordLane.objects.filter(account=OuterRef("pk"), next_due_at__lte=now, lease__isnull=True)
    oldest = due.order_by("next_due_at").values("pk")[:1]
    found = CRMAccount.objects.filter(pk__in=[account.pk for account in accounts]).annotate(lane_id=Subquery(oldest))
    lanes = RecordLane.objects.filter(pk__in=[pk for pk in found.values_list("lane_id", flat=True) if pk])
    waiting = Delivery.objects.filter(lane=OuterRef("pk"), state=Delivery.State.WAITING)
    first = waiting.order_by("segment_ended_at", "segment_key").values("pk")[:1]
    heads = [pk for pk in lanes.annotate(head_id=Subquery(first)).values_list("head_id", flat=True) if pk]
    rows = Delivery.objects.filter(pk__in=heads).select_related("lane", "configuration__authentication")
    return {row.lane.account_id: row for row in rows.only(*SHOWN_OF_OLDEST) if row.lane}


def count_bulk_writes(*, accounts: Sequence[CRMAccount]) -> dict[int, int]:
    """Account → how many bulk writes are under way."""
    counted = _open_bulk_writes().filter(account__in=accounts).order_by().values_list("account_id")
    return dict(counted.annotate(count=Count("pk")))


def read_under_way(*, account: CRMAccount) -> UnderWay:
    """What the account's CRM is working on."""
    leased = RecordLane.objects.filter(lease__isnull=False, bulk_write__isnull=True)  # few: one hand full per thread
    accounts = list(leased.values_list("account_id", flat=True))
    return UnderWay(tuple(_open_bulk_writes().filter(account=account).order_by("-pk")), accounts.count(account.pk))


def _open_bulk_writes() -> QuerySet[BulkWrite]:
    return BulkWrite.objects.exclude(state=BulkWrite.State.CONCLUDED)


def _count(statement: str, parameters: list[int], looked_for: Sequence[LookedFor]) -> dict[int, Backlog]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    return {
        account_id: Backlog(
            _bounded(records), _bounded(deliveries), tuple(each for each in looked_for if each.account_id == account_id)
        )
        for account_id, records, deliveries in rows
    }


def _bounded(count: int) -> BoundedCount:
    return BoundedCount(min(count, COUNTED_MOST), count > COUNTED_MOST)
