"""`manage.py replay_deliveries`: send many deliveries again, within the limits and in the order of their records."""

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Configuration
from memorialization.models import ReplayRun
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.selectors.ledger_states import DELIVERY_STATES
from memorialization.services.replay_choices import ReplayChoice, count_unreplayed
from memorialization.services.replay_runs import cancel_replay_run, start_replay_run, work_through

REPORT_EVERY = 1000
CANCELLED = "Somebody cancelled the run; nothing more is queued."
ENDED_EARLY: dict[str, str] = {
    ReplayRun.State.CANCELLING: CANCELLED,
    ReplayRun.State.CANCELLED: CANCELLED,
    ReplayRun.State.FAILED: "The run could not go on. Run the command again: what was replayed is left out.",
}
INTERRUPTED = 130  # the exit code of a program that was stopped by Ctrl-C


def read_moment(text: str) -> datetime:
    """A date or date-time of the command line; without an offset in the operator's TIME_ZONE."""
    try:
        day = parse_date(text) if "T" not in text and " " not in text else None
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
        if moment is not None:
            moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
            moment.astimezone(UTC)
    except (ValueError, OverflowError):  # well formed, and no such day; or beyond the calendar in UTC
        moment = None
    if moment is None:
        raise ArgumentTypeError("use 2026-11-22 or 2026-11-22T10:00:00-05:00")
    return moment


class Command(BaseCommand):
    """Door to `services.replay_runs`: the run that the deliveries page starts, worked on in the foreground."""

    help = (
        "Send deliveries again, by default those that failed. What was replayed before is left alone. "
        "Ctrl-C cancels the run: what it queued is sent, the rest is left alone. If the command dies otherwise, "
        "the workers go on with the run. The exit code is not 0 when the run was cancelled or failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which deliveries."""
        parser.add_argument("--since", type=read_moment, help="created at or after this time")
        parser.add_argument("--until", type=read_moment, help="created before this time")
        parser.add_argument("--state", choices=sorted(DELIVERY_STATES), default="failed")
        parser.add_argument("--reason", default="", help="the key of a reason, e.g. gave_up")
        parser.add_argument("--configuration", type=uuid.UUID, help="a Configuration ID")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, or count."""
        chosen, present = options["configuration"], Configuration.objects.exclude(state=Configuration.State.DELETED)
        if chosen and not present.filter(pk=chosen).exists():
            raise CommandError(f"There is no configuration {chosen}.")
        filters = LedgerFilters(state=options["state"], configuration=chosen, reason=options["reason"])
        choice = ReplayChoice(filters, since=options["since"], before=options["until"])
        if options["dry_run"]:
            self.stdout.write(self.style.SUCCESS(f"{count_unreplayed(choice)} deliveries would be replayed."))
            return
        run = start_replay_run(choice=choice, key=uuid.uuid4(), actor=None, now=read_database_clock())
        self.stdout.write(f"Replay run {run.pk}.")
        try:
            self._work(run)
        except KeyboardInterrupt:
            cancel_replay_run(run=run, actor=None, is_taking_back=False, now=read_database_clock())
            self._report(run)
            raise CommandError("Cancelled; nothing more is queued.", returncode=INTERRUPTED) from None
        self._report(run)
        if run.state in ENDED_EARLY:
            raise CommandError(ENDED_EARLY[run.state])

    def _work(self, run: ReplayRun) -> None:
        reported = 0
        for present in work_through(run_id=run.pk):
            if present.handled - reported >= REPORT_EVERY:
                reported = present.handled
                self.stdout.write(f"{reported} of {present.total} …")

    def _report(self, run: ReplayRun) -> None:
        """The last line, and first whatever else became of the run."""
        run.refresh_from_db()
        if run.state == ReplayRun.State.RUNNING:
            self.stdout.write("A worker goes on with it.")
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(run.refused.items()))
        self.stdout.write(self.style.SUCCESS(f"Replayed: {run.replayed}; not replayed: {refused or 'none'}."))
