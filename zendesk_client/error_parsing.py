"""Decides which error an answer is: one pure function from (status, headers, content type, body) to the tree.

Zendesk has four envelopes, and OAuth a fifth: ``{"error": name, "description", "details"}``,
``{"error": {"title", "message"}}``, ``{"errors": [{"code", "title", "detail"}]}``, plain text or HTML, and
``{"error", "error_description"}``. Most operations declare none of them in the OpenAPI file, so every shape is
tolerated everywhere and the status decides when the words do not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk_client import errors
from zendesk_client.errors import ErrorDetail, ZendeskError
from zendesk_client.limits import find_exhausted_class, parse_limits, parse_retry_after
from zendesk_client.redaction import redact_text

BASE = "base"  # Zendesk's key for a problem of the whole record
REQUEST_ID_HEADERS = ("x-request-id", "x-zendesk-request-id", "cf-ray")

BY_CODE: dict[str, type[ZendeskError]] = {
    "toomanyjobs": errors.TooManyJobs,
    "unavailable": errors.SearchUnavailable,
    "invalid_token": errors.Unauthorized,
    "invalid_grant": errors.InvalidGrant,
    "invalid_client": errors.InvalidClient,
    "unauthorized_client": errors.InvalidClient,
    "invalid_scope": errors.InvalidScope,
    "access_denied": errors.AccessDenied,
    "unsupported_grant_type": errors.OAuthError,
    "recordnotfound": errors.RecordNotFound,
    "customobjectrecordnotfound": errors.RecordNotFound,
    "updateconflict": errors.UpdateConflict,
    "closedticket": errors.ClosedTicket,
    "recordinvalid": errors.RecordInvalid,
    "idempotentrequesterror": errors.IdempotencyMismatch,
}
BY_WORDS: tuple[tuple[int, str, type[ZendeskError]], ...] = (
    (403, "required scopes", errors.MissingScope),
    (422, "closed prevents ticket update", errors.ClosedTicket),
    (422, "search response limits", errors.SearchLimitExceeded),
)
BY_STATUS: dict[int, type[ZendeskError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.EndpointNotFound,
    408: errors.Unavailable,
    409: errors.Conflict,
    410: errors.EndpointNotFound,
    422: errors.RecordInvalid,
    429: errors.RateLimited,
}


@dataclass(slots=True)
class _Said:
    """What an error body says, whichever envelope it came in."""

    code: str = ""
    message: str = ""
    details: dict[str, tuple[ErrorDetail, ...]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """All sentences in lower case, for the few situations only the words tell apart."""
        entries = (entry.description for entries in self.details.values() for entry in entries)
        return " ".join((self.message, *entries)).lower()


def parse_error(
    status: int, headers: Mapping[str, str], content_type: str, body: bytes, *, is_write: bool = False
) -> ZendeskError:
    """Return the error this answer is (never raises). ``is_write``: the request could change something.

    A 5xx leaves the outcome of a write open, except 503 with Retry-After, which is a database time-out or deadlock
    to be retried (https://developer.zendesk.com/api-reference/introduction/requests/).
    """
    said = _read_body(content_type, body)
    retry_after_s = parse_retry_after(headers)
    is_open = is_write and (status >= 500 or status == 408) and not (status == 503 and retry_after_s is not None)
    error = _choose_class(status, said)(
        said.message,
        status=status,
        code=said.code,
        details=said.details,
        retry_after_s=retry_after_s,
        request_id=_find_request_id(headers),
        maybe_applied=is_open or (is_write and 200 <= status < 400),
    )
    if isinstance(error, errors.RateLimited) and not isinstance(error, errors.TooManyJobs):
        error.limit_class = find_exhausted_class(parse_limits(headers))
    return error


def _choose_class(status: int, said: _Said) -> type[ZendeskError]:
    if status < 400:
        return errors.InvalidAnswer
    by_code = BY_CODE.get(said.code.lower())
    if status == 429 or status >= 500:  # here the status is the fact and the body a decoration
        by_status = errors.RateLimited if status == 429 else errors.Unavailable
        return by_code if by_code in (errors.TooManyJobs, errors.SearchUnavailable) else by_status
    for word_status, words, by_words in BY_WORDS:
        if status == word_status and words in said.words:
            return by_words
    return by_code or BY_STATUS.get(status, errors.BadRequest)


def _read_body(content_type: str, body: bytes) -> _Said:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return _Said(message=redact_text(body.decode("utf-8", errors="replace")))
    return _read_envelope(parsed) if isinstance(parsed, dict) else _Said(message=redact_text(_as_text(parsed)))


def _read_envelope(body: dict[str, Any]) -> _Said:
    error, listed = body.get("error"), body.get("errors")
    if isinstance(error, dict):
        return _Said(_as_code(error.get("code") or error.get("title")), _as_message(error.get("message")))
    if isinstance(listed, list) and listed:
        return _read_list(listed)
    message = body.get("description") or body.get("error_description") or body.get("message") or error
    return _Said(_as_code(error), _as_message(message), _read_details(body.get("details")))


def _read_list(listed: list[Any]) -> _Said:
    entries = [entry if isinstance(entry, dict) else {"title": entry} for entry in listed[:100]]
    details = tuple(
        ErrorDetail(_as_message(entry.get("detail") or entry.get("title")), _as_code(entry.get("code")))
        for entry in entries
    )
    message = "; ".join(dict.fromkeys(detail.description for detail in details if detail.description))
    return _Said(details[0].code, redact_text(message), {BASE: details})


def _read_details(details: Any) -> dict[str, tuple[ErrorDetail, ...]]:
    if not isinstance(details, dict):
        return {BASE: (ErrorDetail(_as_message(details)),)} if details else {}
    return {
        _as_message(name): tuple(_read_detail(entry) for entry in (entries if isinstance(entries, list) else [entries]))
        for name, entries in details.items()
    }


def _read_detail(entry: Any) -> ErrorDetail:
    if not isinstance(entry, dict):
        return ErrorDetail(_as_message(entry))
    field_id = entry.get("ticket_field_id")
    return ErrorDetail(
        _as_message(entry.get("description")),
        _as_code(entry.get("error")),
        field_id if isinstance(field_id, int) else None,
        _as_code(entry.get("ticket_field_type")),
    )


def _find_request_id(headers: Mapping[str, str]) -> str:
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    return next((redact_text(lowered[name])[:100] for name in REQUEST_ID_HEADERS if lowered.get(name)), "")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _as_message(value: Any) -> str:
    return redact_text(_as_text(value))


def _as_code(value: Any) -> str:
    return redact_text(value)[:100] if isinstance(value, str) else str(value) if isinstance(value, int) else ""
