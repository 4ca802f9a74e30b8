"""Asks the CRM what became of the bulk writes that are on their way, all of an account together.

One process at a time, by the poll lease. A bulk write without a handle is looked for among the CRM's recent ones; one
that vanished or never ends is given up after BULK_PATIENCE_S and its records are read (semantics §6.23).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import BulkProgress, CRMRecord
from crm_integrations.providers.errors import CRMError, CRMUnavailable, GrantEnded
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.bulk_pace import SHORTEST_S, expected_duration_s, next_look_s
from memorialization.deliveries.coalescing import merge_types
from memorialization.models import BulkWrite
from memorialization.services.bulk_results import (
    MOST_LOST_POLLS,
    NO_FAULT_OF_THE_WRITE,
    BulkMember,
    conclude_by_looking_alone,
    conclude_finished,
    give_up_looking,
    read_bulk_members,
    read_record_ids,
    release_poll,
    store_progress,
)
from memorialization.services.claims import LeaseLost
from memorialization.services.poll_leases import PollLease, claim_polls
from memorialization.unexpected_errors import describe_error

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

    Errors of the CRM cost the bulk writes of their authentication some time and nothing else.
    """
    concluded: list[BulkWrite] = []
    claimed = claim_polls(account_id=account_id, now=clock())
    lease = PollLease(claimed, clock)
    for _authentication, found in groupby(claimed, key=lambda bulk: bulk.authentication_id):
        try:
            for bulk in _look_after(list(found), lease, connect):
                concluded.append(bulk)  # one by one: what is concluded counts, whatever becomes of the others
        except LeaseLost:
            logger.info("Bulk writes of account %s were looked at by somebody else meanwhile.", account_id)
    return PollReport(len(claimed), concluded)


def _look_after(bulks: Sequence[BulkWrite], lease: PollLease, connect: Connect) -> Iterator[BulkWrite]:
    """Those of one authentication; yields what is concluded. Raises LeaseLost."""
    authentication_id = bulks[0].authentication_id
    alive = [bulk for bulk in bulks if authentication_id is not None and bulk.lost_polls < MOST_LOST_POLLS]
    for bulk in bulks:
        if bulk not in alive:
            _conclude_unasked(bulk, lease.clock())
    if authentication_id is None or not alive:
        return
    try:
        yield from _look_at(alive, lease, connect(authentication_id))
    except CRMError as error:
        for bulk in lease.read_held(alive):
            _look_later(bulk, error, lease.clock())


def _conclude_unasked(bulk: BulkWrite, now: datetime) -> None:
    """Nobody can ask about it any more, or asking kills: once it should be over, its records are looked at instead."""
    if bulk.state == State.FINISHED or _is_patience_over(bulk, now):
        conclude_by_looking_alone(bulk=bulk, now=now)
    else:
        release_poll(bulk=bulk, poll_at=_end_of_patience(bulk))


def _look_at(bulks: Sequence[BulkWrite], lease: PollLease, connection: AuthenticatedConnection) -> Iterator[BulkWrite]:
    try:
        _ask(bulks, lease, connection)
    except CRMUnavailable as error:  # of its bulk writes; of records it may tell all the same
        _go_on_unanswered(lease.read_held(bulks), error, lease, connection)
    finished = [bulk for bulk in lease.read_held(bulks) if bulk.state == State.FINISHED]
    yield from _conclude_all(finished, lease, connection)


def _ask(bulks: Sequence[BulkWrite], lease: PollLease, connection: AuthenticatedConnection) -> None:
    _ask_about([bulk for bulk in bulks if bulk.state == State.RUNNING], connection, lease.clock)
    for bulk in bulks:
        if bulk.state in (State.PREPARED, State.SEARCHING):
            lease.renew()
            _search(bulk, connection, lease.clock)


def _go_on_unanswered(
    bulks: Sequence[BulkWrite], error: CRMUnavailable, lease: PollLease, connection: AuthenticatedConnection
) -> None:
    """Of some nothing was told. Those whose time is over are given up, provided that the CRM itself is not away."""
    asked = [bulk for bulk in bulks if bulk.state != State.FINISHED]
    over = [bulk for bulk in asked if _is_patience_over(bulk, lease.clock())]
    if over:
        lease.renew()
        connection.get_records(over[0].entity_type, read_record_ids(over[0])[:1])
    for bulk in asked:
        if bulk in over:
            give_up_looking(bulk=bulk, now=lease.clock())
        else:
            _look_later(bulk, error, lease.clock())


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
    if progress is not None and (_has_moved(bulk, progress) or not _is_patience_over(bulk, now)):
        look_at = now + timedelta(seconds=_next_look_s(bulk, progress.done or 0, now))
        store_progress(bulk=bulk, progress=progress, poll_at=look_at, now=now)
        if not progress.is_finished:
            release_poll(bulk=bulk)
    elif _is_patience_over(bulk, now):
        give_up_looking(bulk=bulk, now=now)
    else:
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=LOOK_AGAIN_S))


def _has_moved(bulk: BulkWrite, progress: BulkProgress) -> bool:
    """Whether it went on since the last look, however long ago that was."""
    return progress.is_finished or (progress.done or 0) > bulk.done


def _search(bulk: BulkWrite, connection: AuthenticatedConnection, clock: Clock) -> None:
    """Look for one whose handle was never stored.

    A maker that died may have made its call until just now, so the first look in vain is followed by the settle time.
    """
    since = bulk.created_at - timedelta(seconds=CLOCKS_DIFFER_S)
    search = connection.find_bulk(bulk.entity_type, read_record_ids(bulk), since=since)
    now = clock()
    is_settled = bulk.state == State.SEARCHING
    if search.progress is not None and not _is_of_another(bulk, search.progress):
        look_at = now + timedelta(seconds=SHORTEST_S)
        store_progress(bulk=bulk, progress=search.progress, poll_at=look_at, now=now, was_searched=True)
        if not search.progress.is_finished:
            release_poll(bulk=bulk)
    elif (search.is_certain and is_settled) or _is_patience_over(bulk, now):
        give_up_looking(bulk=bulk, now=now)
    else:
        wait_s = LOOK_AGAIN_S if is_settled else settings.SETTLE_S
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=wait_s), state=State.SEARCHING)


def _is_of_another(bulk: BulkWrite, progress: BulkProgress) -> bool:
    """Whether what was found is known as another bulk write of the same records."""
    known = BulkWrite.objects.filter(account=bulk.account_id, handle=progress.handle)
    return known.exclude(pk=bulk.pk).exists()


def _conclude_all(
    bulks: Sequence[BulkWrite], lease: PollLease, connection: AuthenticatedConnection
) -> Iterator[BulkWrite]:
    """Read all records back, a hundred a call whatever bulk write they belong to, then conclude one by one."""
    for entity_type, found in groupby(bulks, key=lambda bulk: bulk.entity_type):
        members: dict[BulkWrite, list[BulkMember]] = {}
        for bulk in found:
            with _costing_a_poll(bulk, lease.clock):
                members[bulk] = read_bulk_members(bulk)
        records = _read_back(entity_type, members, lease, connection)
        for bulk, own in members.items():
            if _conclude(bulk, own, records, lease.clock):
                yield bulk


def _conclude(bulk: BulkWrite, members: Sequence[BulkMember], records: Mapping[str, CRMRecord], clock: Clock) -> bool:
    is_concluded = False
    with _costing_a_poll(bulk, clock):
        conclude_finished(bulk=bulk, members=members, records=records, now=clock())
        is_concluded = True
    return is_concluded


@contextmanager
def _costing_a_poll(bulk: BulkWrite, clock: Clock) -> Iterator[None]:
    """An unexpected error costs a bulk write a poll; after a few of them its records are looked at one by one."""
    try:
        yield
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one record's surprise must not stop the others
        logger.error("Concluding bulk write %s raised %s.", bulk.pk, describe_error(error))
        later = clock() + timedelta(seconds=SHORTEST_S)
        release_poll(bulk=bulk, lost_polls=bulk.lost_polls + 1, poll_at=later)


def _read_back(
    entity_type: str,
    members: dict[BulkWrite, list[BulkMember]],
    lease: PollLease,
    connection: AuthenticatedConnection,
) -> dict[str, CRMRecord]:
    wanted = [
        each
        for bulk, own in members.items()
        for each in own
        if bulk.was_searched or each.record_id not in bulk.refusals
    ]
    types = merge_types(each.group.types for each in wanted)
    records: dict[str, CRMRecord] = {}
    for ids in _in_parts([each.record_id for each in wanted]):
        lease.renew()
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
    return now >= _end_of_patience(bulk)


def _end_of_patience(bulk: BulkWrite) -> datetime:
    return bulk.progressed_at + timedelta(seconds=settings.BULK_PATIENCE_S)


def _look_later(bulk: BulkWrite, error: CRMError, now: datetime) -> None:
    """The CRM, or the way to it, does not answer now. One that it will not speak of does not wait for ever.

    Nor do the records of a held one, which others may have to write: after a while each is looked at by itself.
    """
    is_held, is_refused = isinstance(error, GrantEnded), not isinstance(error, NO_FAULT_OF_THE_WRITE)
    is_over = _is_patience_over(bulk, now)
    if (is_refused and bulk.state == State.FINISHED) or (is_held and is_over):
        conclude_by_looking_alone(bulk=bulk, now=now)
    elif is_refused and is_over:
        give_up_looking(bulk=bulk, now=now)
        release_poll(bulk=bulk)
    else:
        wait_s = getattr(error, "retry_after_s", None) or LOOK_AGAIN_S
        release_poll(bulk=bulk, poll_at=now + timedelta(seconds=wait_s))
