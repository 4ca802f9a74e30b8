"""Bulk writes that were given up (semantics §6.23), and that the CRM may carry out after all.

What was written to their records meanwhile is newer, and would be overwritten then. A CRM forgets its bulk writes
soon, so the records themselves are looked at, ever more seldom, for a day. Where one shows what such a bulk write
carried in place of a newer value of ours, that value goes again, once, as the bulk write is carried out once; what
anybody else wrote stays.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from crm_integrations.providers.base import CRMRecord, CRMValue
from crm_integrations.providers.errors import CRMError
from crm_integrations.row_sql import as_time, read_rows
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.field_sheets import Entry, read_type
from memorialization.deliveries.verification import values_agree
from memorialization.models import Attempt, BulkWrite, Delivery
from memorialization.services.account_turn import Turn
from memorialization.services.marks import read_marks
from memorialization.services.replays import ReplayRefused, replay_delivery

logger = logging.getLogger(__name__)

LATE = "account_id = %s AND state = 'concluded' AND poll_at <= %s"  # in the words of the index bulk_write_late
DUE = f"{LATE} ORDER BY poll_at LIMIT %s"
WATCHED_FOR = timedelta(hours=24)
UNFINISHED = (Delivery.State.WAITING, Delivery.State.SENDING)
LOOKED_AT_ONCE = 20  # bulk writes of a turn, each of up to a hundred records


def first_late_look(bulk: BulkWrite, now: datetime) -> datetime | None:
    """When the records of one that the CRM may have taken are looked at again; None when it was seen to be over."""
    return now + _patience() if bulk.finished_at is None else None


def look_after_given_up(turn: Turn) -> None:
    """Look at the records of those whose time has come; what is left undone, by whatever cause, is looked at soon."""
    due = read_rows(BulkWrite, DUE, [turn.account.pk, as_time(turn.clock()), LOOKED_AT_ONCE])
    for bulk in due:
        now = turn.clock()
        if not _take(bulk, now):
            continue
        try:
            is_done = bulk.authentication_id is None or _mend(bulk, bulk.authentication_id, turn)
        except CRMError:
            is_done = False
        next_at = now + (now - bulk.created_at) if is_done else turn.clock() + _patience()
        BulkWrite.objects.filter(pk=bulk.pk).update(poll_at=_within_the_watch(bulk, next_at))


def _take(bulk: BulkWrite, now: datetime) -> bool:
    """Whether it is ours to look at, as one of many workers. Should we die of it, somebody else looks soon.

    That may be after the watch, once: a look that was begun within it is not lost, and none kills workers for ever.
    """
    again_at = now + _patience() if _within_the_watch(bulk, now) else None
    as_seen = BulkWrite.objects.filter(pk=bulk.pk, poll_at=bulk.poll_at)
    return bool(as_seen.update(poll_at=again_at))


def _within_the_watch(bulk: BulkWrite, moment: datetime) -> datetime | None:
    return moment if moment < bulk.created_at + WATCHED_FOR else None


def _patience() -> timedelta:
    return timedelta(seconds=settings.BULK_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class _Overwritten:
    """A field that may show what a late bulk write carried, and the delivery of which it should show the value."""

    record_id: str
    entry: Entry
    late: Sequence[CRMValue]
    delivery: Delivery

    @property
    def field(self) -> str:
        """The key of the field."""
        return str(self.entry["crm_field"])


def _mend(bulk: BulkWrite, authentication_id: int, turn: Turn) -> bool:
    """Send again what is newer than the bulk write and does not stand any more: just those fields. Raises CRMError.

    Answers whether that was all: what is still on its own way (for its note, say) can only go again when that is over.
    """
    suspects = list(_find_suspects(bulk))
    if not suspects:
        return True
    records = _read(bulk.entity_type, suspects, turn.connection_of(authentication_id))
    lost = [each for each in suspects if _is_lost(each, records.get(each.record_id))]
    ended: dict[Delivery, list[_Overwritten]] = defaultdict(list)
    for each in lost:
        if each.delivery.state not in UNFINISHED:
            ended[each.delivery].append(each)
    for delivery, own in ended.items():
        _send_again(bulk, delivery, own, turn.clock())
    if ended:
        logger.warning(
            "Bulk write %s was carried out late; of %s newer deliveries fields go again.", bulk.pk, len(ended)
        )
    return sum(map(len, ended.values())) == len(lost)


@transaction.atomic
def _send_again(bulk: BulkWrite, delivery: Delivery, lost: Sequence[_Overwritten], now: datetime) -> None:
    """One delivery by one transaction: of two, the second's contact would be locked after the first's lane."""
    with suppress(ReplayRefused):
        replay_delivery(delivery=delivery, actor=None, now=now, only={each.field for each in lost})
    bulk.mended = [*bulk.mended, *([each.record_id, each.field] for each in lost)]
    BulkWrite.objects.filter(pk=bulk.pk).update(mended=bulk.mended)


def _find_suspects(bulk: BulkWrite) -> Iterator[_Overwritten]:
    """The fields that another delivery's value stands for since, by the marks of the records."""
    attempts = Attempt.objects.filter(bulk_write=bulk).select_related("lane").prefetch_related("deliveries")
    by_lane = {attempt.lane_id: attempt for attempt in attempts}
    marks = read_marks(lane_ids=list(by_lane))
    holders = Delivery.objects.select_related("configuration", "interaction", "lane").in_bulk(
        [mark.delivery_id for own in marks.values() for mark in own.values() if mark.delivery_id is not None]
    )
    for lane_id, attempt in by_lane.items():
        carried = _values_of(attempt)
        for field, mark in marks[lane_id].items():
            holder = None if mark.delivery_id is None else holders.get(mark.delivery_id)
            entry = next((each for each in holder.fields if _is_of(each, field)), None) if holder else None
            if holder and entry and field in carried and holder not in attempt.deliveries.all():
                suspect = _Overwritten(attempt.lane.record_id, entry, carried[field], holder)
                if [suspect.record_id, field] not in bulk.mended:
                    yield suspect


def _values_of(attempt: Attempt) -> Mapping[str, list[CRMValue]]:
    """What the bulk write may have carried to the attempt's record."""
    values: dict[str, list[CRMValue]] = defaultdict(list)
    for delivery in attempt.deliveries.all():
        for entry in delivery.fields:
            if "rendered" in entry:
                values[entry["crm_field"]].append(entry["rendered"])
    return values


def _is_of(entry: Entry, field: str) -> bool:
    return bool(entry["crm_field"] == field and "rendered" in entry)


def _read(
    entity_type: str, suspects: Sequence[_Overwritten], connection: AuthenticatedConnection
) -> Mapping[str, CRMRecord]:
    """The records of one bulk write, which are at most as many as a call shows."""
    types = {each.field: kind for each in suspects if (kind := read_type(each.entry))}
    return connection.get_records(entity_type, sorted({each.record_id for each in suspects}), types=types)


def _is_lost(suspect: _Overwritten, record: CRMRecord | None) -> bool:
    """Whether the record shows the late value in place of the newer one."""
    field_type = read_type(suspect.entry)
    if record is None or suspect.field not in record.values:
        return False
    shown = record.values[suspect.field]
    if values_agree(suspect.entry["rendered"], shown, field_type=field_type):
        return False
    return any(values_agree(late, shown, field_type=field_type) for late in suspect.late)
