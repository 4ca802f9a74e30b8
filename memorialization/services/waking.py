"""Accounts that asked to be looked at again: at the end of a turn the engine leaves the moment something opens."""

from collections.abc import Callable, Iterator
from datetime import datetime

from crm_integrations.models import CRMAccount
from memorialization.services.hints import send_backlog_hint

ACCOUNTS_PER_LOOK = 100  # the next look comes half a second later


def wake_accounts(*, now: datetime, push: Callable[[int], None]) -> int:
    """Hint at every account whose moment has come, or `push` where the broker takes no hint; how many there were.

    Should this process die before the hint is out, or the hint be lost, the sweep finds the account by what is due.
    """
    woken = 0
    for account_id in take_moments(now=now):
        woken += 1
        if not send_backlog_hint(account_id=account_id):
            push(account_id)
    return woken


def take_moments(*, now: datetime) -> Iterator[int]:
    """Accounts whose moment has come, each taken away by exactly one of many timers."""
    due = CRMAccount.objects.filter(wake_at__lte=now).order_by("wake_at").values_list("pk", "wake_at")
    for account_id, wake_at in due[:ACCOUNTS_PER_LOOK]:
        if wake_at is not None and _take_moment(account_id, wake_at):
            yield account_id


def _take_moment(account_id: int, wake_at: datetime) -> bool:
    """Whether it is ours: no other timer was faster, and no turn has moved it meanwhile."""
    return bool(CRMAccount.objects.filter(pk=account_id, wake_at=wake_at).update(wake_at=None))
