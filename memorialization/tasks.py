"""Doors for Celery. Tasks take ids, call one service, and may run twice, late or never: the database decides.

Unknown keywords are tolerated, so that old and new workers can share a broker during an upgrade.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import shared_task
from django.conf import settings

from memorialization.services.draining import drain_account
from memorialization.services.hints import send_hint
from memorialization.services.sweeping import sweep_once

RESERVED_THREADS = 2  # of a worker, that one account's backlog never takes

_lock = threading.Lock()
_busy: Counter[int] = Counter()  # account → threads of this process that are at work on it


@shared_task(name="memorialization.tasks.push_account")  # type: ignore[untyped-decorator]
def push_account(account_id: int, **_: Any) -> None:
    """Push what is due on one account; whatever the turn leaves over is hinted at again, behind the others."""
    with _place_on(account_id) as has_place:
        if not has_place:
            return  # enough threads are at work on it, and each hints again while there is more
        turn = drain_account(account_id=account_id)
    if turn.has_more:
        send_hint(account_id=account_id)
        send_hint(account_id=account_id)  # twice: a backlog spreads over more threads, up to their bound


@shared_task(name="memorialization.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep(**_: Any) -> None:
    """One round of the sweep."""
    sweep_once()


@contextmanager
def _place_on(account_id: int) -> Iterator[bool]:
    """Whether this thread may work on the account too; a backlog must leave threads to other accounts."""
    most = max(1, settings.WORKER_CONCURRENCY - RESERVED_THREADS)
    with _lock:
        has_place = _busy[account_id] < most
        _busy[account_id] += int(has_place)
    try:
        yield has_place
    finally:
        with _lock:
            _busy[account_id] -= int(has_place)
