#!/usr/bin/env python
"""Django's command line for operators: `manage.py --help` lists the commands."""

import os
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent


def recall_last_start() -> None:
    """Work on what the last `make run` works on: its database, broker and demo. Without one, nothing happens.

    Whoever names a database is in production and names the rest too. Nothing of the product may be imported before:
    the first import reads the settings.
    """
    own, last = BASE_DIR / ".env", Path(os.environ.get("VAR_DIR") or BASE_DIR / "var") / "run.env"
    if not last.is_file() or {"DATABASE_URL", "DATABASE_URL_FILE"} & os.environ.keys():
        return
    if own.is_file() and "DATABASE_URL" in own.read_text(encoding="utf-8"):
        return
    for line in last.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value.strip("'"))


def main() -> None:
    """Run the command named on the command line."""
    recall_last_start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
