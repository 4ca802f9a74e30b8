"""A Zendesk API client in plain Python: knows neither Django nor the product that uses it.

Start at ``client.ZendeskClient`` for calls, ``oauth.OAuthClient`` for tokens, ``errors`` for what can go wrong.
"""

from zendesk_client.account_calls import CustomObject
from zendesk_client.bodies import WriteOptions
from zendesk_client.client import ZendeskClient
from zendesk_client.connection import ZENDESK_BASE_URL, MarketplaceHeaders, Timeouts, build_session
from zendesk_client.error_parsing import parse_error
from zendesk_client.errors import (
    AccessDenied,
    AnonymousUser,
    BadRequest,
    ClosedTicket,
    Conflict,
    ConnectionFailed,
    EndpointNotFound,
    ErrorDetail,
    Forbidden,
    IdempotencyMismatch,
    InvalidAnswer,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    MissingScope,
    NoAnswer,
    NotFound,
    OAuthError,
    RateLimited,
    RecordInvalid,
    RecordNotFound,
    SearchLimitExceeded,
    SearchUnavailable,
    TimedOut,
    TooManyJobs,
    Unauthorized,
    Unavailable,
    UpdateConflict,
    ZendeskError,
)
from zendesk_client.fields import FieldDefinition, FieldOption
from zendesk_client.idle_sessions import IdleSessions
from zendesk_client.jobs import JobOutcome, JobStatus
from zendesk_client.limits import ACCOUNT, LimitReport, parse_limits
from zendesk_client.oauth import (
    AuthorizationRequest,
    CallbackAnswer,
    OAuthClient,
    TokenPair,
    find_missing_scopes,
    parse_callback,
)
from zendesk_client.record_calls import WriteResult
from zendesk_client.records import Record
from zendesk_client.search_calls import SearchResult
from zendesk_client.search_terms import SearchTerm
from zendesk_client.subdomain import SUBDOMAIN, InvalidSubdomain, normalize_subdomain
from zendesk_client.transport import FinishedCall
from zendesk_client.users import CustomRole, Identity
from zendesk_client.values import is_applied, normalize_tag, read_value, write_value

__all__ = [
    "ACCOUNT",
    "SUBDOMAIN",
    "ZENDESK_BASE_URL",
    "AccessDenied",
    "AnonymousUser",
    "AuthorizationRequest",
    "BadRequest",
    "CallbackAnswer",
    "ClosedTicket",
    "Conflict",
    "ConnectionFailed",
    "CustomObject",
    "CustomRole",
    "EndpointNotFound",
    "ErrorDetail",
    "FieldDefinition",
    "FieldOption",
    "FinishedCall",
    "Forbidden",
    "IdempotencyMismatch",
    "Identity",
    "IdleSessions",
    "InvalidAnswer",
    "InvalidClient",
    "InvalidGrant",
    "InvalidScope",
    "InvalidSubdomain",
    "JobOutcome",
    "JobStatus",
    "LimitReport",
    "MarketplaceHeaders",
    "MissingScope",
    "NoAnswer",
    "NotFound",
    "OAuthClient",
    "OAuthError",
    "RateLimited",
    "Record",
    "RecordInvalid",
    "RecordNotFound",
    "SearchLimitExceeded",
    "SearchResult",
    "SearchTerm",
    "SearchUnavailable",
    "TimedOut",
    "Timeouts",
    "TokenPair",
    "TooManyJobs",
    "Unauthorized",
    "Unavailable",
    "UpdateConflict",
    "WriteOptions",
    "WriteResult",
    "ZendeskClient",
    "ZendeskError",
    "build_session",
    "find_missing_scopes",
    "is_applied",
    "normalize_subdomain",
    "normalize_tag",
    "parse_callback",
    "parse_error",
    "parse_limits",
    "read_value",
    "write_value",
]
