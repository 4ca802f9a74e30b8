"""What a CRM answers: grants, people, rights, records, and what became of a write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm_integrations.providers.fields import CRMValue


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a consent or a refresh yields. Times are absolute; None = the CRM did not say."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The CRM user with whose rights every call runs."""

    id: str
    name: str
    email: str
    role: str


class RightOutcome(StrEnum):
    """What a check of one right found."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Right:
    """One line of the rights list; `right` is a key of the provider's `right_labels`, `detail` a short reason."""

    right: str
    outcome: RightOutcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CRMRecord:
    """A record as the CRM shows it; `values` by field key, canonical.

    `owner_id`: the person it belongs to, e.g. who asked for a ticket. `names`: lookup field → the name of the record
    that its value stands for, as far as names were asked for and are known.
    """

    entity_type: str
    id: str
    title: str
    values: Mapping[str, CRMValue]
    is_closed: bool = False  # can no longer be changed
    owner_id: str = ""
    updated_at: str = ""  # ISO 8601
    names: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""  # ISO 8601, where the CRM tells


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """What the CRM answered to a write: the record after it, and redacted copies of both sides for the ledger.

    `record` is None when the answer did not carry the record (the caller then reads it). `is_comment_posted`: what the
    answer says of the comment that went along; None when it does not tell.
    """

    record: CRMRecord | None
    status: int
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    is_comment_posted: bool | None = None


@dataclass(frozen=True, slots=True)
class CommentTrace:
    """Whether the comment of one delivery stands on the record already; None = cannot be known."""

    is_posted: bool | None
