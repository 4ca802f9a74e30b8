"""Turns in a worker: a thread with a place on the account drains it for a moment and says what it left over.

Both ways into a worker come here: Celery's task, and the background pushes of the timer when hints do not arrive.
"""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.conf import settings
from django.db import connections

from crm_integrations.models import CRMAccount
from crm_integrations.row_sql import read_rows
from memorialization.services.draining import TURN_S, drain_account
from memorialization.services.hints import send_backlog_hint
from memorialization.services.thread_places import ThreadPlaces
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

SLOW_TURN_S = TURN_S + 5.0  # a turn begins no call after its time, so its last call alone took five seconds or more
STAY_S = 30.0  # then the thread takes messages again, whoever is free
HINTS_FOR_MORE = 2  # a backlog spreads over more threads, up to their bound

PLACES = ThreadPlaces()


def take_turn(*, account_id: int) -> int:
    """Drain the account, if this thread has a place on it; how many further hints that calls for."""
    place = PLACES.place_on(
        account_id,
        threads=settings.WORKER_CONCURRENCY,
        is_circuit_closed=lambda: has_closed_circuit(account_id=account_id),
    )
    with place as granted:
        if not granted.is_granted:
            return 0  # those at work hint again
        try:
            has_more = _take_turns(account_id)
        except CRMAccount.DoesNotExist:
            logger.info("Account %s was deleted; there is nothing to push.", account_id)
            return 0
    return HINTS_FOR_MORE if has_more else int(granted.has_missed_hint)


def _take_turns(account_id: int) -> bool:
    """Turn after turn while the account is fast and threads are free for others; whether there is more to do."""
    began = now = time.monotonic()
    while True:
        turn_began = now
        try:
            has_more = drain_account(account_id=account_id, call_others=partial(_call_others, account_id)).has_more
        finally:
            now = time.monotonic()
            is_slow = now - turn_began >= SLOW_TURN_S
            PLACES.note_speed(account_id, is_slow=is_slow)
        may_stay = now - began < STAY_S and not is_slow and PLACES.may_stay(threads=settings.WORKER_CONCURRENCY)
        if not has_more or not may_stay:
            return has_more


def _call_others(account_id: int) -> None:
    """A backlog spreads over threads and processes from its first moment, not from the end of the first turn."""
    for _other in range(HINTS_FOR_MORE):
        send_backlog_hint(account_id=account_id)


def has_closed_circuit(*, account_id: int) -> bool:
    """Whether calls to the account go through as usual."""
    closed = "id = %s AND circuit_state = 'closed'"
    return bool(read_rows(CRMAccount, closed, [account_id]))


class BackgroundPushes:
    """Turns without a broker, in threads of their own that start when they are needed; the same bounds hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._asked: set[int] = set()
        self._is_stopped = False

    def push(self, account_id: int) -> None:
        """Take a turn on the account soon; no-op when one is asked for already and did not begin."""
        with self._lock:
            if account_id in self._asked or self._is_stopped:
                return
            if self._executor is None:
                self._executor = ThreadPoolExecutor(settings.WORKER_CONCURRENCY, thread_name_prefix="push")
            self._asked.add(account_id)
            self._executor.submit(self._take_turn, account_id)

    def stop(self) -> None:
        """Begin no further turn; those under way end by themselves, and what they leave is due for the next worker."""
        with self._lock:
            self._is_stopped = True
            if self._executor is not None:
                self._executor.shutdown(wait=False, cancel_futures=True)

    def _take_turn(self, account_id: int) -> None:
        with self._lock:
            self._asked.discard(account_id)
        try:
            if take_turn(account_id=account_id) and not send_backlog_hint(account_id=account_id):
                self.push(account_id)  # behind the other accounts
        except Exception as error:  # noqa: BLE001 - its words may be a customer's: its kind and place are logged
            words = "A turn on account %s failed, the sweep comes back to it: %s."
            logger.error(words, account_id, describe_error(error))
        finally:
            connections.close_all()
