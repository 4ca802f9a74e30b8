"""The port's errors as sentences for people who wanted to read something from their CRM: what happened, what to do."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    CRMUnavailable,
    GrantEnded,
    Misconfigured,
    Reauthenticate,
    RecordGone,
    RetryLater,
)
from crm_integrations.services.call_budgets import BudgetSpent
from crm_integrations.services.call_places import SLOW, PlacesTaken

EXPLANATIONS = (
    (RetryLater, gettext_lazy("The CRM limits its calls just now. Try again in a minute.")),
    (CRMUnavailable, gettext_lazy("The CRM cannot be reached just now. Try again in a minute.")),
    ((Reauthenticate, GrantEnded), gettext_lazy("The account must be re-authenticated before it can be read.")),
    (AccessDenied, gettext_lazy("The system user may not read this. Give it the right in the CRM, then try again.")),
    (RecordGone, gettext_lazy("The CRM account has no such entity type.")),
    (Misconfigured, gettext_lazy("The CRM does not accept the connection's settings. Ask an administrator.")),
)
ANYTHING_ELSE = gettext_lazy("The CRM refused to be read.")


def explain_crm_error(error: CRMError) -> str:
    """A sentence, and behind it the CRM's own words when it said any."""
    if isinstance(error, PlacesTaken):
        return str(SLOW)  # the catalogue asks in one language, whoever reads
    if isinstance(error, BudgetSpent):
        return error.message  # our own words, and they say when
    sentence = str(next((text for kind, text in EXPLANATIONS if isinstance(error, kind)), ANYTHING_ELSE))
    if not error.message:
        return sentence
    return _("%(sentence)s The CRM says: “%(words)s”") % {"sentence": sentence, "words": error.message}
