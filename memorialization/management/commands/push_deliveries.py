"""`manage.py push_deliveries [--once]`: a worker without Celery; turns for the accounts, one after the other."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, Min, OuterRef, Q

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import CRMAccount
from memorialization.models import BulkWrite
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.draining import drain_account
from memorialization.services.heartbeats import note_heartbeat
from memorialization.services.replay_runs import next_run_at, work_on_free_runs
from memorialization.services.sweeping import find_work
from memorialization.services.waking import take_moments
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 90.0  # --once waits so long for a limit, a bulk write or a replay run: a window of a minute, and some
SHORTEST_WAIT_S = 0.05


class Command(BaseCommand):
    """Door to `services.sweeping` and `services.draining`."""

    help = (
        "Do all that a worker does, account by account, in this process. Ctrl-C ends it after the present call. The "
        "exit code is 1 when an account could not be worked on in the last round; the others were."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` for operators and cron."""
        parser.add_argument("--once", action="store_true", help="stop as soon as nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain until nothing is due; without --once, again and again."""
        self.failed: set[int] = set()  # accounts that raised in the last round
        stop = threading.Event()
        previous = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            total = self._work(stop, is_once=options["once"])
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)
        if self.failed:
            count = len(self.failed)
            raise CommandError(f"{total} tries were made; accounts that could not be pushed: {count}; see the log.")
        ending = "stopped as asked" if stop.is_set() else "nothing more is due now"
        self.stdout.write(self.style.SUCCESS(f"{total} tries were made; {ending}."))

    def _work(self, stop: threading.Event, *, is_once: bool) -> int:
        """Rounds while one moves anything, and waits; the number of tries."""
        total, moved_at = 0, time.monotonic()
        while not stop.is_set():
            tries, has_moved = self._round(stop)
            if tries:
                total += tries
                self.stdout.write(f"{total} tries …")
            if has_moved:
                moved_at = time.monotonic()
                continue
            opens_at, now = _next_moment(is_once=is_once), read_database_clock()
            wait_s = max((opens_at - now).total_seconds(), SHORTEST_WAIT_S) if opens_at else None
            if is_once and (wait_s is None or time.monotonic() + wait_s - moved_at > LONGEST_WAIT_S):
                break
            stop.wait(min(wait_s or settings.SWEEP_EVERY_S, settings.SWEEP_EVERY_S))
        return total

    def _round(self, stop: threading.Event) -> tuple[int, bool]:
        """What a worker's timer does, then a turn for each account; the number of tries, and whether anything moved."""
        found, has_more_replays = find_work(), work_on_free_runs()
        note_heartbeat(name="sweep", now=read_database_clock())
        tries = 0
        self.failed.clear()
        for account_id in _accounts_to_look_at(read_database_clock()):
            if stop.is_set():
                break
            tries += self._drain(account_id)
        return tries, bool(tries or found.folded or found.planned or has_more_replays)

    def _drain(self, account_id: int) -> int:
        """A turn for one account; the number of tries. One that raises must not keep back the others."""
        try:
            return drain_account(account_id=account_id).deliveries
        except CRMAccount.DoesNotExist:  # deleted meanwhile
            return 0
        except (OperationalError, InterfaceError):  # of the database: away for every account
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this account's alone
            logger.error("Account %s could not be pushed: %s.", account_id, describe_error(error))
            self.failed.add(account_id)
            return 0


def _accounts_to_look_at(now: datetime) -> list[int]:
    """Accounts with due work, and those whose moment has come; those of the sweep first, each once."""
    return list(dict.fromkeys([*accounts_with_due_lanes(now=now), *take_moments(now=now)]))


def _next_moment(*, is_once: bool) -> datetime | None:
    """When something is worth another look; `is_once`: an account or a run with something due or under way already."""
    accounts, runs_at = CRMAccount.objects.filter(wake_at__isnull=False), None
    if is_once:
        under_way = BulkWrite.objects.filter(account=OuterRef("pk")).exclude(state=BulkWrite.State.CONCLUDED)
        due = accounts_with_due_lanes(now=read_database_clock())
        accounts, runs_at = accounts.filter(Q(pk__in=due) | Exists(under_way)), next_run_at()
    wakes_at: datetime | None = accounts.aggregate(first=Min("wake_at"))["first"]
    return min((moment for moment in (wakes_at, runs_at) if moment is not None), default=None)
