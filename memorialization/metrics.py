"""Figures of data memorialization for Prometheus, computed from the database at each scrape.

Every query is answered by an index or bounded in rows, but for those that are made once a minute: a scrape costs the
same at a million deliveries.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count, Max
from prometheus_client.core import GaugeMetricFamily, Metric

from crm_integrations.database_clock import read_steady_clock
from memorialization.models import Delivery, InteractionEvent
from memorialization.progress_metrics import progress_metrics
from memorialization.selectors.row_counts import RowCounts, read_row_counts
from memorialization.selectors.waiting_events import read_waiting_events
from memorialization.selectors.waiting_matches import read_waiting_matches

RECENT = timedelta(minutes=5)
MOST_RECENT_EVENTS = 10_000  # events looked at for the recent figures; enough for 33 a second


def memorialization_metrics() -> Iterable[Metric]:
    """Deliveries by state, how each account and each worker gets on, what waits, and the events taken in."""
    counts = read_row_counts()
    yield _deliveries_by_state(counts)
    yield from progress_metrics(now=read_steady_clock())
    yield from _events_waiting()
    yield _interactions_waiting(counts)
    yield from _interactions_to_match()
    yield _recent_events_by_type()
    yield _last_event_number()


def _deliveries_by_state(counts: RowCounts) -> Metric:
    words = "Deliveries by state, counted once a minute."
    family = GaugeMetricFamily("agent_integrations_deliveries", words, labels=["state"])
    for state in Delivery.State.values:
        family.add_metric([state], counts.deliveries.get(state, 0))
    return family


def _events_waiting() -> Iterable[Metric]:
    waiting = read_waiting_events(now=read_steady_clock())
    name, words = "agent_integrations_events_waiting", "Events that are stored and not folded yet."
    yield GaugeMetricFamily(name, words, value=waiting.count)
    name, words = "agent_integrations_oldest_waiting_event_age_seconds", "How long the oldest of them has waited."
    yield GaugeMetricFamily(name, words, value=waiting.oldest_age_s)


def _interactions_waiting(counts: RowCounts) -> Metric:
    name = "agent_integrations_interactions_waiting"
    words = "Interactions that ended and are not due yet, counted once a minute."
    return GaugeMetricFamily(name, words, value=counts.waiting_interactions)


def _interactions_to_match() -> Iterable[Metric]:
    waiting = read_waiting_matches(now=read_steady_clock())
    name, words = "agent_integrations_interactions_to_match", "Interactions whose records are still looked for."
    yield GaugeMetricFamily(name, words, value=waiting.count)
    name, words = "agent_integrations_oldest_match_age_seconds", "How long the longest due of them has been due."
    yield GaugeMetricFamily(name, words, value=waiting.oldest_age_s)


def _recent_events_by_type() -> Metric:
    name, words = "agent_integrations_events_last_5_minutes", "Events accepted in the last five minutes, by type."
    family = GaugeMetricFamily(name, words, labels=["type"])
    newest = InteractionEvent.objects.order_by("-pk").values("pk")[:MOST_RECENT_EVENTS]
    recent = InteractionEvent.objects.filter(pk__in=newest, received_at__gte=read_steady_clock() - RECENT)
    for event_type, count in recent.order_by().values_list("type").annotate(count=Count("pk")):
        family.add_metric([event_type], count)
    return family


def _last_event_number() -> Metric:
    last = InteractionEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    name = "agent_integrations_last_event_number"
    words = "Number of the newest stored event; its growth is the intake (numbers may skip)."
    return GaugeMetricFamily(name, words, value=last)
