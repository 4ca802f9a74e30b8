"""Calls that are made before it is known whose budgets they spend: a consent's, whose account is stored at its end.

They are counted afterwards, so that an account's page does not take them for those of others, and what refused one of
them is known to everybody.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import CRMAccount
from crm_integrations.providers.base import CRMProvider
from crm_integrations.services.call_budgets import BudgetSpent, CallAnswer, Grant, settle
from crm_integrations.services.call_gates import AccountCallGate

logger = logging.getLogger(__name__)


@dataclass
class KeptCalls:
    """See CallGate: lets every call through and keeps what it spent and what was answered."""

    provider: CRMProvider
    _entered: tuple[str, ...] = ()
    _made: list[tuple[tuple[str, ...], dict[str, Any]]] = field(default_factory=list)

    def enter(self, limit_classes: Sequence[str]) -> None:
        """A call is about to be made."""
        self._entered = tuple(limit_classes)

    def leave(self, **answer: Any) -> None:
        """It is over."""
        self._made.append((self._entered, answer))

    def count(self, *, address: str) -> None:
        """Count them as ours, as far as the limits are known to have had room for them; never raises.

        There is nothing to count for an account that is not stored: nobody else calls it.
        """
        try:
            accounts = CRMAccount.objects.filter(provider=self.provider.slug, address=address)
            for account_id in accounts.values_list("pk", flat=True):
                self._count(account_id)
        except DatabaseError:
            logger.exception("The calls of a consent could not be counted.")

    def _count(self, account_id: int) -> None:
        limits = self.provider.limits
        gate = AccountCallGate(account_id=account_id, is_interactive=True, clock=read_database_clock, limits=limits)
        for limit_classes, answer in self._made:
            try:
                gate.enter(limit_classes)
            except BudgetSpent:
                _note_refusal(account_id, limit_classes, answer)
                continue
            gate.leave(**answer)
        gate.flush()


def _note_refusal(account_id: int, limit_classes: tuple[str, ...], answer: dict[str, Any]) -> None:
    """Let a limit that refused a call rest, although there was no room to count the call itself."""
    if answer.get("refused"):
        now = read_database_clock()
        uncounted = Grant(account_id, limit_classes, {}, now, now)
        settle(account_id=account_id, answers=[CallAnswer(uncounted, now, **answer)])
