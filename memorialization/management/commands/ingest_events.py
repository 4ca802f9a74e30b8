"""`manage.py ingest_events FILE|-`: takes events in from a file or a pipe, in our own format or in one of CXone's."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.database_clock import read_steady_clock
from crm_integrations.models import Configuration
from memorialization.formats import FORMATS
from memorialization.formats.documents import read_documents
from memorialization.services.file_intake import FileIntake, accept_documents

READY_STATES = (Configuration.State.ACTIVE, Configuration.State.SYSTEM_USER_REMOVED)


class Command(BaseCommand):
    """Bad rows are reported with their line and the others taken in; the exit code is 1 when there were any."""

    help = (
        "Take events in from FILE (- is standard input): a JSON array, an envelope, or one document per line. "
        "Repeating it has no second effect."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --configuration and --format."""
        parser.add_argument("file", metavar="FILE", help="the file to read, - for standard input")
        parser.add_argument("--configuration", metavar="ID", help="needed when there is more than one")
        parser.add_argument("--format", choices=sorted(FORMATS), default="native", help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, accept, report."""
        configuration = find_configuration(options["configuration"])
        counts = FileIntake()
        with open_input(options["file"]) as stream:
            for counts in accept_documents(
                configuration=configuration,
                documents=read_documents(stream),
                read=FORMATS[options["format"]],
                clock=read_steady_clock,
            ):
                self._report(counts)
        self.stdout.write(describe_counts(counts))
        if counts.rejected:
            raise SystemExit(1)

    def _report(self, counts: FileIntake) -> None:
        for problem in counts.problems:
            self.stderr.write(f"line {problem.line}: {problem.message}")
        self.stderr.write(f"… {counts.rows} rows read, {counts.accepted} events accepted")


def find_configuration(configuration_id: str | None) -> Configuration:
    """The configuration named, or the only one. Raises CommandError."""
    configurations = Configuration.objects.filter(state__in=READY_STATES).select_related("authentication")
    if configuration_id:
        try:
            return configurations.get(pk=UUID(configuration_id))
        except (ValueError, Configuration.DoesNotExist) as error:
            raise CommandError(f"There is no active configuration {configuration_id}.") from error
    found = list(configurations[:20])
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError("There is no active configuration.")
    names = "\n".join(f"  {configuration.pk}  {configuration.name}" for configuration in found)
    raise CommandError(f"There are several configurations; name one with --configuration:\n{names}")


@contextmanager
def open_input(name: str) -> Iterator[TextIO]:
    """The file, or standard input. Raises CommandError.

    Bytes that are no UTF-8 come through as halves of surrogate pairs, for which their row is refused and no other.
    """
    if name == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
        yield sys.stdin
        return
    try:
        with Path(name).open(encoding="utf-8-sig", errors="surrogateescape") as stream:
            yield stream
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error


def describe_counts(counts: FileIntake) -> str:
    """What happened, in one line."""
    return (
        f"{counts.rows} rows read: {counts.accepted} events accepted, {counts.duplicates} known already, "
        f"{counts.rejected} rejected, {counts.silent} rows without an event."
    )
