"""Marks deliveries whose record turned out to be closed or gone, and has their interactions looked at again.

The mark is set with the outcome, so that it cannot be lost; what follows from it is `match_reworks`'. Interactions are
made due apart from that transaction, which holds a record's lane: planners take the two the other way round.
"""

from collections.abc import Sequence
from datetime import datetime

from crm_integrations.models import ClosedCasePolicy
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Delivery, Interaction
from memorialization.targeting import SEARCH, WRITTEN

DUE = (DeliveryReason.FOLLOW_UP_DUE, DeliveryReason.LOOK_AGAIN_DUE)
LEADING_THERE = (DeliveryReason.RECORD_CLOSED, DeliveryReason.RECORD_GONE)
MOST_AT_ONCE = 500


def mark_reworks(*, deliveries: Sequence[Delivery]) -> None:
    """Mark what was just concluded as closed or gone; in the transaction that concludes it."""
    closed = [each.pk for each in deliveries if each.reason == DeliveryReason.RECORD_CLOSED]
    gone = [each.pk for each in deliveries if each.reason == DeliveryReason.RECORD_GONE]
    if not closed and not gone:
        return
    present = Delivery.objects.filter(interaction__contact__erased_at__isnull=True)
    if closed:
        followed = present.filter(pk__in=closed, state=Delivery.State.SKIPPED)
        followed = followed.filter(configuration__closed_case_policy=ClosedCasePolicy.FOLLOW_UP)
        followed.update(reason=DeliveryReason.FOLLOW_UP_DUE)
    if gone:
        found = present.filter(pk__in=gone, state=Delivery.State.FAILED, target_rule__in=(WRITTEN, SEARCH))
        found.update(state=Delivery.State.SKIPPED, reason=DeliveryReason.LOOK_AGAIN_DUE)


def begin_reworks(*, deliveries: Sequence[Delivery], now: datetime) -> bool:
    """Have the interactions of what was marked looked at; whether there were any. `deliveries`: as just concluded."""
    wanted = [each.pk for each in deliveries if each.reason in LEADING_THERE]
    return bool(wanted) and _make_due(wanted, now)


def find_lost_reworks(*, now: datetime) -> bool:
    """The same for marks whose worker died before it said so; read from an index of deliveries with such reasons."""
    marked = Delivery.objects.filter(reason__in=DUE, interaction__match_due_at__isnull=True)
    return _make_due(list(marked.values_list("pk", flat=True)[:MOST_AT_ONCE]), now)


def _make_due(delivery_ids: Sequence[int], now: datetime) -> bool:
    """One after the other, each by a transaction of its own: planners lock many, in an order of theirs."""
    marked = Delivery.objects.filter(pk__in=delivery_ids, reason__in=DUE).values_list("interaction_id", flat=True)
    waiting = Interaction.objects.filter(match_due_at__isnull=True)
    return sum(waiting.filter(pk=pk).update(match_due_at=now) for pk in sorted(set(marked))) > 0
