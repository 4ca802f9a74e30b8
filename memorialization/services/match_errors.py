"""What an error of the CRM means for an interaction whose records are looked for: when it is looked at again, and why.

The counterpart of `call_errors` for questions: nothing was written, so there is no outcome to be unsure of.
"""

from datetime import datetime, timedelta

from crm_integrations.providers.errors import CRMError, GrantEnded, Reauthenticate, RetryLater
from crm_integrations.services.tokens import TokenUnavailable
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.retry_policy import is_given_up, next_delay_s
from memorialization.models import Interaction
from memorialization.services.match_holds import MatchWait
from memorialization.targeting import NONE, Target

SHORTEST_WAIT_S = 1.0
FAULT_WAIT_S = 300.0  # after an error of our own: it may be mended by then


def read_wait(error: CRMError, *, interaction: Interaction, now: datetime) -> MatchWait:
    """When to look again. A limit, a renewal of the access and a hold are no failure; everything else is."""
    if isinstance(error, (GrantEnded, Reauthenticate)):
        return MatchWait(now, DeliveryReason.HELD)  # passed over until somebody re-authenticates
    if isinstance(error, (RetryLater, TokenUnavailable)):
        wait_s = max(getattr(error, "retry_after_s", None) or 0.0, SHORTEST_WAIT_S)
        is_token = isinstance(error, TokenUnavailable)
        reason = DeliveryReason.TOKEN_UNAVAILABLE if is_token else DeliveryReason.LIMIT
        return MatchWait(now + timedelta(seconds=wait_s), reason)
    delay_s = next_delay_s(tries=interaction.match_tries + 1, floor_s=getattr(error, "retry_after_s", None))
    return MatchWait(now + timedelta(seconds=delay_s), DeliveryReason.CRM_UNAVAILABLE, backoff_s=delay_s)


def read_fault(*, now: datetime) -> MatchWait:
    """The same for an error that nobody expects."""
    return MatchWait(now + timedelta(seconds=FAULT_WAIT_S), DeliveryReason.MISCONFIGURED, backoff_s=FAULT_WAIT_S)


def gave_up(interaction: Interaction, wait: MatchWait) -> Target | None:
    """What becomes of the types that could not be looked for in all that time."""
    if not wait.backoff_s or not is_given_up(backoff_spent_s=interaction.match_backoff_s + wait.backoff_s):
        return None
    return Target(NONE, reason="match_gave_up")
