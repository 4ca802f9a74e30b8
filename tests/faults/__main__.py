"""Command line of the fault matrix: `python -m tests.faults --rows storm,poison --size 500 --profile embedded`.

Each profile runs in a process of its own, because Django knows one database a process. The exit code is 0 only when
every row holds.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.faults.profile_play import Choice, play_in_child
from tests.faults.report import as_json, describe_machine, render_table
from tests.faults.servers import EMBEDDED, PRODUCTION, running_servers

PROFILES = (EMBEDDED, PRODUCTION)
SIZE = 2_000


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; see --help."""
    parser = argparse.ArgumentParser(prog="tests.faults", description="One fault at a time, against real processes.")
    parser.add_argument("--rows", default="", help="names separated by commas; default: all (see --list)")
    parser.add_argument("--profile", choices=PROFILES, help="default: both")
    parser.add_argument("--size", type=int, default=SIZE, help="events of a row")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds each row is played with")
    parser.add_argument("--list", action="store_true", help="only name the rows")
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)  # of the process that plays one profile
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Play the rows asked for and print the table."""
    options = read_arguments(arguments)
    if options.folder:
        return play_profile(options)
    profiles = (options.profile,) if options.profile else PROFILES
    if options.list:
        return _list_rows(profiles[0])
    choice = Choice(options.rows, options.size, options.seed, options.seeds)
    results = [result for profile in profiles for result in play_in_child(profile, choice)]
    print(f"\nFault matrix, {datetime.now():%Y-%m-%d}, {describe_machine()}\n")  # noqa: DTZ005
    print(render_table(results))
    return 0 if results and all(result["is_passed"] for result in results) else 1


def _list_rows(profile: str) -> int:
    """Name them; a process of the profile knows, since they can only be imported with a database."""
    play_in_child(profile, Choice(is_list=True))
    return 0


def play_profile(options: argparse.Namespace) -> int:
    """All rows of one profile, in this process; one line of JSON each. The environment is the profile's already."""
    import django

    django.setup()
    from tests.faults.matrix import BY_NAME, ROWS, play_row

    if options.list:
        sys.stderr.write("".join(f"{row.name:18} {', '.join(row.profiles):22} {row.words}\n" for row in ROWS))
        return 0
    wanted = [BY_NAME[name] for name in options.rows.split(",") if name] or list(ROWS)
    wanted = [row for row in wanted if options.profile in row.profiles]
    with running_servers(options.profile, Path(options.folder)) as servers:
        for row in wanted:
            for seed in range(options.seed, options.seed + options.seeds):
                sys.stderr.write(f"{options.profile} {row.name} (seed {seed}) … ")
                sys.stderr.flush()
                result = play_row(row, servers=servers, size=options.size, seed=seed)
                print(as_json(result), flush=True)
                sys.stderr.write(f"{'holds' if result.is_passed else 'FAILS'} ({result.took_s:.0f} s)\n")
                remarks = (*result.facts, *result.problems, *result.verdict.examples)
                sys.stderr.write("".join(f"    {remark}\n" for remark in remarks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
