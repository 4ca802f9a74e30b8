"""`manage.py prune_history --days N`: delete history that is over for so long."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.database_clock import read_database_clock
from memorialization.services.history_pruning import (
    EVENT_IDS_KEPT,
    Deleted,
    count_history,
    note_pruning,
    prune_history,
)

REPORT_EVERY = 1_000  # contacts
INTERRUPTED = 130  # the exit code of a program that was stopped by Ctrl-C
MOST_DAYS = 36_500
KINDS = ("contacts", "interactions", "deliveries", "attempts", "events")


def read_days(text: str) -> int:
    """A number of days that keeps every event id as long as it has to be known."""
    days = int(text) if text.isascii() and text.isdigit() else 0
    least = EVENT_IDS_KEPT.days
    if not least <= days <= MOST_DAYS:
        raise ArgumentTypeError(
            f"use a whole number from {least} to {MOST_DAYS}: the ids of events are kept for {least} days, so that "
            "an event that a source repeats has no second effect"
        )
    return days


class Command(BaseCommand):
    """Door to `services.history_pruning`; safe beside everything else, at any time and more than once."""

    help = (
        "Delete contacts, with their events, interactions, deliveries and tries, of which nothing was heard and for "
        "which nothing was finished in the last N days, and nothing is owed any more. Marks on records and the audit "
        "trail stay. It may be stopped at any time: what was deleted is deleted, the rest is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How old."""
        parser.add_argument("--days", type=read_days, required=True, help="at least 30")
        parser.add_argument("--dry-run", action="store_true", help="only count it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, or count."""
        days, is_counting = options["days"], options["dry_run"]
        before = read_database_clock() - timedelta(days=days)
        total: Deleted = Counter()
        word = "Would be deleted" if is_counting else "Deleted"
        try:
            self._work(total, count_history(before=before) if is_counting else prune_history(before=before))
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {word}: {_describe(total)}.", returncode=INTERRUPTED) from None
        finally:
            if total.total() and not is_counting:
                note_pruning(days=days, deleted=total)
        self.stdout.write(self.style.SUCCESS(f"{word}: {_describe(total)}."))

    def _work(self, total: Deleted, steps: Any) -> None:
        reported = 0
        for step in steps:
            total.update(step)
            if total["contacts"] - reported >= REPORT_EVERY:
                reported = total["contacts"]
                self.stdout.write(f"{_describe(total)} …")


def _describe(total: Deleted) -> str:
    return ", ".join(f"{total[kind]} {kind}" for kind in KINDS if kind in total) or "nothing"
