"""Translates the client's errors into the port's, once and here only."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_integrations.providers import errors as port
from zendesk_client import errors as zendesk

DEFAULT_RETRY_AFTER_S = 10.0  # a 429 may come without Retry-After; ten seconds is the official Ruby client's answer

TRANSLATIONS: tuple[tuple[type[zendesk.ZendeskError], type[port.CRMError]], ...] = (
    (zendesk.Unauthorized, port.Reauthenticate),
    (zendesk.InvalidGrant, port.GrantEnded),
    (zendesk.AccessDenied, port.AccessDenied),
    (zendesk.OAuthError, port.Misconfigured),
    (zendesk.Forbidden, port.AccessDenied),
    (zendesk.RecordNotFound, port.RecordGone),
    (zendesk.NotFound, port.Misconfigured),
    (zendesk.ClosedTicket, port.RecordClosed),
    (zendesk.Conflict, port.Conflict),
    (zendesk.SearchLimitExceeded, port.ValueRefused),
    (zendesk.BadRequest, port.Misconfigured),
)
"""First match wins, so a subclass stands before its base. Limits, refusals and lost answers carry more: see below."""


ALSO_NAMES = {"status": "custom_status_id", "assignee": "assignee_id", "group": "group_id"}
"""Under the first name Zendesk refuses the second field too."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Let only errors of the port out. A ValueError of the client is a value no Zendesk account could take."""
    try:
        yield
    except zendesk.ZendeskError as error:
        raise translate_error(error) from error
    except ValueError as error:
        raise port.ValueRefused(str(error)) from error


def translate_error(error: zendesk.ZendeskError) -> port.CRMError:
    """What happens next, for an error of the client."""
    words = error.message or str(error)
    if isinstance(error, zendesk.RateLimited):
        wait = error.retry_after_s if error.retry_after_s is not None else DEFAULT_RETRY_AFTER_S
        return port.RetryLater(words, retry_after_s=wait, limit_class=error.limit_class, status=error.status)
    for source, target in TRANSLATIONS:
        if isinstance(error, source):
            return target(words, status=error.status)
    if isinstance(error, zendesk.RecordInvalid):
        return port.ValueRefused(_join_words(error), fields=_refused_fields(error), status=error.status)
    return port.CRMUnavailable(
        words,
        may_have_applied=error.maybe_applied,
        retry_after_s=error.retry_after_s,
        is_search_alone=isinstance(error, zendesk.SearchUnavailable) and not error.maybe_applied,
        status=error.status,
    )


def _refused_fields(error: zendesk.RecordInvalid) -> dict[str, str]:
    """CRM field key → Zendesk's words; what concerns the whole record is not a field."""
    refused: dict[str, str] = {}
    for key, entries in error.details.items():
        for entry in entries:
            field = f"custom_field_{entry.ticket_field_id}" if entry.ticket_field_id else key
            if field != "base":
                refused.setdefault(field, entry.description)
    return {also: refused[field] for field, also in ALSO_NAMES.items() if field in refused} | refused


def _join_words(error: zendesk.RecordInvalid) -> str:
    words = [entry.description for entries in error.details.values() for entry in entries if entry.description]
    return "; ".join(words)[:500] or error.message or str(error)
