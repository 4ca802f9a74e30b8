"""How many deliveries and interactions there are by state: counted once a minute, as counting every row takes time."""

import logging
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from memorialization.models import Delivery, Interaction

logger = logging.getLogger(__name__)

KEPT_S = 60
KEY = "ledger:row-counts"


@dataclass(frozen=True, slots=True)
class RowCounts:
    """As of some moment of the last minute."""

    deliveries: dict[str, int]  # by state
    waiting_interactions: int


def read_row_counts() -> RowCounts:
    """The latest counts; while the cache is away, they are made each time."""
    try:
        counts: RowCounts = cache.get_or_set(KEY, _count, KEPT_S)  # type: ignore[assignment] # never None
        return counts
    except Exception:
        logger.warning("The cache of row counts cannot be reached.", exc_info=True)
        return _count()


def _count() -> RowCounts:
    deliveries = dict(Delivery.objects.values_list("state").annotate(count=Count("pk")))
    return RowCounts(deliveries, Interaction.objects.filter(state=Interaction.State.WAITING).count())
