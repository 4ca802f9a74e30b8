"""Which benchmarks there are; a new one is a module with `measure(options) -> list[Figure]` and a row here."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One module. `needs`: the databases it makes sense on; empty is all of them."""

    name: str
    module: str
    needs: tuple[str, ...] = ()

    def databases(self, chosen: Sequence[str]) -> list[str]:
        """The chosen databases it runs on."""
        return [database for database in chosen if not self.needs or database in self.needs]


_ROWS = (
    Benchmark("intake", "intake"),
    Benchmark("latency", "latency"),
    Benchmark("card", "card"),
    Benchmark("scaling", "scaling"),
    Benchmark("drain", "drain"),
    Benchmark("budget", "drain_budget"),
    Benchmark("cpu", "drain_cpu"),
    Benchmark("claims", "claims"),
    Benchmark("ledger", "ledger"),
)
BENCHMARKS = {benchmark.name: benchmark for benchmark in _ROWS}
