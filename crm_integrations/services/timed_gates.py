"""A gate that lets no call begin after its time: for acts whose caller waits for so long and no longer."""

import time
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.providers.errors import RetryLater
from crm_integrations.services.call_gates import AccountCallGate

RETRY_AFTER_S = 5.0  # what a caller is asked to wait; the next try finds what this one did
NO_LIMIT = "time"  # no limit of the CRM was hit


class TimeSpent(RetryLater):
    """The act took too long; the call was not made."""

    def __init__(self) -> None:
        message = _("The CRM took too long to answer.")
        super().__init__(message, retry_after_s=RETRY_AFTER_S, limit_class=NO_LIMIT)


class TimedCallGate(AccountCallGate):
    """See AccountCallGate. `lasts_s`: how long from now calls may begin; None = always."""

    def __init__(self, *, lasts_s: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._ends_at = None if lasts_s is None else time.monotonic() + lasts_s

    def enter(self, limit_classes: Sequence[str]) -> None:
        """Spend, unless the time is over. Raises BudgetSpent, TimeSpent."""
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            raise TimeSpent
        super().enter(limit_classes)
