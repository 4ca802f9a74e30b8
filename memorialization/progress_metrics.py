"""Figures of progress for Prometheus: what is due per account, what holds it up, and whether anybody is at work."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric

from crm_integrations.models import CRMAccount
from memorialization.models import Heartbeat
from memorialization.selectors.account_progress import (
    AccountProgress,
    count_held_authentications,
    count_lanes,
    read_progress,
)
from memorialization.services.heartbeats import RESTART, WORKER

PREFIX = "agent_integrations_"
LANES = {
    "due": "Records with deliveries that are due.",
    "settling": "Records that rest: after a call whose outcome is unknown, or for a limit of their own.",
    "leased": "Records that a worker is at work on.",
    "in_bulk": "Records that a bulk write is on its way to.",
}


def progress_metrics(*, now: datetime) -> Iterable[Metric]:
    """Accounts, then workers."""
    progress = read_progress(now=now)
    yield from _stuck(progress)
    yield from _due_ages(progress, now)
    yield from _lanes(progress, now)
    yield from _obstacles(progress, now)
    yield from _workers(now)


def _stuck(progress: Sequence[AccountProgress]) -> Iterable[Metric]:
    words = "Accounts with due deliveries of which none was tried for a minute, although nothing holds them up."
    yield GaugeMetricFamily(f"{PREFIX}stuck_accounts", words, value=sum(each.is_stuck for each in progress))
    family = _by_account("account_stuck", "Whether the account is stuck.")
    for each in progress:
        family.add_metric([str(each.account)], int(each.is_stuck))
    yield family


def _due_ages(progress: Sequence[AccountProgress], now: datetime) -> Iterable[Metric]:
    words = "How long the account's oldest delivery that could be tried has been due."
    family = _by_account("account_oldest_due_age_seconds", words)
    ages = [(now - each.oldest_due_at).total_seconds() if each.oldest_due_at else 0.0 for each in progress]
    for each, age_s in zip(progress, ages, strict=True):
        family.add_metric([str(each.account)], age_s)
    yield family
    name, words = f"{PREFIX}oldest_due_delivery_age_seconds", "The same, of all accounts."
    yield GaugeMetricFamily(name, words, value=max(ages, default=0.0))


def _lanes(progress: Sequence[AccountProgress], now: datetime) -> Iterable[Metric]:
    counts = count_lanes(now=now)
    for kind, words in LANES.items():
        family = _by_account(f"account_{kind}_records", words)
        for each in progress:
            family.add_metric([str(each.account)], counts[kind].get(each.account.pk, 0))
        yield family


def _obstacles(progress: Sequence[AccountProgress], now: datetime) -> Iterable[Metric]:
    """What may hold an account up without a fault of ours."""
    blocked = _by_account("account_limit_opens_in_seconds", "How long a limit lets no delivery through.", "limit")
    circuit = _by_account("account_circuit", "1 for the state of the account's circuit.", "state")
    held = _by_account("account_held_authentications", "Authentications that hold what waits for them.")
    bulk_writes = _by_account("account_bulk_writes", "Bulk writes under way.")
    held_counts = count_held_authentications()
    for each in progress:
        name = str(each.account)
        for limit_class, opens_at in sorted(each.blocked.items()):
            blocked.add_metric([name, limit_class], (opens_at - now).total_seconds())
        for state in CRMAccount.Circuit.values:
            circuit.add_metric([name, state], int(each.account.circuit_state == state))
        held.add_metric([name], held_counts.get(each.account.pk, 0))
        bulk_writes.add_metric([name], each.bulk_writes)
    return blocked, circuit, held, bulk_writes


def _workers(now: datetime) -> Iterable[Metric]:
    seen = GaugeMetricFamily(
        f"{PREFIX}worker_seen_seconds_ago", "When the worker's own timer was last at work.", labels=["worker"]
    )
    restarts = GaugeMetricFamily(
        f"{PREFIX}worker_restarts", "How often the worker took no messages and started itself again.", labels=["worker"]
    )
    sweep = GaugeMetricFamily(f"{PREFIX}sweep_seconds_ago", "When anybody last swept.")
    for name, at, count in Heartbeat.objects.order_by("name").values_list("name", "at", "count"):
        age_s = (now - at).total_seconds()
        if name.startswith(WORKER):
            seen.add_metric([name.removeprefix(WORKER)], age_s)
        elif name.startswith(RESTART):
            restarts.add_metric([name.removeprefix(RESTART)], count)
        elif name == "sweep":
            sweep.add_metric([], age_s)
    return seen, restarts, sweep


def _by_account(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", words, labels=["account", *labels])
