"""An in-memory CRM behind the port: core tests run against it, so nothing of one vendor creeps into the core.

`MemoryProvider.accounts[address]` is a `MemoryAccount`: its records, users, fields, and faults to raise next.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms

from crm_integrations.providers.base import (
    CommentTrace,
    CRMConnection,
    CRMField,
    CRMProvider,
    CRMRecord,
    CRMValue,
    EntityType,
    FieldOption,
    FieldType,
    LimitReport,
    Right,
    RightOutcome,
    SystemUser,
    TokenGrant,
    WriteAnswer,
)
from crm_integrations.providers.errors import GrantEnded, Reauthenticate, RecordClosed, RecordGone

FIELDS: dict[str, list[CRMField]] = {
    "ticket": [
        CRMField("subject", "Subject", FieldType.TEXT, max_length=255),
        CRMField(
            "priority", "Priority", FieldType.DROPDOWN, options=(FieldOption("low", "Low"), FieldOption("high", "High"))
        ),
        CRMField("notes", "Notes", FieldType.TEXTAREA, is_custom=True, max_length=1000),
        CRMField("contact_id", "Contact ID", FieldType.TEXT, is_custom=True, max_length=50),
        CRMField("handle_time", "Handle time", FieldType.INTEGER, is_custom=True),
        CRMField("amount", "Amount", FieldType.DECIMAL, is_custom=True),
        CRMField("call_date", "Call date", FieldType.DATE, is_custom=True),
        CRMField("is_done", "Done", FieldType.CHECKBOX, is_custom=True),
        CRMField(
            "topics",
            "Topics",
            FieldType.MULTISELECT,
            is_custom=True,
            options=(FieldOption("a", "A"), FieldOption("b", "B")),
        ),
        CRMField("tags", "Tags", FieldType.TAGS),
        CRMField("comment", "Internal note", FieldType.COMMENT),
        CRMField("created_at", "Created", FieldType.DATETIME, is_writable=False),
    ],
    "user": [
        CRMField("name", "Name", FieldType.TEXT, max_length=255),
        CRMField("last_agent", "Last agent", FieldType.TEXT, is_custom=True, max_length=100),
    ],
    "custom_object:device": [
        CRMField("name", "Name", FieldType.TEXT),
        CRMField("serial", "Serial", FieldType.TEXT, is_custom=True),
    ],
}


@dataclass
class MemoryAccount:
    """The state of one account. `faults` are raised by the next calls, in order; `calls` lists what was asked."""

    records: dict[tuple[str, str], dict[str, CRMValue]] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)
    comments: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    ignored_fields: set[str] = field(default_factory=set)  # accepted and silently not applied
    faults: deque[Exception] = field(default_factory=deque)
    faults_after_applying: deque[Exception] = field(default_factory=deque)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    user: SystemUser = SystemUser("900", "System User", "system@example.com", "admin")
    access_tokens: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    limits: list[LimitReport] = field(default_factory=list)
    scopes: tuple[str, ...] = ("read", "write")
    is_checking_tokens: bool = False
    fields: dict[str, list[CRMField]] = field(
        default_factory=lambda: {key: list(value) for key, value in FIELDS.items()}
    )
    codes: set[str] | None = None  # consent codes that are good; None = any
    refusal: Exception | None = None  # what finish_consent and refresh raise

    def take(self, name: str, details: Any = None) -> None:
        """Note a call and raise the next fault, if any."""
        self.calls.append((name, details))
        if self.faults:
            raise self.faults.popleft()

    def grant(self, number: int) -> TokenGrant:
        """A fresh pair that kills every earlier one."""
        pair = (f"access-{number}", f"refresh-{number}")
        self.access_tokens, self.refresh_tokens = {pair[0]}, {pair[1]}
        now = datetime.now(UTC)
        return TokenGrant(*pair, now + timedelta(minutes=30), now + timedelta(days=30), self.scopes)


class MemoryConnection(CRMConnection):
    """One live account in memory."""

    def __init__(self, account: MemoryAccount, access_token: str) -> None:
        self.account = account
        self.access_token = access_token

    def _take(self, name: str, details: Any = None) -> None:
        self.account.take(name, details)
        if self.account.is_checking_tokens and self.access_token not in self.account.access_tokens:
            raise Reauthenticate("token expired", status=401)

    def identify(self) -> SystemUser:
        self._take("identify")
        if not self.account.user.id:
            raise GrantEnded("Anonymous user", is_user_gone=True, status=200)
        return self.account.user

    def check_rights(self, *, granted_scopes: Sequence[str]) -> list[Right]:
        self._take("check_rights")
        return [Right("read", RightOutcome.PASS), Right("write", RightOutcome.UNKNOWN, "not told")]

    def list_entity_types(self) -> list[EntityType]:
        self._take("list_entity_types")
        return [
            EntityType("ticket", "Ticket", "Tickets"),
            EntityType("user", "User", "Users"),
            EntityType("custom_object:device", "Device", "Devices", is_custom=True),
        ]

    def list_fields(self, entity_type: str) -> list[CRMField]:
        self._take("list_fields", entity_type)
        if entity_type not in self.account.fields:
            raise RecordGone("no such type", status=404)
        return list(self.account.fields[entity_type])

    def get_records(
        self, entity_type: str, ids: Sequence[str], *, types: Mapping[str, FieldType] | None = None
    ) -> dict[str, CRMRecord]:
        self._take("get_records", (entity_type, list(ids)))
        return {key: self._record(entity_type, key) for key in ids if (entity_type, key) in self.account.records}

    def _record(self, entity_type: str, record_id: str) -> CRMRecord:
        values = dict(self.account.records[entity_type, record_id])
        is_closed = (entity_type, record_id) in self.account.closed
        return CRMRecord(entity_type, record_id, f"{entity_type} {record_id}", values, is_closed=is_closed)

    def update_record(
        self,
        entity_type: str,
        record_id: str,
        values: Mapping[str, CRMValue],
        *,
        delivery_id: str,
        types: Mapping[str, FieldType] | None = None,
    ) -> WriteAnswer:
        self._take("update_record", (entity_type, record_id, dict(values)))
        key = (entity_type, record_id)
        if key not in self.account.records:
            raise RecordGone("Not found", status=404)
        if key in self.account.closed:
            raise RecordClosed("closed prevents ticket update", status=422)
        record = self.account.records[key]
        for name, value in values.items():
            if name == "comment":
                self.account.comments[key].append((delivery_id, str(value)))
            elif name == "tags" and isinstance(value, list):
                present = record.get("tags")
                record["tags"] = sorted({*(present if isinstance(present, list) else []), *value})
            elif name not in self.account.ignored_fields:
                record[name] = value
        if self.account.faults_after_applying:
            raise self.account.faults_after_applying.popleft()
        return WriteAnswer(self._record(entity_type, record_id), 200, {"fields": sorted(values)}, {"id": record_id})

    def find_comment(self, entity_type: str, record_id: str, *, delivery_id: str) -> CommentTrace:
        self._take("find_comment", delivery_id)
        posted = self.account.comments[entity_type, record_id]
        return CommentTrace(any(known == delivery_id for known, _text in posted))

    def report_limits(self) -> list[LimitReport]:
        return list(self.account.limits)

    def close(self) -> None:
        self.account.calls.append(("close", None))


class MemoryAuthenticationForm(forms.Form):
    """The window's fields for an account in memory."""

    address = forms.SlugField(max_length=60)
    app_id = forms.CharField(max_length=60, required=False)


class MemoryProvider(CRMProvider):
    """Accounts live on the class, so that every instance sees them; `reset()` between tests."""

    slug = "memory"
    label = "Memory CRM"
    asks_external_domain = True
    external_domain_label = "external_domain_memory"
    authentication_form = MemoryAuthenticationForm
    default_record_variables: ClassVar[Mapping[str, str]] = {"ticket": "memory_ticket_id", "user": "memory_user_id"}
    right_labels: ClassVar[Mapping[str, str]] = {"read": "Read everything", "write": "Write everything"}
    accounts: ClassVar[dict[str, MemoryAccount]] = defaultdict(MemoryAccount)
    _pairs: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        """Forget every account."""
        cls.accounts.clear()

    @classmethod
    def _grant(cls, address: str) -> TokenGrant:
        cls._pairs += 1
        return cls.accounts[address].grant(cls._pairs)

    def account_url(self, address: str) -> str:
        return f"https://{address}.memory.test"

    def record_url(self, address: str, external_domain: str, entity_type: str, record_id: str) -> str:
        return f"{external_domain or self.account_url(address)}/{entity_type}/{record_id}"

    def clean_external_domain(self, text: str) -> str:
        if not text.startswith("https://"):
            raise ValueError("Start with https://.")
        return text.rstrip("/")

    def begin_consent(self, address: str, *, state: str, redirect_uri: str) -> tuple[str, str]:
        query = urlencode({"state": state, "redirect_uri": redirect_uri})
        return f"{self.account_url(address)}/consent?{query}", f"verifier-{state[:6]}"

    def finish_consent(self, address: str, *, code: str, verifier: str, redirect_uri: str) -> TokenGrant:
        account = self.accounts[address]
        account.take("finish_consent", code)
        if account.refusal:
            raise account.refusal
        if account.codes is not None and code not in account.codes:
            raise GrantEnded("invalid_grant", status=400)
        return self._grant(address)

    def refresh(self, address: str, *, refresh_token: str) -> TokenGrant:
        account = self.accounts[address]
        account.take("refresh")
        if account.refusal:
            raise account.refusal
        if refresh_token not in account.refresh_tokens:
            raise GrantEnded("invalid_grant", status=400)
        return replace(self._grant(address))

    def revoke(self, address: str, *, access_token: str) -> None:
        self.accounts[address].take("revoke")
        self.accounts[address].access_tokens.discard(access_token)

    def missing_scopes(self, granted: Sequence[str]) -> list[str]:
        return sorted({"read", "write"} - set(granted))

    def connect(self, address: str, *, access_token: str, options: Mapping[str, str]) -> MemoryConnection:
        return MemoryConnection(self.accounts[address], access_token)
