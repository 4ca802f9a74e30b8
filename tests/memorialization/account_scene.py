"""Accounts in the states that Administration shows: busy, blocked, out of reach, with nothing."""

import math
import uuid
from datetime import datetime, timedelta

from crm_integrations.models import CallBudget, CallMinute, Configuration, CRMAccount
from crm_integrations.services.call_minutes import begin_of_minute
from memorialization.models import BulkWrite, DeliveryMinute
from tests.engine import make_delivery

WORDS = "Number of allowed API requests per minute exceeded"


def make_budget(account: CRMAccount, limit_class: str, now: datetime, **columns: object) -> CallBudget:
    """A confirmed budget in the middle of its window."""
    defaults = {"window_s": 60, "window_ends_at": now + timedelta(seconds=55), "is_confirmed": True}
    return CallBudget.objects.create(account=account, limit_class=limit_class, **(defaults | columns))


def block(account: CRMAccount, limit_class: str, now: datetime, *, words: str = WORDS) -> None:
    """The CRM asked for 47 seconds of rest."""
    until = now + timedelta(seconds=47)
    CallBudget.objects.filter(account=account, limit_class=limit_class).update(
        blocked_until=until, window_ends_at=until, block_reason=words
    )


def open_circuit(account: CRMAccount, now: datetime) -> None:
    """Nothing came back for four minutes; the next probe is in 12 seconds."""
    CRMAccount.objects.filter(pk=account.pk).update(
        circuit_state=CRMAccount.Circuit.OPEN,
        circuit_opened_at=now - timedelta(minutes=4),
        circuit_probe_at=now + timedelta(seconds=12),
        circuit_probes=2,
    )
    account.refresh_from_db()


def make_busy_hour(account: CRMAccount, now: datetime, *, classes: tuple[str, ...] = ("account", "update")) -> None:
    """An hour in which a backlog came and was worked off."""
    calls, deliveries = [], []
    for back in range(60):
        minute = begin_of_minute(now) - timedelta(minutes=back)
        height = max(math.sin((back - 4) / 14), 0.0)
        made = round(640 * height) + back % 7
        limited, failed = (3 if back == 22 else 0), (5 if back in {30, 31} else 0)
        for name in classes:
            is_whole = name == classes[0]
            calls.append(
                CallMinute(
                    account=account, limit_class=name, minute=minute,
                    calls=made if is_whole else made // 8, limited=0 if is_whole else limited, failed=failed,
                )
            )  # fmt: skip
        writes = made * 20
        deliveries.append(
            DeliveryMinute(
                account=account, minute=minute, deliveries=round(writes * 1.4), writes=writes,
                bulk_writes=round(writes * 0.97), calls=made,
            )
        )  # fmt: skip
    CallMinute.objects.bulk_create(calls)
    DeliveryMinute.objects.bulk_create(deliveries)


def make_bulk_write(configuration: Configuration, now: datetime, *, done: int = 40, size: int = 100) -> BulkWrite:
    """A bulk write that the CRM works on."""
    authentication = configuration.authentication
    assert authentication is not None
    return BulkWrite.objects.create(
        account=authentication.account, authentication=authentication, entity_type="ticket", size=size, done=done,
        state=BulkWrite.State.RUNNING, handle=uuid.uuid4().hex, lease=uuid.uuid4(),
        created_at=now - timedelta(seconds=9), progressed_at=now, poll_at=now + timedelta(seconds=2),
    )  # fmt: skip


def make_waiting(configuration: Configuration, count: int, **columns: object) -> None:
    """So many deliveries that wait, each for a record of its own."""
    for number in range(count):
        make_delivery(configuration, record_id=str(5000 + number), **columns)
