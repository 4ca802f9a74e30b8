"""manage.py export_configuration ID: one configuration as a file, for safe-keeping or another installation."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.models import Configuration
from crm_integrations.services.configuration_files import export_configuration


class Command(BaseCommand):
    """Door to `export_configuration`; the file goes to standard output or to --output."""

    help = "Write one configuration with its mappings as JSON. Tokens and keys are never part of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """ID and --output."""
        parser.add_argument("id", type=UUID, metavar="ID", help="the Configuration ID")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; the last line, on standard error, says what happened."""
        present = Configuration.objects.exclude(state=Configuration.State.DELETED)
        configuration = present.select_related("authentication").filter(pk=options["id"]).first()
        if configuration is None:
            raise CommandError(f"There is no configuration {options['id']}.")
        text = json.dumps(export_configuration(configuration=configuration), indent=2, ensure_ascii=False) + "\n"
        if options["output"]:
            self._write(options["output"], text)
        else:
            self.stdout.write(text, ending="")
        self.stderr.write(f"Exported the configuration “{configuration.name}”.")

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The file {path} cannot be written: {error.strerror}.") from error
