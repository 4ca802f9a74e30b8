"""Figures for Prometheus: apps register collectors in `AppConfig.ready`; `/metrics` computes them from the database."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

MetricSource = Callable[[], Iterable[Metric]]
_sources: dict[str, MetricSource] = {}


def register_metrics(name: str, source: MetricSource) -> None:
    """Add a source of figures; registering one name again replaces it."""
    _sources[name] = source


class DatabaseCollector(Collector):
    """Asks every source afresh at each scrape, so that any web process gives the same answer."""

    def collect(self) -> Iterable[Metric]:
        """The figures of all sources."""
        for source in _sources.values():
            yield from source()


def exposition() -> bytes:
    """The figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseCollector())
    return generate_latest(registry)
