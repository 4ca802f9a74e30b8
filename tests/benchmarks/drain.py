"""How fast a backlog drains and how many calls that takes, beside clients that write one record after the other.

All at real limits (an Enterprise plan) and 100 ms latency, by one worker process as `make run` has it, while the
one-by-one clients do a part of the same on accounts of their own; what the whole would take them is computed from it.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.backlog import (
    Backlog,
    ended_on,
    make_records,
    open_account,
    seed_backlog,
    values_of,
    worker_environment,
)
from tests.benchmarks.crew import running_crew
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.one_by_one.clients import Write, prepare_zenpy, racing
from tests.benchmarks.one_by_one.parts import Part
from tests.benchmarks.options import Options
from tests.benchmarks.servers import running_zendesk

PLURAL = {"ticket": "tickets", "user": "users"}
MIX = (("ticket", 300, 600), ("user", 200, 400))  # record type, records, writes
PATIENCE_S = 600
CALLS_TARGET, COALESCED_TARGET, DRAIN_TARGET, MIX_TARGET = 35, 0.4, 60, 25


@dataclass(frozen=True)
class Drain:
    """One backlog that was drained."""

    deliveries: int
    seconds: float
    calls: Counter[str]

    @property
    def per_thousand(self) -> float:
        """Calls per 1,000 deliveries."""
        return 1000 * self.calls.total() / self.deliveries

    @property
    def limited(self) -> int:
        """Calls that were refused."""
        return sum(count for name, count in self.calls.items() if name.endswith(" 429"))

    def describe(self) -> str:
        """The calls by kind."""
        listed = ", ".join(f"{count} {name}" for name, count in sorted(self.calls.items()))
        return f"{self.deliveries} in {self.seconds:.1f} s by {listed}"


def measure(options: Options) -> list[Figure]:
    """The calls and the times of four backlogs."""
    tickets, most = 1000, options.choose(2000, 5000, 5000)
    with ExitStack() as stack:
        zenpy = prepare_zenpy(options.folder.parent)
        zendesk = stack.enter_context(running_zendesk(options.folder / "zendesk"))
        url = zendesk.url
        part, mixed = options.choose(101, 201, 301), _mix(divisor=options.choose(20, 10, 5))
        plain = stack.enter_context(racing(zenpy, url=url, account_of=_competitor(url, "one-by-one", _plain(part))))
        mixing = stack.enter_context(racing(zenpy, url=url, account_of=_competitor(url, "mixed", mixed)))
        seeded = {
            "once": _seed(url, "once", _plain(tickets)),
            "thrice": _seed(url, "thrice", _plain(tickets) * 3),
            "most": _seed(url, "most", _plain(most)),
            "mix": _seed(url, "mix", _mix()),
        }
        environment = worker_environment(url)
        stack.enter_context(running_crew(options.folder, 1, environment))
        drains = {name: _drain(backlog) for name, backlog in seeded.items()}
        return _figures(drains, plain.parts(), mixing.parts())


Pairs = Sequence[tuple[str, int]]  # record type, number of the record


def _plain(count: int) -> list[tuple[str, int]]:
    return [("ticket", number) for number in range(count)]


def _mix(*, divisor: int = 1) -> list[tuple[str, int]]:
    """The writes in the order of their events, which is random; two for each record."""
    pairs = [
        (kind, number % (records // divisor)) for kind, records, writes in MIX for number in range(writes // divisor)
    ]
    random.Random(3).shuffle(pairs)
    return pairs


def _records(url: str, name: str, pairs: Pairs, **columns: Any) -> tuple[Any, dict[tuple[str, int], str]]:
    account = open_account(url, name, **columns)
    ids = {}
    for kind in sorted({kind for kind, _number in pairs}):
        numbers = sorted({number for own, number in pairs if own == kind})
        made = make_records(account, PLURAL[kind], len(numbers))
        ids |= {(kind, number): key for number, key in zip(numbers, made, strict=True)}
    return account, ids


def _seed(url: str, name: str, pairs: Pairs) -> Backlog:
    account, ids = _records(url, name, pairs)
    bodies = [ended_on(pair[0], ids[pair], place, prefix=f"{name}-") for place, pair in enumerate(pairs)]
    return seed_backlog(account, bodies, has_users=any(kind == "user" for kind, _number in pairs))


def _competitor(url: str, name: str, pairs: Pairs) -> Callable[[str], tuple[str, str, list[Write]]]:
    def make(client: str) -> tuple[str, str, list[Write]]:
        account, ids = _records(url, f"{name}-{client}", pairs)
        writes = [(PLURAL[pair[0]], ids[pair], values_of(PLURAL[pair[0]], place)) for place, pair in enumerate(pairs)]
        return account.subdomain, account.token, writes

    return make


def _drain(backlog: Backlog) -> Drain:
    deliveries = backlog.unfinished()
    began = backlog.release()
    seconds = backlog.wait(patience_s=PATIENCE_S) - began
    backlog.check(deliveries)
    backlog.stop()
    calls = Counter(f"{call['method']} {call['endpoint']} {call['status']}" for call in backlog.calls())
    return Drain(deliveries, seconds, calls)


def _figures(drains: dict[str, Drain], plain: Sequence[Part], mixing: Sequence[Part]) -> list[Figure]:
    return [
        *_call_figures(drains["once"], drains["thrice"], plain),
        *_time_figures("drain", drains["most"], plain, DRAIN_TARGET, full=5000, seconds=Part.seconds_for),
        *_cost_figures(plain),
        *_time_figures("mix", drains["mix"], mixing, MIX_TARGET, full=1000, seconds=Part.seconds_in_proportion),
    ]


def _cost_figures(parts: Sequence[Part]) -> list[Figure]:
    """What one client alone meets and costs, for the figures of the benchmarks `budget` and `cpu`."""
    return [
        figure
        for part in parts
        for figure in (
            Figure(f"429s among calls: {part.client}, one by one", 100 * part.limited / part.calls, "%"),
            Figure(f"processor per record: {part.client}, one by one", part.cpu_ms, "ms"),
        )
    ]


def _call_figures(once: Drain, thrice: Drain, plain: Sequence[Part]) -> list[Figure]:
    ratio = thrice.per_thousand / once.per_thousand
    return [
        *(
            Figure(
                f"calls per 1,000 interactions on as many tickets: {part.client}, one by one",
                part.calls_for(1000),
                "calls",
                note=f"computed from {part.records} records (× {1000 / part.records:.1f})",
            )
            for part in plain
        ),
        at_most(
            "calls per 1,000 interactions on as many tickets: product, verified",
            once.per_thousand,
            CALLS_TARGET,
            unit="calls",
            note=once.describe(),
        ),
        at_most(
            "calls per interaction with 3 per ticket / with 1",
            ratio,
            COALESCED_TARGET,
            unit="×",
            note=thrice.describe(),
        ),
    ]


def _time_figures(
    name: str, drain: Drain, parts: Sequence[Part], target: float, *, full: int, seconds: Callable[[Part, int], float]
) -> list[Figure]:
    """How many times faster; the target speaks of `full` deliveries."""
    words = f"{name} {drain.deliveries:,}"
    figures = [Figure(f"{words}: product", drain.seconds, "s", note=f"{drain.limited} × 429; {drain.describe()}")]
    for part in parts:
        needed = seconds(part, drain.deliveries)
        factor = drain.deliveries / part.records
        note = f"{part.records} records took {part.done_s[-1]:.1f} s with {part.limited} × 429 (factor {factor:.1f})"
        figures.append(Figure(f"{words}: {part.client}, one by one", needed, "s", note=note))
        title, ratio = f"{words}: {part.client} / product", needed / drain.seconds
        is_full = drain.deliveries == full
        figures.append(at_least(title, ratio, target, unit="×") if is_full else Figure(title, ratio, "×"))
    return figures
