"""A refused consent on its way from the callback to the window: kept in the session until it is shown once."""

from django.http import HttpRequest

from crm_integrations.authorization_refusals import describe_refusal

SESSION_KEY = "authorization_refusal"
DETAIL_LIMIT = 300  # characters of the CRM's words


def leave_refusal(request: HttpRequest, *, reason: str, detail: str) -> None:
    """Note why the consent led to nothing."""
    request.session[SESSION_KEY] = [reason, detail[:DETAIL_LIMIT]]


def take_refusal(request: HttpRequest) -> str:
    """The sentences for a noted refusal, once; empty when there is none."""
    noted = request.session.pop(SESSION_KEY, None)
    return describe_refusal(*noted) if noted else ""
