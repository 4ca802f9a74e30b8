"""What nobody wants to be sent any more: its record was unlinked, its contact erased, its replay taken back.

What waits is skipped by whoever does that; what a worker has in hand just then, when it comes back unsent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef

from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery, ReplayRun, ReplayStep


def skip_unwanted(*, delivery_ids: Sequence[int], now: datetime) -> None:
    """Skip those that nobody wants any more since a worker had them: `_reason_to_skip` says why.

    The caller holds their lane's row.
    """
    waiting = Delivery.objects.filter(pk__in=delivery_ids, state=Delivery.State.WAITING)
    taken_back = ReplayStep.objects.filter(replay=OuterRef("pk"), run__state=ReplayRun.State.CANCELLING)
    rows = waiting.annotate(
        unlinks=F("interaction__unlinks"),
        erased_at=F("interaction__contact__erased_at"),
        is_taken_back=Exists(taken_back.exclude(delivery=F("replay"))),
    )
    columns = ("entity_type", "record_id", "must_look_first", "unlinks", "erased_at", "is_taken_back")
    for delivery_id, *row in rows.values_list("pk", *columns):
        if reason := _reason_to_skip(*row):
            waiting.filter(pk=delivery_id).update(
                state=Delivery.State.SKIPPED, reason=reason, reason_params={}, next_attempt_at=None, finished_at=now
            )


def _reason_to_skip(
    entity_type: str,
    record_id: str,
    must_look_first: bool,
    unlinks: Sequence[Mapping[str, str]],
    erased_at: datetime | None,
    is_taken_back: bool,
) -> str:
    """Nothing, or the reason. What may have been applied is looked at, unless its contact was erased."""
    if erased_at is not None:
        return DeliveryReason.ERASED
    if must_look_first:
        return ""
    if {"entity_type": entity_type, "id": record_id} in unlinks:
        return DeliveryReason.UNLINKED
    return DeliveryReason.TAKEN_BACK if is_taken_back else ""


def has_unlinked(*, deliveries: Sequence[Delivery]) -> bool:
    """Whether the record of any of them is unlinked by now."""
    rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    found = rows.values_list("entity_type", "record_id", "interaction__unlinks")
    return any({"entity_type": entity_type, "id": record_id} in unlinks for entity_type, record_id, unlinks in found)
