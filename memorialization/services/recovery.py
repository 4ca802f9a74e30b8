"""Takes record lanes back from workers that never came back, and finds what nobody would look at again.

A call that such a worker had begun may have been applied, and may run until its lease ends: the lane stays closed for
the settle time from then on, and the record is read before it is written again.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from crm_integrations.models import Configuration
from crm_integrations.row_sql import as_time, read_rows
from memorialization.deliveries.coalescing import choose_next
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Attempt, Delivery, RecordLane
from memorialization.services.claims import set_next_due
from memorialization.services.members import waiting_on_lanes
from memorialization.services.unwanted import skip_unwanted

MOST_LOST_LEASES = 5  # in a row; then the delivery whose turn it is on the lane is what kills its workers
LANES_PER_ROUND = 500


def recover_lost_lanes(*, now: datetime) -> int:
    """Return every lane whose lease is over; how many there were. Two recoveries at once share the work.

    Lanes that a bulk write owns are not among them: whoever polls it gives them back.
    """
    condition = "lease IS NOT NULL AND bulk_write_id IS NULL AND lease_until <= %s ORDER BY lease_until LIMIT %s"
    lost = read_rows(RecordLane, condition, [as_time(now), LANES_PER_ROUND])
    return sum(_recover_lane(lane, now) for lane in lost)


def heal_lanes(*, now: datetime) -> int:
    """Put lanes right that have waiting deliveries and no due time, or one being sent and no lease; how many.

    A safety net that should find nothing.
    """
    owners = list(Configuration.objects.values_list("pk", flat=True))  # the index of states begins with them
    owned = Delivery.objects.filter(configuration__in=owners)
    forgotten = owned.filter(state=Delivery.State.WAITING, lane__next_due_at__isnull=True)
    stranded = owned.filter(state=Delivery.State.SENDING, lane__lease__isnull=True)
    lane_ids = {*_lanes_of(forgotten), *_lanes_of(stranded)}
    for lane_id in lane_ids:
        _heal_lane(lane_id, now)
    return len(lane_ids)


def _lanes_of(deliveries: QuerySet[Delivery]) -> list[int]:
    return list(deliveries.values_list("lane", flat=True)[:LANES_PER_ROUND])


@transaction.atomic
def _heal_lane(lane_id: int, now: datetime) -> None:
    """Whatever a lane that nobody holds has under way is over; what may have been applied is looked at first."""
    lane = RecordLane.objects.select_for_update().filter(pk=lane_id).first()
    if lane is None:
        return
    if lane.lease is None:
        _settle_unfinished(lane, now)
    set_next_due(lane_id=lane_id)


@transaction.atomic
def _recover_lane(lane: RecordLane, now: datetime) -> bool:
    """Return one lane, unless its lease was renewed or somebody was faster."""
    was_over = RecordLane.objects.filter(pk=lane.pk, lease=lane.lease, fence=lane.fence, lease_until__lte=now)
    suspect_to = lane.suspect_to if lane.lost_leases else None  # one of an earlier suspicion says nothing of this one
    if not was_over.update(
        lease=None, lease_until=None, fence=F("fence") + 1, lost_leases=F("lost_leases") + 1, suspect_to=suspect_to
    ):
        return False
    _settle_unfinished(lane, now)
    if lane.lost_leases + 1 >= MOST_LOST_LEASES:
        _fail_first(lane, now)
    set_next_due(lane_id=lane.pk)
    return True


def _settle_unfinished(lane: RecordLane, now: datetime) -> None:
    """Put the deliveries back that were being sent; a call that had begun has an unknown outcome."""
    attempts = Attempt.objects.filter(lane=lane, outcome=Attempt.Outcome.STARTED)
    sent_ids = list(Delivery.objects.filter(attempts__in=attempts).values_list("pk", flat=True))
    if attempts.update(outcome=Attempt.Outcome.UNKNOWN, finished_at=now):
        closed_until = (lane.lease_until or now) + timedelta(seconds=settings.SETTLE_S)
        RecordLane.objects.filter(pk=lane.pk).update(closed_until=closed_until)
        Delivery.objects.filter(pk__in=sent_ids, state=Delivery.State.SENDING).update(
            state=Delivery.State.WAITING,
            must_look_first=True,
            next_attempt_at=closed_until,
            attempt_count=F("attempt_count") + 1,
            reason=DeliveryReason.SETTLING,
            reason_params={},
        )
    Delivery.objects.filter(lane=lane, state=Delivery.State.SENDING).update(
        state=Delivery.State.WAITING, next_attempt_at=now
    )
    skip_unwanted(delivery_ids=sent_ids, now=now)


def _fail_first(lane: RecordLane, now: datetime) -> None:
    """Give up the delivery that no worker survives, so that it does not freeze its record."""
    waiting = waiting_on_lanes(lane_ids=[lane.pk])[lane.pk]
    if waiting:
        [first] = choose_next(waiting, is_suspect=True).members
        Delivery.objects.filter(pk=first.delivery.pk).update(
            state=Delivery.State.FAILED,
            reason=DeliveryReason.LOST_LEASES,
            reason_params={"count": lane.lost_leases + 1},
            finished_at=now,
        )
    RecordLane.objects.filter(pk=lane.pk).update(lost_leases=0)
