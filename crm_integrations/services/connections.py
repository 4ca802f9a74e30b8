"""Opens authenticated connections to CRM accounts: the only way from the product to a CRM.

Never open one inside a transaction: a renewed token would vanish with its rollback.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from django.db import DatabaseError

from crm_integrations.broken_connections import drop_connection
from crm_integrations.database_clock import Clock, read_database_clock, read_steady_clock
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMConnection
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.authenticated_connections import CALLS_PER_ACT as CALLS_PER_ACT
from crm_integrations.services.authenticated_connections import AuthenticatedConnection as AuthenticatedConnection
from crm_integrations.services.call_gates import AccountCallGate
from crm_integrations.services.call_places import places
from crm_integrations.services.timed_gates import TimedCallGate

logger = logging.getLogger(__name__)

T = TypeVar("T")
INTERACTIVE_PATIENCE_S = 5.0  # how long a person's request waits for somebody else's renewal


@contextmanager
def open_connection(
    *,
    authentication: Authentication,
    patience_s: float = INTERACTIVE_PATIENCE_S,
    clock: Clock = read_database_clock,
    is_interactive: bool = True,
    lasts_s: float | None = None,
    expected_calls: int = 1,
) -> Iterator[AuthenticatedConnection]:
    """A live account for the length of the block; what its answers said of limits is noted when it ends.

    Calls that a person waits for (`is_interactive`) may use the head-room that deliveries leave, and not all threads;
    `expected_calls` of them are granted together while there is plenty. After `lasts_s` no call begins any more.
    Raises, here or from any call: AuthenticationHeld (a GrantEnded: a person must act), PlacesTaken, TokenBusy
    (somebody else renews the token for longer than `patience_s`), BudgetSpent and TimeSpent (all four a RetryLater),
    or what the call itself raises.
    """
    account = authentication.account
    provider = get_provider(account.provider)
    gate = TimedCallGate(
        lasts_s=lasts_s,
        account_id=account.pk,
        is_interactive=is_interactive,
        expected=expected_calls,
        clock=read_steady_clock if clock is read_database_clock else clock,
        limits=provider.limits,
    )
    with places.taking() if is_interactive else nullcontext():
        live = AuthenticatedConnection(
            authentication_id=authentication.pk,
            provider=provider,
            address=account.address,
            options=authentication.options,
            patience_s=patience_s,
            clock=clock,
            gate=gate,
        )
        yield from _closed_at_the_end(live)


def run_on_connection(*, authentication: Authentication, act: Callable[[CRMConnection], T]) -> T:
    """Do one thing on a connection of its own."""
    with open_connection(authentication=authentication) as live:
        return act(live)


def _closed_at_the_end(live: AuthenticatedConnection) -> Iterator[AuthenticatedConnection]:
    try:
        yield live
    finally:
        _flush(live.gate)
        live.close()


def _flush(gate: AccountCallGate) -> None:
    """Budgets correct themselves: a database that is away must not hide what the block itself raised."""
    try:
        gate.flush()
    except DatabaseError:
        drop_connection()
        logger.exception("The last answers' limits could not be noted.")
