"""Command line of the tooling: `python -m config.stack run`; the Makefile names the words a newcomer types."""

import os
import sys
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def run() -> int:
    """Run the product until Ctrl-C."""
    from config.stack.run import run_product

    return run_product()


def prepare_database() -> int:
    """Migrate, make roles and the first administrator."""
    from config.stack.preparation import prepare_database as prepare

    prepare()
    return 0


def prepare_static_files() -> int:
    """Collect static files when they changed."""
    from config.stack.preparation import prepare_static_files as prepare

    prepare()
    return 0


def check() -> int:
    """Run every check and say which failed."""
    from config.stack.checks import run_checks

    return run_checks()


def update_messages() -> int:
    """Bring the catalogues to the messages of the sources."""
    from config.stack.translations import update_catalogues

    sys.stdout.write("\n".join(update_catalogues()) + "\n")
    return 0


def compile_messages() -> int:
    """Compile the catalogues that changed, for the pages to speak every language."""
    from config.stack.translations import compile_catalogues

    sys.stdout.write(f"{len(compile_catalogues())} catalogues compiled.\n")
    return 0


def check_messages() -> int:
    """Say what the catalogues lack."""
    from config.stack.translations import report_faults

    faults = report_faults()
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(faults)} faults in the translations\n" if faults else "The translations are complete.\n")
    return 1 if faults else 0


COMMANDS: dict[str, Callable[[], int]] = {
    "run": run,
    "prepare-database": prepare_database,
    "prepare-static-files": prepare_static_files,
    "check": check,
    "update-messages": update_messages,
    "compile-messages": compile_messages,
    "check-messages": check_messages,
}


def main(arguments: list[str]) -> int:
    """Run the one command named."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m config.stack {{{','.join(COMMANDS)}}}\n")
        return 2
    return COMMANDS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
