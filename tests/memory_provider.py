"""An in-memory CRM behind the port: core tests run against it, so nothing of one vendor creeps into the core.

`MemoryProvider.accounts[address]` is a `MemoryAccount`: its records, users, fields, and faults to raise next.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms

from crm_integrations.providers.base import (
    BulkOutcome,
    BulkProgress,
    BulkSearch,
    CallGate,
    CallLimit,
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
    LimitScope,
    Right,
    RightOutcome,
    SystemUser,
    TokenGrant,
    WriteAnswer,
)
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    CRMUnavailable,
    GrantEnded,
    Reauthenticate,
    RecordClosed,
    RecordGone,
    RetryLater,
)

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


WRITE = ("account", "update", "per-record")
BULK = ("account", "bulk")
BULK_SIZE = 100


@dataclass
class MemoryJob:
    """A bulk write that the CRM has accepted. It is worked on when it is asked for, unless it is stuck.

    `polls_left`: how often it is still answered as under way first.
    """

    handle: str
    entity_type: str
    updates: dict[str, dict[str, CRMValue]]
    polls_left: int = 0
    is_stuck: bool = False
    is_vanished: bool = False
    is_finished: bool = False
    outcomes: dict[str, BulkOutcome] = field(default_factory=dict)
    accepted_at: datetime = field(default_factory=lambda: datetime.now(UTC))


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
    jobs: dict[str, MemoryJob] = field(default_factory=dict)  # bulk writes by handle, in the order they came
    polls_per_job: int = 0  # how often the next jobs are under way before they are finished
    stuck_jobs: int = 0  # so many of the next jobs never end
    vanishing_jobs: deque[bool] = field(
        default_factory=deque
    )  # each next job is forgotten, after it was applied or not
    refused_in_bulk: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # record → error and words
    unnamed_in_bulk: set[tuple[str, str]] = field(default_factory=set)  # records of which a job says nothing
    lost_bulk_answers: int = 0  # so many of the next bulk writes are accepted and the answer is lost
    may_write: bool = True  # False: the system user was demoted
    codes: set[str] | None = None  # consent codes that are good; None = any
    refusal: Exception | None = None  # what finish_consent and refresh raise

    def work_jobs(self) -> None:
        """Do what every job that is not stuck should have done by now."""
        for job in self.jobs.values():
            if not (job.is_stuck or job.is_finished or job.is_vanished):
                self.work(job)

    def work(self, job: MemoryJob) -> None:
        """Apply one job, record by record."""
        for record_id, values in job.updates.items():
            key = (job.entity_type, record_id)
            refusal = self.refused_in_bulk.get(key) or self._refusal(key)
            if refusal is None:
                self.apply(key, values, "")
            if key not in self.unnamed_in_bulk:
                job.outcomes[record_id] = BulkOutcome(refusal is None, *(refusal or ()))
        job.is_finished = True

    def apply(self, key: tuple[str, str], values: Mapping[str, CRMValue], delivery_id: str) -> None:
        """Change a record as a write does."""
        record = self.records[key]
        for name, value in values.items():
            if name == "comment":
                self.comments[key].append((delivery_id, str(value)))
            elif name == "tags" and isinstance(value, list):
                present = record.get("tags")
                record["tags"] = sorted({*(present if isinstance(present, list) else []), *value})
            elif name not in self.ignored_fields:
                record[name] = value

    def _refusal(self, key: tuple[str, str]) -> tuple[str, str] | None:
        if key not in self.records:
            return ("RecordNotFound", "Not found")
        return ("RecordClosed", "closed prevents ticket update") if key in self.closed else None

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

    def __init__(self, account: MemoryAccount, access_token: str, gate: CallGate | None = None) -> None:
        self.account = account
        self.access_token = access_token
        self.gate = gate

    def _take(self, name: str, details: Any = None, *, classes: tuple[str, ...] = ("account",)) -> None:
        """One call: through the gate, noted, with its fault raised."""
        if self.gate:
            self.gate.enter(classes)
        error: CRMError | None = None
        try:
            self._call(name, details)
        except CRMError as raised:
            error = raised
            raise
        finally:
            self._leave(error)

    def _leave(self, error: CRMError | None) -> None:
        if self.gate is None:
            return
        limited = error if isinstance(error, RetryLater) else None
        self.gate.leave(
            reports=list(self.account.limits),
            refused=limited.limit_class if limited else "",
            retry_after_s=limited.retry_after_s if limited else None,
            has_failed=isinstance(error, CRMUnavailable),
            words=limited.message if limited else "",
        )

    def _call(self, name: str, details: Any) -> None:
        self.account.take(name, details)
        if self.account.is_checking_tokens and self.access_token not in self.account.access_tokens:
            raise Reauthenticate("token expired", status=401)

    def identify(self) -> SystemUser:
        self._take("identify")
        if not self.account.user.id:
            raise GrantEnded("Anonymous user", is_user_gone=True, status=200)
        return self.account.user

    def confirm_writing(self, entity_type: str) -> None:
        self.identify()
        if not self.account.may_write:
            raise GrantEnded("The user's role no longer lets it write.")

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
        self._take("update_record", (entity_type, record_id, dict(values)), classes=WRITE)
        key = (entity_type, record_id)
        if key not in self.account.records:
            raise RecordGone("Not found", status=404)
        if key in self.account.closed:
            raise RecordClosed("closed prevents ticket update", status=422)
        self.account.apply(key, values, delivery_id)
        if self.account.faults_after_applying:
            raise self.account.faults_after_applying.popleft()
        return WriteAnswer(self._record(entity_type, record_id), 200, {"fields": sorted(values)}, {"id": record_id})

    def find_comment(self, entity_type: str, record_id: str, *, delivery_id: str) -> CommentTrace:
        self._take("find_comment", delivery_id)
        posted = self.account.comments[entity_type, record_id]
        return CommentTrace(any(known == delivery_id for known, _text in posted))

    def bulk_limit(self, entity_type: str, field_types: Collection[FieldType]) -> int:
        return 0 if FieldType.COMMENT in field_types else BULK_SIZE

    def update_records(
        self,
        entity_type: str,
        updates: Mapping[str, Mapping[str, CRMValue]],
        *,
        types: Mapping[str, FieldType] | None = None,
    ) -> BulkProgress:
        copied = {record_id: dict(values) for record_id, values in updates.items()}
        assert 0 < len(copied) <= BULK_SIZE
        assert not any("comment" in values for values in copied.values())
        self._take("update_records", (entity_type, copied), classes=BULK)
        if not self.account.may_write:
            raise AccessDenied("You may not write.", status=403)
        account = self.account
        job = MemoryJob(f"job-{len(account.jobs) + 1}", entity_type, copied, account.polls_per_job)
        account.jobs[job.handle] = job
        if account.stuck_jobs:
            account.stuck_jobs -= 1
            job.is_stuck = True
        if account.vanishing_jobs:
            if account.vanishing_jobs.popleft():
                account.work(job)
            job.is_vanished = True
        if account.lost_bulk_answers:
            account.lost_bulk_answers -= 1
            raise CRMUnavailable("The answer was lost.", may_have_applied=True)
        return BulkProgress(job.handle, is_finished=False, total=len(copied))

    def read_bulk(self, handles: Sequence[str]) -> dict[str, BulkProgress]:
        self._take("read_bulk", list(handles))
        known = [self.account.jobs[handle] for handle in handles if handle in self.account.jobs]
        return {job.handle: self._progress(job) for job in known if not job.is_vanished}

    def find_bulk(self, entity_type: str, record_ids: Sequence[str], *, since: datetime) -> BulkSearch:
        self._take("find_bulk", (entity_type, list(record_ids)))
        jobs = [job for job in reversed(self.account.jobs.values()) if not job.is_vanished]
        shown = [(job, self._progress(job)) for job in jobs]
        wanted = (entity_type, set(record_ids))
        found = [progress for job, progress in shown if (job.entity_type, set(job.updates)) == wanted]
        finished = [progress for progress in found if progress.is_finished]
        return BulkSearch(
            progress=finished[0] if finished else None,
            is_certain=all(progress.is_finished for _job, progress in shown),
        )

    def _progress(self, job: MemoryJob) -> BulkProgress:
        if job.polls_left > 0:
            job.polls_left -= 1
        elif not (job.is_stuck or job.is_finished):
            self.account.work(job)
        done = len(job.updates) if job.is_finished else 0
        return BulkProgress(job.handle, job.is_finished, done, len(job.updates), dict(job.outcomes))

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
    limits: ClassVar[Sequence[CallLimit]] = (
        CallLimit("account", None, 60),
        CallLimit("update", None, 60),
        CallLimit("per-record", 30, 600, LimitScope.RECORD),
        CallLimit("bulk", 30, 60, LimitScope.IN_FLIGHT),
    )
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

    def write_classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        return BULK if is_bulk else WRITE

    def connect(
        self, address: str, *, access_token: str, options: Mapping[str, str], gate: CallGate | None = None
    ) -> MemoryConnection:
        return MemoryConnection(self.accounts[address], access_token, gate)
