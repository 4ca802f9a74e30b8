"""One benchmark in a process of its own, Django set up on its stage: prints its figures as JSON on the last line.

Started by `python -m tests.benchmarks`; the environment names the database and the broker.
"""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django

from tests.benchmarks.options import Options


def main(module: str, size: str, database: str, folder: str) -> None:
    """Measure, and print what was found."""
    django.setup()
    from tests.benchmarks.stage import prepare_database

    prepare_database()
    options = Options(size=size, database=database, folder=Path(folder))
    figures = importlib.import_module(f"tests.benchmarks.{module}").measure(options)
    sys.stdout.write("\n" + json.dumps([asdict(figure) for figure in figures]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
