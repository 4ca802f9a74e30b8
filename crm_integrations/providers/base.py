"""The CRM port: what the core asks of any CRM.

`CRMProvider` describes one integration type and brings accounts to life; `CRMConnection` is one live account with one
access token. Both raise only errors of `crm_integrations.providers.errors`. Nothing here sleeps or retries: the
database does (docs/architecture.md).

Adding a CRM: a client package, a folder beside `providers/zendesk/`, one line in settings.CRM_PROVIDERS.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise

from crm_integrations.providers.bulk import BulkOutcome as BulkOutcome
from crm_integrations.providers.bulk import BulkProgress as BulkProgress
from crm_integrations.providers.bulk import BulkSearch as BulkSearch
from crm_integrations.providers.limits import CallGate as CallGate
from crm_integrations.providers.limits import CallLimit as CallLimit
from crm_integrations.providers.limits import LimitReport as LimitReport
from crm_integrations.providers.limits import LimitScope as LimitScope

CRMValue = str | int | float | bool | list[str] | None
"""A canonical value: text, number, bool, ISO date (YYYY-MM-DD) or date-time text, list of texts, None = unset."""


class FieldType(StrEnum):
    """How a CRM field takes its values; canonical values in brackets."""

    TEXT = "text"  # one line
    TEXTAREA = "textarea"  # several lines
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"  # "YYYY-MM-DD"
    DATETIME = "datetime"  # ISO 8601 with offset
    CHECKBOX = "checkbox"  # bool
    DROPDOWN = "dropdown"  # an option's value
    MULTISELECT = "multiselect"  # list of option values
    REGEXP = "regexp"  # text that matches `pattern`
    LOOKUP = "lookup"  # a record's id as text
    TAGS = "tags"  # list of texts; written by adding, never by replacing
    COMMENT = "comment"  # text; written once, as an internal note


@dataclass(frozen=True, slots=True)
class FieldOption:
    """A choice of a drop-down: what is stored and what people see."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class CRMField:
    """One field of a record type. `key` is what mappings and files name it by (docs: configuration file)."""

    key: str
    title: str
    type: FieldType
    is_writable: bool = True
    is_custom: bool = False
    is_required: bool = False
    max_length: int | None = None  # characters
    pattern: str = ""
    options: tuple[FieldOption, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EntityType:
    """A record type: `ticket`, `user`, `organization` or `custom_object:<key>`."""

    key: str
    title: str
    title_plural: str
    is_custom: bool = False


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
    """A record as the CRM shows it; `values` by field key, canonical."""

    entity_type: str
    id: str
    title: str
    values: Mapping[str, CRMValue]
    is_closed: bool = False


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


class CRMConnection(ABC):
    """One live account. Close it when done; it keeps its connection alive between calls. Not for several threads."""

    @abstractmethod
    def identify(self) -> SystemUser:
        """Who the token acts as. Raises GrantEnded(is_user_gone=True) for a suspended, deleted or anonymous user."""

    @abstractmethod
    def confirm_writing(self, entity_type: str) -> None:
        """Ask after a write was denied: raises GrantEnded when the system user is gone, or may not write any more."""

    @abstractmethod
    def check_rights(self, *, granted_scopes: Sequence[str]) -> list[Right]:
        """What the system user may do, as far as the CRM tells; never raises AccessDenied, that is an outcome."""

    @abstractmethod
    def list_entity_types(self) -> list[EntityType]:
        """All record types of the account, standard ones first."""

    @abstractmethod
    def list_fields(self, entity_type: str) -> list[CRMField]:
        """All fields of a record type that can be read, in the CRM's order; unknown type: RecordGone."""

    @abstractmethod
    def get_records(
        self, entity_type: str, ids: Sequence[str], *, types: Mapping[str, FieldType] | None = None
    ) -> dict[str, CRMRecord]:
        """The records that exist, by id; at most 100 ids. Fields named in `types` come back canonical."""

    @abstractmethod
    def update_record(
        self,
        entity_type: str,
        record_id: str,
        values: Mapping[str, CRMValue],
        *,
        delivery_id: str,
        types: Mapping[str, FieldType] | None = None,
    ) -> WriteAnswer:
        """Write fields of one record, whose `types` make the answer canonical.

        Tags are added. A comment is internal, its metadata name `delivery_id`, and it is part of the last call made:
        an error other than CRMUnavailable(may_have_applied) says that the comment was not posted.
        """

    @abstractmethod
    def find_comment(self, entity_type: str, record_id: str, *, delivery_id: str) -> CommentTrace:
        """Look for the comment that `delivery_id` posted."""

    @abstractmethod
    def bulk_limit(self, entity_type: str, field_types: Collection[FieldType]) -> int:
        """How many records of a type one bulk write takes when it writes such fields; 0 = not in bulk. Asks nobody."""

    @abstractmethod
    def update_records(
        self,
        entity_type: str,
        updates: Mapping[str, Mapping[str, CRMValue]],
        *,
        types: Mapping[str, FieldType] | None = None,
    ) -> BulkProgress:
        """Hand a bulk write (record id → values) to the CRM, which works on it by itself; tags are added.

        At most `bulk_limit` records. RetryLater, AccessDenied, ValueRefused: nothing of it was accepted.
        """

    @abstractmethod
    def read_bulk(self, handles: Sequence[str]) -> dict[str, BulkProgress]:
        """How far these bulk writes are, in one call for up to 100; one that the CRM has forgotten is left out."""

    @abstractmethod
    def find_bulk(self, entity_type: str, record_ids: Sequence[str], *, since: datetime) -> BulkSearch:
        """Look among the CRM's recent bulk writes for one that carried exactly these records, not before `since`."""

    @abstractmethod
    def report_limits(self) -> list[LimitReport]:
        """What the last answers said of the account's limits."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""


class CRMProvider(ABC):
    """A descriptor of one integration type. Instances are made once and hold no account."""

    slug: str
    label: str | Promise
    asks_external_domain: bool = False
    external_domain_label: str = ""
    is_authorized_by_consent: bool = True
    default_record_variables: ClassVar[Mapping[str, str]] = {}
    right_labels: ClassVar[Mapping[str, str | Promise]] = {}
    limits: ClassVar[Sequence[CallLimit]] = ()
    limit_labels: ClassVar[Mapping[str, str | Promise]] = {}
    """Limit class → its name for people; a class without one is shown as it is."""
    authentication_form: type[forms.Form]
    """The window's fields; its cleaned `address` names the account, every other cleaned field becomes an option."""

    @abstractmethod
    def account_url(self, address: str) -> str:
        """The account's address for people, e.g. shown beside the form."""

    @abstractmethod
    def record_url(self, address: str, external_domain: str, entity_type: str, record_id: str) -> str:
        """Where a person opens the record; the external domain wins over the account's own address."""

    @abstractmethod
    def clean_external_domain(self, text: str) -> str:
        """The pasted domain as an https origin. Raises ValueError with a sentence for people."""

    @abstractmethod
    def begin_consent(self, address: str, *, state: str, redirect_uri: str) -> tuple[str, str]:
        """The consent page's address and the PKCE verifier to keep."""

    @abstractmethod
    def finish_consent(self, address: str, *, code: str, verifier: str, redirect_uri: str) -> TokenGrant:
        """Exchange the code. Raises GrantEnded (code refused), Misconfigured, RetryLater, CRMUnavailable."""

    @abstractmethod
    def refresh(self, address: str, *, refresh_token: str) -> TokenGrant:
        """A new pair; the old one is dead afterwards. Raises GrantEnded, Misconfigured, RetryLater, CRMUnavailable."""

    @abstractmethod
    def revoke(self, address: str, *, access_token: str) -> None:
        """End the pair at the CRM; one that is dead already is fine."""

    @abstractmethod
    def missing_scopes(self, granted: Sequence[str]) -> list[str]:
        """Scopes that were asked for and not granted."""

    @abstractmethod
    def write_classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        """The limit classes that one write spends; all are among `limits`."""

    @abstractmethod
    def connect(
        self, address: str, *, access_token: str, options: Mapping[str, str], gate: CallGate | None = None
    ) -> CRMConnection:
        """A live account whose every call passes the gate; opens no connection by itself."""
