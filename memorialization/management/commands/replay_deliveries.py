"""`manage.py replay_deliveries`: send many deliveries again, within the limits and in the order of their records."""

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from memorialization.models import Delivery
from memorialization.services.replays import find_replayable, replay_many

REPORT_EVERY = 500
STATES = ("failed", "partial", "skipped", "delivered", "waiting")


def read_moment(text: str) -> datetime:
    """A date or date-time of the command line; without an offset in the operator's TIME_ZONE."""
    try:
        day = parse_date(text) if "T" not in text and " " not in text else None
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
    except ValueError:  # well formed, and no such day
        moment = None
    if moment is None:
        raise ArgumentTypeError("use 2026-11-22 or 2026-11-22T10:00:00-05:00")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


class Command(BaseCommand):
    """Door to `services.replays.replay_many`."""

    help = "Send deliveries again, by default those that failed. What was replayed before is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which deliveries."""
        parser.add_argument("--since", type=read_moment, help="created at or after this time")
        parser.add_argument("--until", type=read_moment, help="created before this time")
        parser.add_argument("--state", choices=STATES, default="failed")
        parser.add_argument("--configuration", type=uuid.UUID, help="a Configuration ID")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, or count."""
        deliveries = find_replayable(
            since=options["since"],
            until=options["until"],
            state=options["state"],
            configuration_id=str(options["configuration"] or ""),
        )
        if options["dry_run"]:
            self.stdout.write(self.style.SUCCESS(f"{deliveries.count()} deliveries would be replayed."))
            return
        counts = self._replay(Delivery.objects.filter(pk__in=deliveries.values("pk")))
        replayed = counts.pop("", 0)
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        self.stdout.write(self.style.SUCCESS(f"Replayed: {replayed}; not replayed: {refused or 'none'}."))

    def _replay(self, deliveries: Any) -> Counter[str]:
        counts: Counter[str] = Counter()
        for number, replay in enumerate(replay_many(deliveries=deliveries, actor=None, now=timezone.now()), start=1):
            counts[replay.refused] += 1
            if number % REPORT_EVERY == 0:
                self.stdout.write(f"{number} …")
        return counts
