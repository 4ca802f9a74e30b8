"""What can go wrong with a CRM, named after what happens next. Translated once, in each provider's folder.

CRMError
├── RetryLater            not now: a limit was hit; `retry_after_s` says for how long, `limit_class` which
├── CRMUnavailable        the CRM or the way to it is down; `may_have_applied` when a write's outcome is unknown
├── Reauthenticate        the token no longer opens the account
├── GrantEnded            the refresh token is dead too, or the system user is gone: a person must re-authenticate
├── AccessDenied          the system user may not do this (role, plan or scope)
├── ValueRefused          the CRM refuses values; `fields` names them when it says which
├── RecordGone            no such record (deleted, merged away, never there)
├── RecordClosed          the record can no longer be changed
├── Conflict              somebody changed the record meanwhile: read again, try again
└── Misconfigured         our own request or client settings are wrong
"""

from collections.abc import Mapping


class CRMError(Exception):
    """Base: `message` is the CRM's own words, free of tokens; `status` its HTTP status or None.

    The words may quote a value of a customer's, so they are for the ledger and not for logs: `str()` leaves them out.
    """

    may_have_applied = False

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__()
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"{type(self).__name__} (status {self.status})"


class RetryLater(CRMError):
    """A limit: nothing was applied. `limit_class` names the limit as the CRM does, `account` for the whole account."""

    def __init__(
        self, message: str, *, retry_after_s: float, limit_class: str = "account", status: int | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after_s = retry_after_s
        self.limit_class = limit_class


class CRMUnavailable(CRMError):
    """Infrastructure: 5xx, time-out, reset. `retry_after_s` is a floor when the CRM gave one.

    `is_search_alone`: only its search is down, so that records can still be read and written.
    """

    def __init__(
        self,
        message: str,
        *,
        may_have_applied: bool,
        retry_after_s: float | None = None,
        is_search_alone: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.may_have_applied = may_have_applied
        self.retry_after_s = retry_after_s
        self.is_search_alone = is_search_alone


class Reauthenticate(CRMError):
    """401: the access token is expired or revoked; a refresh tells which."""


class GrantEnded(CRMError):
    """The grant is over (refresh refused), or the system user is suspended or deleted (`is_user_gone`)."""

    def __init__(self, message: str, *, is_user_gone: bool = False, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.is_user_gone = is_user_gone


class AccessDenied(CRMError):
    """403: role, plan or scope."""


class ValueRefused(CRMError):
    """The CRM refuses the write as data; nothing of it was applied. `fields`: CRM field key → the CRM's words."""

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.fields = dict(fields or {})


class RecordGone(CRMError):
    """There is no such record."""


class RecordClosed(CRMError):
    """The record is frozen for good."""


class Conflict(CRMError):
    """A concurrent change; nothing was applied."""


class Misconfigured(CRMError):
    """A request the CRM does not understand, or client settings it does not accept."""
