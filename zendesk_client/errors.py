"""The error tree of the Zendesk client.

Every method of this package raises these and nothing else (besides ``ValueError`` / ``TypeError`` for a call that no
Zendesk account could accept). ``error_parsing`` decides which one an answer is.

::

    ZendeskError                  status, code, message, details, retry_after_s, request_id, maybe_applied
    ├── NoAnswer                  nothing usable came back; status is None
    │   ├── TimedOut              connect, read or total time-out
    │   └── ConnectionFailed      name, TCP, TLS; reset; an answer that stops half way
    ├── InvalidAnswer             not the JSON expected, a redirect (never followed), too large, pages that never end
    ├── Unavailable               5xx and 408
    │   └── SearchUnavailable     the search service alone
    ├── RateLimited               429; limit_class names the exhausted limit
    │   └── TooManyJobs           30 bulk jobs are already queued or running
    ├── Unauthorized              401: the access token is expired, revoked or unknown
    │   └── AnonymousUser         users/me answered 200 for nobody
    ├── Forbidden                 403: role, restriction or plan
    │   └── MissingScope          403: the token lacks an OAuth scope
    ├── NotFound                  404, 410
    │   ├── RecordNotFound        this record is gone
    │   └── EndpointNotFound      path, feature, object type or whole account is not there
    ├── Conflict                  409: read again, then retry
    │   └── UpdateConflict        the safe update saw a newer ticket
    ├── RecordInvalid             422: Zendesk refuses the values; details say which fields
    │   └── ClosedTicket          closed tickets take no update
    ├── BadRequest                400 and other 4xx: the request itself is wrong
    │   ├── IdempotencyMismatch   same Idempotency-Key, other body
    │   └── SearchLimitExceeded   more than the 1,000 results search hands out
    └── OAuthError                the authorization server said no
        ├── InvalidGrant          code or refresh token is dead: authorise again
        ├── InvalidClient         our client id or secret: not the customer's fault, keep the tokens
        ├── InvalidScope          a scope beyond what the OAuth client is registered for
        └── AccessDenied          the person pressed Deny
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One entry of Zendesk's ``details``: what is wrong with one field, in Zendesk's words."""

    description: str
    code: str = ""
    ticket_field_id: int | None = None
    ticket_field_type: str = ""


Details = Mapping[str, tuple[ErrorDetail, ...]]


class ZendeskError(Exception):
    """Base of the tree.

    ``status``: HTTP status, None when nothing came back. ``code``: Zendesk's error name, ``""`` when it gave none.
    ``message``: Zendesk's own words with secrets removed, at most 500 characters; it may quote a value a customer
    entered, so it is for the account's administrators and not for logs: ``str()`` leaves it out.
    ``details``: field (or ``base`` for the whole record) -> entries. ``retry_after_s``: seconds, None when not said.
    ``maybe_applied``: True when a write may have taken effect in spite of the error: look before writing again.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        details: Details | None = None,
        retry_after_s: float | None = None,
        request_id: str = "",
        maybe_applied: bool = False,
    ) -> None:
        super().__init__()
        self.message = message
        self.status = status
        self.code = code
        self.details: Details = details or {}
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.maybe_applied = maybe_applied

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.status, self.code) if part) or self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class NoAnswer(ZendeskError):
    """Nothing usable came back. ``maybe_applied`` is False only when the request surely never left."""


class TimedOut(NoAnswer):
    """Connecting, reading, or the whole call took longer than allowed."""


class ConnectionFailed(NoAnswer):
    """The connection could not be made, or broke before the answer was complete."""


class InvalidAnswer(ZendeskError):
    """Zendesk answered, but not with what its contract promises."""


class Unavailable(ZendeskError):
    """5xx or 408. With ``retry_after_s`` a database time-out, without it an incident or maintenance."""


class SearchUnavailable(Unavailable):
    """Only the search service is down; records can still be read and written."""


class RateLimited(ZendeskError):
    """429. ``limit_class`` is the exhausted limit, as in ``LimitReport``; ``account`` when nothing says."""

    limit_class: str = "account"


class TooManyJobs(RateLimited):
    """30 bulk jobs are queued or running in the account; single writes still work."""

    limit_class = "inflight-jobs"


class Unauthorized(ZendeskError):
    """The access token is expired, revoked or unknown: Zendesk uses the same text for all three."""


class AnonymousUser(Unauthorized):
    """``GET /users/me`` answered 200 for *Anonymous user*: the credentials are worth nothing."""


class Forbidden(ZendeskError):
    """The authorising user's role or restriction, or the account's plan, does not allow this."""


class MissingScope(Forbidden):
    """The token was issued without a scope this call needs."""


class NotFound(ZendeskError):
    """Something addressed does not exist."""


class RecordNotFound(NotFound):
    """The record was deleted, never existed, or is hidden from the authorising user."""


class EndpointNotFound(NotFound):
    """The path, feature, custom object type or whole account does not exist. Says nothing about a record."""


class Conflict(ZendeskError):
    """Two changes met. Nothing of this request was applied."""


class UpdateConflict(Conflict):
    """A safe update met a ticket that changed since ``updated_stamp``."""


class RecordInvalid(ZendeskError):
    """Zendesk refuses the values as a whole; the record is as it was."""


class ClosedTicket(RecordInvalid):
    """The ticket is closed and takes no update."""


class BadRequest(ZendeskError):
    """The request is malformed: trying again cannot help."""


class IdempotencyMismatch(BadRequest):
    """The Idempotency-Key was used within two hours with another body."""


class SearchLimitExceeded(BadRequest):
    """A search asked for results beyond the 1,000 Zendesk hands out."""


class OAuthError(ZendeskError):
    """The authorization server refused. ``state`` echoes the state of a refused consent, ``""`` elsewhere."""

    state: str = ""


class InvalidGrant(OAuthError):
    """Code or refresh token is expired, used or revoked: the account must be authorised again."""


class InvalidClient(OAuthError):
    """Client id or secret is wrong: our configuration, the customers' tokens stay good."""


class InvalidScope(OAuthError):
    """The OAuth client is not registered for a scope that was asked."""


class AccessDenied(OAuthError):
    """The person at the consent page pressed Deny."""
