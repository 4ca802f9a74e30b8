"""The ledger's benchmark and its rows (tests.benchmarks.ledger, million_rows), over few rows."""

from collections import Counter

import pytest
from django.db import transaction

from memorialization.models import Attempt, Contact, Delivery, Interaction, InteractionEvent, RecordLane
from memorialization.selectors.ledger_filters import LedgerFilters, filtered_deliveries
from tests.benchmarks import ledger as benchmark
from tests.benchmarks.ledger import figures_of, run
from tests.benchmarks.million_rows import WAITING, fill_ledger

pytestmark = pytest.mark.django_db


def test_the_ledger_is_what_its_text_says():
    fill_ledger(rows=1000)
    counted = [model.objects.count() for model in (Delivery, Interaction, Contact, InteractionEvent)]
    assert counted == [1000, 800, 600, 1600]
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert states["waiting"] == WAITING and set(states) == {"waiting", "delivered", "partial", "failed", "skipped"}
    assert 0 < filtered_deliveries(LedgerFilters(state="held")).count() < WAITING
    assert not Delivery.objects.exclude(channel="voice").exclude(channel="digital").exists()
    assert not Delivery.objects.exclude(channel="voice").filter(configuration__name="Partners").exists()
    assert RecordLane.objects.filter(next_due_at__isnull=False).count() <= WAITING
    assert Attempt.objects.count() == Delivery.objects.exclude(lane=None).exclude(state="waiting").count()


def test_no_page_takes_more_queries_for_more_rows(settings, monkeypatch):
    monkeypatch.setattr(benchmark, "REQUESTS", 1)
    settings.STORAGES, settings.ALLOWED_HOSTS = {**settings.STORAGES}, []

    def queries(rows: int) -> dict[str, int]:
        with transaction.atomic():
            timings = run(fill_ledger(rows=rows))
            transaction.set_rollback(True)
        return {timing.name: timing.queries for timing in timings if " q=" not in timing.name}

    few, many = queries(1000), queries(3000)
    assert len(few) > 60
    grown = {name: (count, many.get(name)) for name, count in few.items() if many.get(name, count) > count}
    assert grown == {}


def test_every_figure_has_its_target():
    timing = benchmark.Timing("a page", 10.0, 250.0, 7)
    (figure,) = figures_of([timing])
    assert (figure.is_met, figure.unit, "7 queries" in figure.note) == (False, "ms (p95)", True)
