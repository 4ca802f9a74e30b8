"""Wake-up hints: messages that say "this account may have something due", and nothing more.

A hint may be lost, come twice or late: the database is the truth and the sweep finds what a hint missed. So a broker
that is away must neither fail nor slow down whoever commits.

Fresh work and backlogs have a queue each, and workers take from both in turn: however many accounts are behind, a fresh
hint waits for one message of the other queue. During an upgrade, a worker of the version before reads the first queue
only; what waits in the second is found by the sweep.
"""

import logging
from functools import cache, partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.connection import Connection
from kombu.pools import producers

from crm_integrations.failure_pauses import FailurePause
from memorialization.services.hint_sender import HintSender

logger = logging.getLogger(__name__)

PUSH_TASK = "memorialization.tasks.push_account"
FRESH_QUEUE = "celery"  # Celery's own default, so that workers of every version read it
BACKLOG_QUEUE = "backlog"
RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
QUIET_AFTER_FAILURE_S = 5.0  # no further hint is tried for this long, so that a broker that is away costs nobody time
PATIENCE_S = 1.0  # with a broker that is silent; whoever reads from it has more

_pause = FailurePause(QUIET_AFTER_FAILURE_S)


def wake_on_commit(*, account_id: int) -> None:
    """Hint at the account when the present transaction commits (now, outside one); once per transaction."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        _send_soon(account_id=account_id)
        return
    pending = {hook.keywords["account_id"] for _sids, hook, _robust in connection.run_on_commit if _is_ours(hook)}
    if account_id not in pending:
        transaction.on_commit(partial(_send_soon, account_id=account_id))


def send_hint(*, account_id: int, queue: str = FRESH_QUEUE) -> bool:
    """Send the hint, or not: returns whether the broker took it. Never raises."""
    return send_message(PUSH_TASK, queue=queue, account_id=account_id)


def send_message(task: str, *, queue: str = FRESH_QUEUE, **keywords: Any) -> bool:
    """Ask for a task, or not: returns whether the broker took the message. Never raises, and never waits for long."""
    if _pause.is_quiet():
        return False
    try:
        with producers[_connection()].acquire(block=True) as producer:
            current_app.send_task(
                task,
                kwargs=keywords,
                queue=queue,
                producer=producer,
                retry=True,
                retry_policy=RETRY_POLICY,
                ignore_result=True,
            )
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the sweep does the work
        if _pause.note_failure():
            logger.warning("Wake-up hints cannot be sent (%s); the sweep takes over.", type(error).__name__)
        return False
    _pause.note_success()
    return True


def send_backlog_hint(*, account_id: int) -> bool:
    """The same, for work that has waited already: it queues behind other backlogs and never before fresh work."""
    return send_hint(account_id=account_id, queue=BACKLOG_QUEUE)


def _send_soon(*, account_id: int) -> None:
    """Never raises: whoever committed has what they came for, and the sweep finds what is due."""
    try:
        _sender.submit(account_id)
    except RuntimeError as error:  # no further thread can be started
        logger.warning("Wake-up hints cannot be sent (%s); the sweep takes over.", error)


def _is_ours(hook: object) -> bool:
    return isinstance(hook, partial) and hook.func is _send_soon


def _connection() -> Connection:
    """What names the pool of connections that messages are sent by, apart from those that a worker reads by."""
    return connect(current_app.conf.broker_write_url)


@cache
def connect(broker: str) -> Connection:
    """A connection to a broker, with little patience; made when it is needed."""
    patience = {"socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S}
    connection: Connection = current_app.connection(broker, transport_options=patience)
    return connection


_sender = HintSender(lambda account_id: send_hint(account_id=account_id))
