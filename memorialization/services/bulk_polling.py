"""Asks the CRM what became of the bulk writes that are on their way, all of an account together.

One process at a time, by the poll lease. A bulk write without a handle is looked for among the CRM's recent ones; one
that vanished or never ends is given up after BULK_PATIENCE_S and its records are read (semantics §6.23).
"""

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import BulkProgress, CRMRecord
from crm_integrations.providers.errors import CRMError, GrantEnded
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.bulk_pace import LONGEST_S, SHORTEST_S, expected_duration_s, next_look_s
from memorialization.models import BulkWrite
from memorialization.services.bulk_results import (
    MOST_LOST_POLLS,
    BulkMember,
    conclude_by_looking_alone,
    conclude_finished,
    give_up_looking,
    read_bulk_members,
    read_record_ids,
    release_poll,
    store_progress,
)
from memorialization.services.bulk_writing import merge_types
from memorialization.services.claims import LeaseLost, lease_length_s
from memorialization.services.single_pushes import describe_error

logger = logging.getLogger(__name__)

State = BulkWrite.State
Connect = Callable[[int], AuthenticatedConnection]
READ_AT_ONCE = 100  # records per call, and handles
LOOK_AGAIN_S = 10.0  # after an error that says no time
CLOCKS_DIFFER_S = 300  # the CRM's clock may be this far from ours


@dataclass(frozen=True, slots=True)
class PollReport:
    """How many bulk writes were looked at, and those that are concluded now."""

    looked_at: int
    concluded: list[BulkWrite]


def poll_bulk_writes(*, account_id: int, connect: Connect, clock: Clock) -> PollReport:
    """Look at every bulk write whose time has come and conclude those that are over.

    Errors of the CRM cost the bulk writes of their authentication some time and nothing else. Raises LeaseLost.
    """
    concluded: list[BulkWrite] = []
    claimed = claim_polls(account_id=account_id, now=clock())
    for authentication_id, found in groupby(claimed, key=lambda bulk: bulk.authentication_id):
        group = list(found)
        if authentication_id is None:  # nobody can ask any more; whoever writes these records next looks first
            for bulk in group:
                conclude_by_looking_alone(bulk=bulk, now=clock())
            continue
        try:
            concluded += _look_at(group, connect(authentication_id), clock)
        except CRMError as error:
            _look_later(group, error, clock())
    return PollReport(len(claimed), concluded)


def claim_polls(*, account_id: int, now: datetime) -> list[BulkWrite]:
    """Take the account's open bulk writes, as soon as the time of one of them has come; ordered by authentication."""
    free = Q(poll_lease__isnull=True) | Q(poll_lease_until__lte=now)
    unconcluded = BulkWrite.objects.filter(free, account=account_id).exclude(state=State.CONCLUDED)
    if not unconcluded.filter(poll_at__lte=now).exists():
        return []
    lost = unconcluded.filter(poll_lease_until__lte=now)
    lost.update(lost_polls=F("lost_polls") + 1, poll_lease=None, poll_lease_until=None)
    lease, until = uuid.uuid4(), now + timedelta(seconds=lease_length_s())
    unconcluded.filter(Q(poll_at__lte=now) | Q(state=State.RUNNING)).update(poll_lease=lease, poll_lease_until=until)
    return list(BulkWrite.objects.filter(poll_lease=lease).order_by("authentication", "entity_type", "pk"))


def _look_at(bulks: Sequence[BulkWrite], connection: AuthenticatedConnection, clock: Clock) -> list[BulkWrite]:
    for bulk in [bulk for bulk in bulks if bulk.lost_polls >= MOST_LOST_POLLS]:
        conclude_by_looking_alone(bulk=bulk, now=clock())
    alive = [bulk for bulk in bulks if bulk.lost_polls < MOST_LOST_POLLS]
    if not alive:
        return []
    _ask_about([bulk for bulk in alive if bulk.state == State.RUNNING], connection, clock)
    for bulk in alive:
        if bulk.state in (State.PREPARED, State.SEARCHING):
            _search(bulk, connection, clock)
    finished = BulkWrite.objects.filter(
        pk__in=[bulk.pk for bulk in alive], poll_lease=alive[0].poll_lease, state=State.FINISHED
    )
    return _conclude_all(list(finished.order_by("entity_type", "pk")), connection, clock)


def _ask_about(running: Sequence[BulkWrite], connection: AuthenticatedConnection, clock: Clock) -> None:
    """One call for all of them."""
    for start in range(0, len(running), READ_AT_ONCE):
        part = running[start : start + READ_AT_ONCE]
        found = connection.read_bulk([bulk.handle for bulk in part])
        now = clock()
        with transaction.atomic():
            for bulk in part:
                _note_progress(bulk, found.get(bulk.handle), now)


def _note_progress(bulk: BulkWrite, progress: BulkProgress | None, now: datetime) -> None:
    """What the CRM says of one; None = it knows nothing of it."""
    if progress is not None and (progress.is_finished or not _is_patience_over(bulk, now)):
        look_at = now + timedelta(seconds=_next_look_s(bulk, progress.done or 0, now))
        store_progress(bulk=bulk, progress=progress, poll_at=look_at, now=now)
        if not progress.is_finished:
            release_poll(bulk=bulk)
    elif _is_patience_over(bulk, now):
        give_up_looking(bulk=bulk, now=now)
    else:
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=LOOK_AGAIN_S))


def _search(bulk: BulkWrite, connection: AuthenticatedConnection, clock: Clock) -> None:
    """Look for one whose handle was never stored."""
    since = bulk.created_at - timedelta(seconds=CLOCKS_DIFFER_S)
    search = connection.find_bulk(bulk.entity_type, read_record_ids(bulk), since=since)
    now = clock()
    is_settled = now >= bulk.created_at + timedelta(seconds=settings.SETTLE_S)
    if search.progress is not None:
        store_progress(bulk=bulk, progress=search.progress, poll_at=now + timedelta(seconds=SHORTEST_S), now=now)
        if not search.progress.is_finished:
            release_poll(bulk=bulk)
    elif (search.is_certain and is_settled) or _is_patience_over(bulk, now):
        give_up_looking(bulk=bulk, now=now)
    else:
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=LOOK_AGAIN_S), state=State.SEARCHING)


def _conclude_all(bulks: Sequence[BulkWrite], connection: AuthenticatedConnection, clock: Clock) -> list[BulkWrite]:
    """Read all records back, a hundred a call whatever bulk write they belong to, then conclude one by one."""
    concluded: list[BulkWrite] = []
    for entity_type, found in groupby(bulks, key=lambda bulk: bulk.entity_type):
        members = {bulk: read_bulk_members(bulk) for bulk in found}
        records = _read_back(entity_type, members, connection)
        concluded += [bulk for bulk, own in members.items() if _conclude(bulk, own, records, clock())]
    return concluded


def _conclude(bulk: BulkWrite, members: Sequence[BulkMember], records: Mapping[str, CRMRecord], now: datetime) -> bool:
    """Conclude one; an unexpected error costs it a poll, and after a few its records are looked at one by one."""
    try:
        conclude_finished(bulk=bulk, members=members, records=records, now=now)
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one record's surprise must not stop the others
        logger.error("Concluding bulk write %s raised %s.", bulk.pk, describe_error(error))
        release_poll(bulk=bulk, lost_polls=bulk.lost_polls + 1, poll_at=now + timedelta(seconds=SHORTEST_S))
        return False
    return True


def _read_back(
    entity_type: str, members: dict[BulkWrite, list[BulkMember]], connection: AuthenticatedConnection
) -> dict[str, CRMRecord]:
    wanted = [each for bulk, own in members.items() for each in own if each.record_id not in bulk.refusals]
    types = merge_types([each.group for each in wanted])
    records: dict[str, CRMRecord] = {}
    for ids in _in_parts([each.record_id for each in wanted]):
        records |= connection.get_records(entity_type, ids, types=types)
    return records


def _in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), READ_AT_ONCE):
        yield ids[start : start + READ_AT_ONCE]


def _next_look_s(bulk: BulkWrite, done: int, now: datetime) -> float:
    elapsed_s = (now - bulk.created_at).total_seconds()
    return next_look_s(size=bulk.size, done=done, elapsed_s=elapsed_s, expected_s=expected_duration_s(size=bulk.size))


def _is_patience_over(bulk: BulkWrite, now: datetime) -> bool:
    """Whether it has shown no progress for so long that nobody knows any more what it does."""
    return now >= bulk.progressed_at + timedelta(seconds=settings.BULK_PATIENCE_S)


def _look_later(bulks: Sequence[BulkWrite], error: CRMError, now: datetime) -> None:
    """The CRM, or the way to it, does not answer now; held ones wait for their person."""
    wait_s = LONGEST_S if isinstance(error, GrantEnded) else getattr(error, "retry_after_s", None) or LOOK_AGAIN_S
    for bulk in bulks:
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=wait_s))
