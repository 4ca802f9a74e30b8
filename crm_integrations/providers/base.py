"""The CRM port: what the core asks of any CRM.

`CRMProvider` describes one integration type and brings accounts to life; `CRMConnection` is one live account with one
access token. Both raise only errors of `crm_integrations.providers.errors`. Nothing here sleeps or retries: the
database does (docs/architecture.md).

Adding a CRM: a client package, a folder beside `providers/zendesk/`, one line in settings.CRM_PROVIDERS.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise

from crm_integrations.providers.answers import CommentTrace as CommentTrace
from crm_integrations.providers.answers import CRMRecord as CRMRecord
from crm_integrations.providers.answers import Right as Right
from crm_integrations.providers.answers import RightOutcome as RightOutcome
from crm_integrations.providers.answers import SystemUser as SystemUser
from crm_integrations.providers.answers import TokenGrant as TokenGrant
from crm_integrations.providers.answers import WriteAnswer as WriteAnswer
from crm_integrations.providers.bulk import BulkOutcome as BulkOutcome
from crm_integrations.providers.bulk import BulkProgress as BulkProgress
from crm_integrations.providers.bulk import BulkSearch as BulkSearch
from crm_integrations.providers.fields import CRMField as CRMField
from crm_integrations.providers.fields import CRMValue as CRMValue
from crm_integrations.providers.fields import EntityType as EntityType
from crm_integrations.providers.fields import FieldOption as FieldOption
from crm_integrations.providers.fields import FieldType as FieldType
from crm_integrations.providers.limits import CallGate as CallGate
from crm_integrations.providers.limits import CallLimit as CallLimit
from crm_integrations.providers.limits import LimitReport as LimitReport
from crm_integrations.providers.limits import LimitScope as LimitScope
from crm_integrations.providers.searches import CreationRefused as CreationRefused
from crm_integrations.providers.searches import CreationRequest as CreationRequest
from crm_integrations.providers.searches import FoundRecords as FoundRecords
from crm_integrations.providers.searches import PersonClues as PersonClues
from crm_integrations.providers.searches import SearchCriterion as SearchCriterion


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
        self,
        entity_type: str,
        ids: Sequence[str],
        *,
        types: Mapping[str, FieldType] | None = None,
        named: Collection[str] = (),
    ) -> dict[str, CRMRecord]:
        """The records that exist, by id; at most 100 ids. Fields named in `types` come back canonical.

        `named`: lookup fields whose records are to be named too, by as few further calls as the CRM allows.
        """

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
    def find_people(self, clues: PersonClues, *, types: Mapping[str, FieldType] | None = None) -> list[CRMRecord]:
        """The people of whom one of the clues is true, in the records themselves or in their further identities.

        The CRM's search finds more and misses what is new: everything it answers is compared with the clues here.
        """

    @abstractmethod
    def find_records(
        self,
        entity_type: str,
        criteria: Sequence[SearchCriterion],
        *,
        limit: int = 25,
        types: Mapping[str, FieldType] | None = None,
    ) -> FoundRecords:
        """Records that meet all criteria, as the CRM's search sees it: minutes late, the latest change first.

        Raises ValueRefused for a search that the CRM does not understand.
        """

    @abstractmethod
    def find_by_external_id(self, entity_type: str, external_id: str) -> list[CRMRecord]:
        """Records that carry this id of another system, without the lag of a search."""

    @abstractmethod
    def list_open_records(
        self, owner_id: str, *, limit: int = 25, types: Mapping[str, FieldType] | None = None
    ) -> list[CRMRecord]:
        """The unsolved cases of a person, the latest change first, without the lag of a search."""

    @abstractmethod
    def create_record(
        self, request: CreationRequest, *, key: str, types: Mapping[str, FieldType] | None = None
    ) -> WriteAnswer:
        """Create a record that carries `key` (at most 255 characters) as its external id, where its type has one.

        An external id of the request's own takes the place of the key.
        A repetition with the same request and key creates nothing again where the CRM can promise it; elsewhere look
        for the key first. Raises ValueRefused, RecordGone (what it follows up), CRMUnavailable(may_have_applied).
        """

    @abstractmethod
    def show_to_agent(self, agent: str, entity_type: str, record_id: str) -> bool:
        """Open the record on an agent's screen; `agent`: id or e-mail address of a CRM user. False: not possible."""

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
    person_type: str = ""  # the record type of people: who calls, and whose cases are looked for
    case_type: str = ""  # the record type of their cases
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
    def read_filter(self, text: str) -> list[SearchCriterion]:
        """A search as a script writes it, in the CRM's own words. Raises ValueError with a sentence for its author."""

    @abstractmethod
    def read_creation(
        self, entity_type: str, body: Mapping[str, Any], *, is_standard_only: bool = False
    ) -> CreationRequest:
        """A new record as a script describes it, in the CRM's own words.

        Raises CreationRefused; `is_standard_only`: for custom fields too.
        """

    @abstractmethod
    def build_follow_up(self, record: CRMRecord, subject: str, text: str) -> CreationRequest:
        """A case that goes on where a closed one ended. Raises CreationRefused for types that have no such thing."""

    @abstractmethod
    def build_case(self, *, subject: str, text: str, owner_id: str) -> CreationRequest:
        """A case with an internal first note, of a person when `owner_id` is known."""

    @abstractmethod
    def build_person(self, *, name: str, clues: PersonClues) -> CreationRequest:
        """A person with what is known of them."""

    @abstractmethod
    def write_classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        """The limit classes that one write spends; all are among `limits`."""

    @abstractmethod
    def connect(
        self, address: str, *, access_token: str, options: Mapping[str, str], gate: CallGate | None = None
    ) -> CRMConnection:
        """A live account whose every call passes the gate; opens no connection by itself."""
