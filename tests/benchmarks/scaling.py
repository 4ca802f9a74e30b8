"""What more worker processes bring when the CRM takes its time and sets no limit.

Each delivery carries a note, so that it goes alone: what counts is how many calls are under way at once. A worker has
few threads, as on a machine with few cores: with many, one worker alone would take so much of the processors that the
demo CRM and the database share with it that the ratio would measure the machine.
"""

from tests.benchmarks.backlog import ended_on, make_records, open_account, seed_backlog, worker_environment
from tests.benchmarks.crew import running_crew
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.options import Options
from tests.benchmarks.servers import running_zendesk

LATENCY_MS = 100
CREWS = (1, 4)
THREADS = 6  # of a worker (WORKER_CONCURRENCY), of which two may work on one account
LEAST = 3.5
PATIENCE_S = 600


def measure(options: Options) -> list[Figure]:
    """Deliveries a second with four workers beside those with one."""
    count = options.choose(300, 1000, 3000)
    with running_zendesk(options.folder / "zendesk", latency_ms=LATENCY_MS) as zendesk:
        one, four = (_measure_crew(options, zendesk.url, workers, count) for workers in CREWS)
    note = f"{count} deliveries with a note each, {LATENCY_MS} ms a call, no limits, {THREADS} threads a worker"
    return [
        Figure("scaling: one worker", one, "deliveries/s", note=note),
        Figure("scaling: four workers", four, "deliveries/s"),
        at_least("scaling: 1 → 4 workers", four / one, LEAST, unit="×"),
    ]


def _measure_crew(options: Options, url: str, workers: int, count: int) -> float:
    """Deliveries a second from the release of a backlog to its last delivery; the workers are up before."""
    account = open_account(url, f"crew{workers}", has_limits=False, latency_ms=LATENCY_MS)
    tickets = make_records(account, "tickets", count)
    bodies = [ended_on("ticket", ticket, number, prefix=f"w{workers}-") for number, ticket in enumerate(tickets)]
    backlog = seed_backlog(account, bodies, has_notes=True)
    folder = options.folder / f"crew-{workers}"
    folder.mkdir()
    with running_crew(folder, workers, worker_environment(url) | {"WORKER_CONCURRENCY": str(THREADS)}):
        started = backlog.release()
        ended = backlog.wait(patience_s=PATIENCE_S)
    backlog.check(count)
    return count / (ended - started)
