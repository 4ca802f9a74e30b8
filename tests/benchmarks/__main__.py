"""`make bench`: measures the product and prints one table, with the machine it ran on.

Options: --quick | --full, --only NAME[,NAME], --database sqlite|postgresql|both,
--strict (a missed target is an error).
Nothing is written into the tree: databases, brokers and the baseline clients live in a temporary folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from config.stack.postgres import PostgresFailed
from config.stack.processes import BASE_DIR
from tests.benchmarks.figures import Figure, missed_targets, render_table
from tests.benchmarks.machine import describe_machine
from tests.benchmarks.options import DATABASES, SIZES
from tests.benchmarks.registry import BENCHMARKS, Benchmark
from tests.benchmarks.stage import prepared_stage


def main(arguments: list[str]) -> int:
    """Measure what was asked for; 1 when something broke, or with --strict when a target was missed."""
    chosen = read_arguments(arguments)
    figures: list[Figure] = []
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        for benchmark in chosen.benchmarks:
            for database in benchmark.databases(chosen.databases):
                _measure(benchmark, database, chosen.size, Path(folder), figures, broken)
    sys.stdout.write(f"\n{describe_machine()}\n\n{render_table(figures)}\n")
    for sentence in broken:
        sys.stdout.write(f"\nBROKEN: {sentence}\n")
    missed = missed_targets(figures)
    sys.stdout.write(f"\n{len(missed)} of {sum(1 for each in figures if each.target)} targets missed.\n")
    return 1 if broken or (chosen.strict and missed) else 0


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """The options, with `benchmarks` and `databases` chosen."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0] if __doc__ else None)
    sizes = parser.add_mutually_exclusive_group()
    for size in SIZES:
        sizes.add_argument(f"--{size}", dest="size", action="store_const", const=size)
    parser.add_argument("--only", default="", help=f"some of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--strict", action="store_true", help="a missed target is an error")
    chosen = parser.parse_args(arguments)
    names = [name for name in chosen.only.split(",") if name] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    chosen.benchmarks = [BENCHMARKS[name] for name in names]
    chosen.databases = DATABASES if chosen.database == "both" else (chosen.database,)
    chosen.size = chosen.size or "normal"
    return chosen


def _measure(
    benchmark: Benchmark, database: str, size: str, folder: Path, figures: list[Figure], broken: list[str]
) -> None:
    title = f"{benchmark.name} on {database}"
    sys.stdout.write(f"{title}…\n")
    sys.stdout.flush()
    started = time.monotonic()
    place = folder / f"{benchmark.name}-{database}"
    try:
        with prepared_stage(database, place) as environment:
            command = [sys.executable, "-m", "tests.benchmarks.child", benchmark.module, size, database, str(place)]
            ran = subprocess.run(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, check=False)
    except PostgresFailed as error:
        broken.append(f"{title}: {error}")
        return
    if ran.returncode:
        broken.append(f"{title}: ended with code {ran.returncode}; what it said is above")
        return
    found = [Figure(**figure) for figure in json.loads(ran.stdout.splitlines()[-1])]
    own = [replace(each, name=f"{each.name} [{database}]") for each in found]
    figures.extend(own)
    sys.stdout.write(f"{render_table(own)}\n{title} took {time.monotonic() - started:.0f} s\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
