"""Wake-up hints: messages that say "this account may have something due", and nothing more.

A hint may be lost, come twice or late: the database is the truth and the sweep finds what a hint missed. So a broker
that is away must neither fail nor slow down whoever commits.
"""

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

PUSH_TASK = "memorialization.tasks.push_account"
RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
QUIET_AFTER_FAILURE_S = 5.0  # no further hint is tried for this long, so that a broker that is away costs nobody time

_failure_lock = threading.Lock()
_failed_at: list[float] = []  # the monotonic time of the last failure; empty while the broker answers


def wake_on_commit(*, account_id: int) -> None:
    """Hint at the account when the present transaction commits (now, outside one); once per transaction."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        send_hint(account_id=account_id)
        return
    pending = {hook.keywords["account_id"] for _sids, hook, _robust in connection.run_on_commit if _is_ours(hook)}
    if account_id not in pending:
        transaction.on_commit(partial(send_hint, account_id=account_id), robust=True)


def send_hint(*, account_id: int) -> bool:
    """Send the hint, or not: returns whether the broker took it. Never raises."""
    if _is_quiet():
        return False
    try:
        current_app.send_task(
            PUSH_TASK, kwargs={"account_id": account_id}, retry=True, retry_policy=RETRY_POLICY, ignore_result=True
        )
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the sweep does the work
        _note_failure(error)
        return False
    _note_success()
    return True


def _is_ours(hook: object) -> bool:
    return isinstance(hook, partial) and hook.func is send_hint


def _is_quiet() -> bool:
    return bool(_failed_at) and time.monotonic() - _failed_at[0] < QUIET_AFTER_FAILURE_S


def _note_failure(error: Exception) -> None:
    """Log the first failure of a row only."""
    with _failure_lock:
        is_first = not _failed_at
        _failed_at[:] = [time.monotonic()]
    if is_first:
        logger.warning("Wake-up hints cannot be sent (%s); the sweep takes over.", type(error).__name__)


def _note_success() -> None:
    with _failure_lock:
        _failed_at.clear()
