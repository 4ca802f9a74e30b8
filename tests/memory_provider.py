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
    CreationRefused,
    CreationRequest,
    CRMConnection,
    CRMField,
    CRMProvider,
    CRMRecord,
    CRMValue,
    EntityType,
    FieldOption,
    FieldType,
    FoundRecords,
    LimitReport,
    LimitScope,
    PersonClues,
    Right,
    RightOutcome,
    SearchCriterion,
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
    ValueRefused,
)
from tests import memory_searches

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


LOOKUPS = {"requester_id": "user", "assignee_id": "user", "organization_id": "organization"}
"""Lookup field → the type of the record that its value is the id of."""
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
    owners: dict[tuple[str, str], str] = field(default_factory=dict)  # record → the person it belongs to
    identities: dict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )  # person → further phones, mails
    changed_at: dict[tuple[str, str], str] = field(default_factory=dict)  # record → ISO time, "" when not told
    lookups: dict[str, str] = field(default_factory=lambda: dict(LOOKUPS))
    is_search_late: bool = False  # searches do not see what is created from now on, until `index()`
    unindexed: set[tuple[str, str]] = field(default_factory=set)
    created: dict[str, tuple[CreationRequest, tuple[str, str]]] = field(default_factory=dict)  # by key
    can_show_to_agents: bool = True
    screens: set[tuple[str, str, str]] = field(default_factory=set)  # agent, type and id of what was popped

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

    def index(self) -> None:
        """Let searches see everything."""
        self.unindexed.clear()

    def is_closed(self, key: tuple[str, str]) -> bool:
        """Whether the record can no longer be changed."""
        return key in self.closed or self.records[key].get("status") == "closed"

    def create(self, request: CreationRequest, key: str) -> tuple[str, str]:
        """A new record; the one of last time for a key that was used already."""
        if key in self.created:
            known, made = self.created[key]
            if known != request:
                raise ValueRefused("Request parameters don't match the given idempotency key", status=400)
            return made
        made = (request.entity_type, str(self._next_id()))
        values = {
            "external_id": key,
            **({"status": "new"} if request.entity_type == "ticket" else {}),
            **request.values,
        }
        values["external_id"] = values["external_id"] or key
        comment = values.pop("comment", None)
        self.records[made] = values
        if comment is not None:
            self.comments[made].append((key, str(comment)))
        if request.details.get("owner_id"):
            self.owners[made] = str(request.details["owner_id"])
        self.changed_at[made] = datetime.now(UTC).isoformat()
        if self.is_search_late:
            self.unindexed.add(made)
        self.created[key] = (request, made)
        return made

    def _next_id(self) -> int:
        return max([1000, *(int(record_id) for _type, record_id in self.records if record_id.isdecimal())]) + 1

    def list_type(self, entity_type: str) -> list[str]:
        """The ids of a type, the latest change first."""
        ids = [record_id for known, record_id in self.records if known == entity_type]
        return sorted(
            ids, key=lambda each: (self.changed_at.get((entity_type, each), ""), each.zfill(20)), reverse=True
        )

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
            has_failed=isinstance(error, CRMUnavailable) and not error.is_search_alone,
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
        self,
        entity_type: str,
        ids: Sequence[str],
        *,
        types: Mapping[str, FieldType] | None = None,
        named: Collection[str] = (),
    ) -> dict[str, CRMRecord]:
        self._take("get_records", (entity_type, list(ids), sorted(named)) if named else (entity_type, list(ids)))
        known = [key for key in ids if (entity_type, key) in self.account.records]
        return {key: self._record(entity_type, key, named) for key in known}

    def _record(self, entity_type: str, record_id: str, named: Collection[str] = ()) -> CRMRecord:
        key = (entity_type, record_id)
        values = self.account.records[key]
        return CRMRecord(
            entity_type,
            record_id,
            str(values.get("subject") or values.get("name") or f"{entity_type} {record_id}"),
            dict(values),
            is_closed=self.account.is_closed(key),
            owner_id=self.account.owners.get(key, ""),
            updated_at=self.account.changed_at.get(key, ""),
            names=self._names(key, named),
        )

    def _names(self, key: tuple[str, str], named: Collection[str]) -> dict[str, str]:
        """The names of the records that the values of lookup fields stand for, as far as they exist."""
        held = {"requester_id": self.account.owners.get(key, ""), **self.account.records[key]}
        wanted = {name: (self.account.lookups.get(name, ""), str(held.get(name) or "")) for name in named}
        found = {name: self.account.records.get(target) for name, target in wanted.items()}
        return {
            name: str(record.get("name") or record.get("subject") or "") for name, record in found.items() if record
        }

    def find_people(self, clues: PersonClues, *, types: Mapping[str, FieldType] | None = None) -> list[CRMRecord]:
        self._take("find_people", clues)
        account, person_type = self.account, MemoryProvider.person_type
        return [
            self._record(person_type, each)
            for each in account.list_type(person_type)
            if (person_type, each) not in account.unindexed
            and memory_searches.is_person(account.records[person_type, each], account.identities[each], clues)
        ]

    def find_records(
        self,
        entity_type: str,
        criteria: Sequence[SearchCriterion],
        *,
        limit: int = 25,
        types: Mapping[str, FieldType] | None = None,
    ) -> FoundRecords:
        self._take("find_records", (entity_type, list(criteria)))
        account = self.account
        found = [
            record_id
            for record_id in account.list_type(entity_type)
            if (key := (entity_type, record_id)) not in account.unindexed
            and all(memory_searches.meets(account.records[key], account.owners.get(key, ""), each) for each in criteria)
        ]
        return FoundRecords(tuple(self._record(entity_type, each) for each in found[:limit]), len(found) <= limit)

    def find_by_external_id(self, entity_type: str, external_id: str) -> list[CRMRecord]:
        self._take("find_by_external_id", (entity_type, external_id))
        known = self.account.list_type(entity_type)
        return [
            self._record(entity_type, each)
            for each in known
            if self.account.records[entity_type, each].get("external_id") == external_id
        ]

    def list_open_records(
        self, owner_id: str, *, limit: int = 25, types: Mapping[str, FieldType] | None = None
    ) -> list[CRMRecord]:
        self._take("list_open_records", owner_id)
        account, case_type = self.account, MemoryProvider.case_type
        mine = [each for each in account.list_type(case_type) if account.owners.get((case_type, each)) == owner_id]
        unsolved = [
            each
            for each in mine
            if not account.is_closed((case_type, each))
            and account.records[case_type, each].get("status") not in memory_searches.SOLVED
        ]
        return [self._record(case_type, each) for each in unsolved[:limit]]

    def create_record(
        self, request: CreationRequest, *, key: str, types: Mapping[str, FieldType] | None = None
    ) -> WriteAnswer:
        assert 0 < len(key) <= 255
        self._take("create_record", (request, key))
        if request.entity_type not in self.account.fields:
            raise RecordGone("no such type", status=404)
        self._check_follow_up(request)
        entity_type, record_id = self.account.create(request, key)
        if self.account.faults_after_applying:
            raise self.account.faults_after_applying.popleft()
        record = self._record(entity_type, record_id)
        has_comment = "comment" in request.values
        return WriteAnswer(record, 201, {"fields": sorted(request.values)}, {"id": record_id}, has_comment)

    def _check_follow_up(self, request: CreationRequest) -> None:
        followed = request.details.get("follows")
        if followed is None:
            return
        if (request.entity_type, followed) not in self.account.records:
            raise RecordGone("Not found", status=404)
        if not self.account.is_closed((request.entity_type, followed)):
            raise ValueRefused("Only closed records can be followed up.", status=422)

    def show_to_agent(self, agent: str, entity_type: str, record_id: str) -> bool:
        self._take("show_to_agent", (agent, entity_type, record_id))
        if not self.account.can_show_to_agents:
            return False
        self.account.screens.add((agent, entity_type, record_id))
        return True

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
    person_type = "user"
    case_type = "ticket"
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

    def read_filter(self, text: str) -> list[SearchCriterion]:
        return list(memory_searches.read_criteria(text))

    def read_creation(
        self, entity_type: str, body: Mapping[str, Any], *, is_standard_only: bool = False
    ) -> CreationRequest:
        fields = {known.key: known for known in FIELDS.get(entity_type, [])}
        return memory_searches.read_creation(entity_type, body, fields, is_standard_only=is_standard_only)

    def build_follow_up(self, record: CRMRecord, subject: str, text: str) -> CreationRequest:
        if record.entity_type != self.case_type:
            raise CreationRefused([("entity_type", "Only tickets are followed up.")])
        details = {"owner_id": record.owner_id, "follows": record.id}
        return CreationRequest(self.case_type, {"subject": subject, "comment": text}, details)

    def build_case(self, *, subject: str, text: str, owner_id: str) -> CreationRequest:
        return CreationRequest(self.case_type, {"subject": subject, "comment": text}, {"owner_id": owner_id})

    def build_person(self, *, name: str, clues: PersonClues) -> CreationRequest:
        phone = clues.phone.e164 if clues.phone else ""
        known = {"name": name, "phone": phone, "email": clues.email, "external_id": clues.external_id}
        return CreationRequest(self.person_type, {key: value for key, value in known.items() if value})

    def write_classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        return BULK if is_bulk else WRITE

    def connect(
        self, address: str, *, access_token: str, options: Mapping[str, str], gate: CallGate | None = None
    ) -> MemoryConnection:
        return MemoryConnection(self.accounts[address], access_token, gate)
