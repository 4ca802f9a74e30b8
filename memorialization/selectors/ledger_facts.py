"""What the ledger and the mappings tell the list of configurations, in a constant number of queries."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Configuration
from crm_integrations.overview import Facts, ImpactLine, LastDelivery, MappingCount
from memorialization.models import Delivery, MemorializationMapping
from memorialization.selectors.ledger_deliveries import readable_deliveries
from memorialization.selectors.ledger_filters import first_since
from memorialization.selectors.ledger_states import DELIVERY_STATES, shown_state

HOURS = 24
State = Delivery.State
SUCCEEDED = frozenset({State.DELIVERED.value, State.PARTIAL.value})
ENDED = SUCCEEDED | {State.FAILED.value}  # a skipped one had nothing to deliver, so it is no success and no failure
MAPPINGS = _("Data Memorialization")


def memorialization_facts(configuration_ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
    """Active mappings, the newest delivery, deliveries per hour, and the share that succeeded."""
    return facts_at(configuration_ids, now=timezone.now())


def facts_at(configuration_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Facts]:
    """The facts at a moment; the hours are those of the clock, the present one included."""
    active, last = _active_mappings(configuration_ids), _last_deliveries(configuration_ids)
    hours, states = _recent_deliveries(configuration_ids, now)
    return {
        pk: Facts(
            mappings=(MappingCount(MAPPINGS, active.get(pk, 0)),),
            last_delivery=last.get(pk),
            hourly_deliveries=tuple(hours[pk]) if pk in last else (),
            success_share=_success_share(states[pk]),
        )
        for pk in configuration_ids
    }


def memorialization_impact(configuration: Configuration) -> list[ImpactLine]:
    """What a deletion takes along."""
    unfinished = Delivery.objects.filter(configuration=configuration, state__in=[State.WAITING, State.SENDING])
    mappings = MemorializationMapping.objects.filter(configuration=configuration)
    return [
        ImpactLine(_("Data memorialization mappings"), mappings.count()),
        ImpactLine(_("Deliveries that wait and are held from then on"), unfinished.count()),
    ]


def _active_mappings(configuration_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = MemorializationMapping.objects.filter(configuration__in=configuration_ids).order_by()
    return dict(rows.values_list("configuration").annotate(active=Count("pk", filter=Q(is_active=True))))


def _last_deliveries(configuration_ids: Sequence[UUID]) -> dict[UUID, LastDelivery]:
    """One index look-up per configuration, in one query."""
    newest = Delivery.objects.filter(configuration=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    ids = Configuration.objects.filter(pk__in=configuration_ids).annotate(newest=Subquery(newest)).values("newest")
    rows = Delivery.objects.filter(pk__in=list(ids.values_list("newest", flat=True)))
    return {row.configuration_id: _last_delivery(row) for row in readable_deliveries(rows).defer("fields")}


def _last_delivery(delivery: Delivery) -> LastDelivery:
    state = shown_state(delivery)
    return LastDelivery(
        delivery.created_at, state, DELIVERY_STATES[state], reverse("delivery_detail", args=[delivery.pk])
    )


def _recent_deliveries(
    configuration_ids: Sequence[UUID], now: datetime
) -> tuple[Mapping[UUID, list[int]], Mapping[UUID, Counter[str]]]:
    """Of the last 24 hours: counts per hour, oldest first, and counts per state."""
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hours: dict[UUID, list[int]] = defaultdict(lambda: [0] * HOURS)
    states: dict[UUID, Counter[str]] = defaultdict(Counter)
    oldest = first_since(Delivery.objects.all(), first)
    if oldest is None:
        return hours, states
    rows = Delivery.objects.filter(pk__gte=oldest, configuration__in=configuration_ids).order_by()
    grouped = rows.annotate(hour=TruncHour("created_at", tzinfo=UTC)).values_list("configuration", "hour", "state")
    for pk, hour, state, count in grouped.annotate(count=Count("pk")):
        place = int((hour - first) / timedelta(hours=1))
        if place < 0:
            continue  # a transaction that began before the first hour and got its id after it
        hours[pk][min(place, HOURS - 1)] += count
        states[pk][state] += count
    return hours, states


def _success_share(states: Counter[str]) -> float | None:
    """Of those that were planned in the last 24 hours and have ended; None when none has."""
    ended = sum(states[state] for state in ENDED)
    return sum(states[state] for state in SUCCEEDED) / ended if ended else None
