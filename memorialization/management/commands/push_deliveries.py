"""`manage.py push_deliveries [--once]`: a worker without Celery; pushes what is due, then sweeps every few seconds."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from crm_integrations.database_clock import read_database_clock
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.draining import drain_account
from memorialization.services.planning import plan_due_interactions
from memorialization.services.recovery import recover_lost_lanes
from memorialization.services.sweeping import PLANNED_PER_ROUND, note_heartbeat


class Command(BaseCommand):
    """Door to `services.draining`."""

    help = "Push what is due to the CRMs in this process, account by account. Ctrl-C ends it after the present call."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` for operators and cron."""
        parser.add_argument("--once", action="store_true", help="stop as soon as nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain until nothing is due; without --once, again and again."""
        stop = threading.Event()
        previous = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            total = self._drain(stop)
            while not options["once"] and not stop.wait(settings.SWEEP_EVERY_S):
                total += self._drain(stop)
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)
        ending = "stopped as asked" if stop.is_set() else "nothing more is due now"
        self.stdout.write(self.style.SUCCESS(f"{total} tries were made; {ending}."))

    def _drain(self, stop: threading.Event) -> int:
        """Turns for all accounts until none has anything due; the number of tries."""
        tries = 0
        now = read_database_clock()
        recover_lost_lanes(now=now)
        plan_due_interactions(now=now, limit=PLANNED_PER_ROUND)
        note_heartbeat(name="sweep", now=now)
        while not stop.is_set() and (account_ids := accounts_with_due_lanes(now=read_database_clock())):
            before = tries
            for account_id in account_ids:
                tries += drain_account(account_id=account_id).deliveries
            if tries == before:  # another process has these lanes
                break
            self.stdout.write(f"{tries} tries …")
        return tries
