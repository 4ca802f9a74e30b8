"""manage.py import_configuration FILE: a new configuration out of a file, checked against the live account first."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.services.configuration_files import CheckedFile, ImportRefused, check_file, import_configuration

STANDARD_INPUT = "-"


class Command(BaseCommand):
    """Door to `check_file` and `import_configuration`."""

    help = "Create a configuration from a file. Nothing is changed when anything in the file is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --authentication and --dry-run."""
        parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
        parser.add_argument(
            "--authentication", default="", metavar="NAME", help="use this authentication instead of the file's"
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything, create nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Name every problem with its path, or create the configuration; the last line says what happened."""
        try:
            checked = check_file(text=self._read(options["file"]), authentication_name=options["authentication"])
            self._report(checked)
            if options["dry_run"]:
                self.stdout.write(f"The file is fine; nothing was created (--dry-run): {checked.columns['name']}")
                return
            configuration = import_configuration(checked=checked, actor=None)
        except ImportRefused as refused:
            for problem in refused.problems:
                self.stderr.write(f"{problem.json_path or 'file'}: {problem.message}")
            raise CommandError(f"Nothing was changed: {len(refused.problems)} problem(s) in the file.") from refused
        state = configuration.get_state_display()
        self.stdout.write(f"Created the configuration “{configuration.name}” ({state}): {configuration.pk}")

    def _read(self, name: str) -> str:
        try:
            if name == STANDARD_INPUT:
                return sys.stdin.read()
            return Path(name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise CommandError(f"The file {name} cannot be read: it is not UTF-8 text.") from error
        except OSError as error:
            raise CommandError(f"The file {name} cannot be read: {error.strerror}.") from error

    def _report(self, checked: CheckedFile) -> None:
        for line in checked.lines:
            self.stdout.write(line)
