"""Claims while a million records wait: how long the one statement takes, and finding out what is due."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from crm_integrations.models import CRMAccount
from memorialization.models import Delivery, RecordLane
from memorialization.services.claims import claim_lanes, give_back_untouched
from memorialization.services.due_work import WorkFinder
from tests.benchmarks.figures import Figure, at_most, percentile
from tests.benchmarks.options import Options
from tests.benchmarks.set_inserts import Dialect, drop_indexes, insert_from, keep_up, make_indexes
from tests.engine import make_interaction
from tests.factories import make_configuration

CLAIM_MS, CLAIMS, LANES = 10, 100, 100


def measure(options: Options) -> list[Figure]:
    """Have records wait, then claim a hundred of them again and again."""
    rows = options.choose(20_000, 200_000, 1_000_000)
    account_id = fill_lanes(rows)
    now = timezone.now()

    def claim() -> None:
        holds = claim_lanes(account_id=account_id, entity_type="ticket", goes_alone=False, limit=LANES, now=now)
        assert len(holds) == LANES
        claimed.append(holds)

    claimed: list[list[object]] = []
    figures = [_figure(f"claim of {LANES} records, {rows:,} waiting", [_time_ms(claim) for _ in range(CLAIMS)])]
    for holds in claimed:
        give_back_untouched(holds=holds)
    account = CRMAccount.objects.get(pk=account_id)
    finding = [_time_ms(lambda: WorkFinder(account).find(now)) for _ in range(CLAIMS)]
    return [*figures, Figure(f"finding what is due, {rows:,} waiting", percentile(finding, 0.95), "ms (p95)")]


def fill_lanes(rows: int) -> int:
    """That many tickets of one account with a delivery each, all due; the account's id."""
    configuration = make_configuration(integration_type="zendesk")
    CRMAccount.objects.update(provider="zendesk")
    interaction = make_interaction(configuration)
    account_id = configuration.authentication.account_id
    start = timezone.now() - timedelta(days=1)
    dialect = Dialect(start)
    numbers = f"({dialect.numbers(rows)}) AS numbers"
    due_at = dialect.moment("n % 3600")
    dropped = drop_indexes((RecordLane, Delivery))
    record = {"entity_type": "'ticket'", "record_id": "CAST(n AS text)"}
    lane = {"id": "n", "account_id": str(account_id), "next_due_at": due_at, **record}
    insert_from(dialect, RecordLane, lane, numbers)
    delivery = {
        **{"id": "n", "lane_id": "n", "interaction_id": str(interaction.pk), "state": "'waiting'", **record},
        **{"configuration_id": dialect.uuid(configuration.pk), "channel": "'voice'", "segment_key": "'k'"},
        **{"segment_ended_at": due_at, "next_attempt_at": due_at, "created_at": due_at},
    }
    insert_from(dialect, Delivery, delivery, numbers)
    make_indexes(dropped)
    keep_up()
    return account_id


def _time_ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1_000


def _figure(name: str, times: list[float]) -> Figure:
    p95 = percentile(times, 0.95)
    return at_most(name, p95, CLAIM_MS, unit="ms (p95)", note=f"p50 {percentile(times, 0.5):.1f} ms")
