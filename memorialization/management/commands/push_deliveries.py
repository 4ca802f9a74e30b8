"""`manage.py push_deliveries [--once]`: a worker without Celery; turns for the accounts, one after the other."""

import signal
import threading
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import Exists, Min, OuterRef, Q

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import CRMAccount
from memorialization.models import BulkWrite
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.draining import drain_account
from memorialization.services.event_folding import fold_all_events
from memorialization.services.heartbeats import note_heartbeat
from memorialization.services.planning import plan_due_interactions
from memorialization.services.recovery import recover_lost_lanes
from memorialization.services.sweeping import PLANNED_PER_ROUND
from memorialization.services.waking import take_moments

LONGEST_WAIT_S = 90.0  # --once waits so long for a limit or a bulk write: a window of a minute, and something
SHORTEST_WAIT_S = 0.05
FOLDING_S = 30.0  # of a round, at the most; turns fold what comes meanwhile


class Command(BaseCommand):
    """Door to `services.draining`."""

    help = "Plan and push what is due, account by account, in this process. Ctrl-C ends it after the present call."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` for operators and cron."""
        parser.add_argument("--once", action="store_true", help="stop as soon as nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain until nothing is due; without --once, again and again."""
        stop = threading.Event()
        previous = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            total = self._work(stop, is_once=options["once"])
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)
        ending = "stopped as asked" if stop.is_set() else "nothing more is due now"
        self.stdout.write(self.style.SUCCESS(f"{total} tries were made; {ending}."))

    def _work(self, stop: threading.Event, *, is_once: bool) -> int:
        """Rounds and waits; the number of tries."""
        total, moved_at = 0, time.monotonic()
        while not stop.is_set():
            tries = self._drain(stop)
            total, moved_at = total + tries, time.monotonic() if tries else moved_at
            opens_at, now = _next_moment(is_once=is_once), read_database_clock()
            wait_s = max((opens_at - now).total_seconds(), SHORTEST_WAIT_S) if opens_at else None
            if is_once and (wait_s is None or time.monotonic() + wait_s - moved_at > LONGEST_WAIT_S):
                break
            stop.wait(min(wait_s or settings.SWEEP_EVERY_S, settings.SWEEP_EVERY_S))
        return total

    def _drain(self, stop: threading.Event) -> int:
        """Turns for all accounts until none moves any more; the number of tries."""
        tries = 0
        now = read_database_clock()
        recover_lost_lanes(now=now)
        fold_all_events(clock=read_database_clock, most_s=FOLDING_S)
        plan_due_interactions(now=now, limit=PLANNED_PER_ROUND)
        note_heartbeat(name="sweep", now=now)
        while not stop.is_set():
            before = tries
            for account_id in _accounts_to_look_at(read_database_clock()):
                tries += drain_account(account_id=account_id).deliveries
            if tries == before:  # limits hold them up, or another process has these lanes
                break
            self.stdout.write(f"{tries} tries …")
        return tries


def _accounts_to_look_at(now: datetime) -> list[int]:
    """Accounts with due work, and those whose moment has come; those of the sweep first, each once."""
    return list(dict.fromkeys([*accounts_with_due_lanes(now=now), *take_moments(now=now)]))


def _next_moment(*, is_once: bool) -> datetime | None:
    """When an account is worth another look; `is_once`: one on which something is due or under way already."""
    accounts = CRMAccount.objects.filter(wake_at__isnull=False)
    if is_once:
        under_way = BulkWrite.objects.filter(account=OuterRef("pk")).exclude(state=BulkWrite.State.CONCLUDED)
        due = accounts_with_due_lanes(now=read_database_clock())
        accounts = accounts.filter(Q(pk__in=due) | Exists(under_way))
    moment: datetime | None = accounts.aggregate(first=Min("wake_at"))["first"]
    return moment
