"""`python -m tests.benchmarks.profile_drain [--database …] [--count N]`: where a drain in bulk spends its time.

One process drains the backlog by `manage.py push_deliveries --once`, under cProfile. Printed are the functions with the
most time of their own, those of the product with the most time in all, and the statements: how often, how long.
"""

import argparse
import cProfile
import pstats
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from config.stack.processes import BASE_DIR
from tests.benchmarks.options import DATABASES
from tests.benchmarks.sampling import Samples
from tests.benchmarks.stage import prepare_database, prepared_stage

MOST = 30
STATEMENT_CHARACTERS = 150
OURS = ("memorialization", "crm_integrations", "zendesk_client")
NOISE = re.compile(r"\((?:%s|\?)(?:, (?:%s|\?))+\)|'[^']*'|\b\d+\b")


class Statements:
    """Counts statements by their shape. Installed as Django's `execute_wrapper`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.times: dict[str, int] = defaultdict(int)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            shape = _shape_of(sql)
            self.seconds[shape] += time.perf_counter() - began
            self.times[shape] += 1

    def render(self) -> str:
        """The longest ones."""
        total = f"{sum(self.times.values())} statements, {1000 * sum(self.seconds.values()):.0f} ms"
        longest = sorted(self.seconds, key=lambda shape: -self.seconds[shape])[:MOST]
        lines = [f"{1000 * self.seconds[shape]:8.1f} ms {self.times[shape]:6d} ×  {shape}" for shape in longest]
        return "\n".join([total, *lines])


def _shape_of(sql: str) -> str:
    """The statement with its lists of values and its columns shortened."""
    short = re.sub(r'SELECT (?:DISTINCT )?"[^(]*? FROM', "SELECT … FROM", NOISE.sub("(…)", sql.replace('"', "")))
    short = re.sub(r"SELECT [^(]{80,}? FROM", "SELECT … FROM", re.sub(r"(?:\(…\)[, ]*)+", "(…) ", short))
    return " ".join(short.split())[:STATEMENT_CHARACTERS]


def main(arguments: list[str]) -> int:
    """Prepare a stage, and profile in a process of its own on it."""
    parser = argparse.ArgumentParser(prog="profile_drain", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--sampled", action="store_true", help="by samples: true shares, no numbers of calls")
    parser.add_argument("--on-stage", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.on_stage:
        _profile(Path(chosen.on_stage), chosen.count, is_sampled=chosen.sampled)
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "stage"
        with prepared_stage(chosen.database, place) as environment:
            command = [sys.executable, "-m", "tests.benchmarks.profile_drain", *arguments, "--on-stage", str(place)]
            return subprocess.run(command, cwd=BASE_DIR, env=environment, check=False).returncode


def _profile(folder: Path, count: int, *, is_sampled: bool) -> None:
    with ExitStack() as stack:
        from tests.benchmarks.servers import running_zendesk

        zendesk = stack.enter_context(running_zendesk(folder / "zendesk"))
        import django
        from django.conf import settings

        django.setup()
        settings.ZENDESK_BASE_URL = f"{zendesk.url}/{{subdomain}}"
        prepare_database()
        from django.core.management import call_command
        from django.db import connection

        from tests.benchmarks.drain_cpu import seed_calls

        backlog = seed_calls(zendesk.url, "engine", count)
        backlog.activate()
        began = time.process_time()
        statements = Statements()
        samples, profile = Samples(), cProfile.Profile(time.process_time)
        with connection.execute_wrapper(statements), samples.taking() if is_sampled else _tracing(profile):
            call_command("push_deliveries", once=True, stdout=sys.stderr)
        used_ms = 1000 * (time.process_time() - began) / count
        backlog.check(count)
    print(f"\n{count} deliveries on {connection.vendor}: {used_ms:.2f} ms of processor each\n")
    print(statements.render())
    if is_sampled:
        print(samples.render(folders=OURS, most=2 * MOST, ms=used_ms))
        return
    figures = pstats.Stats(profile)
    figures.sort_stats("tottime").print_stats(MOST)
    figures.sort_stats("cumtime").print_stats("|".join(OURS), MOST)


@contextmanager
def _tracing(profile: cProfile.Profile) -> Iterator[None]:
    profile.enable()
    try:
        yield
    finally:
        profile.disable()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
