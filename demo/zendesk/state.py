"""One Zendesk account in memory: its tables, its ids, its limits, faults and call log, written through to storage."""

import threading
import zlib
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from demo.zendesk.call_log import CallLog
from demo.zendesk.demo_time import DemoTime
from demo.zendesk.faults import FaultBoard
from demo.zendesk.limits import LimitBook
from demo.zendesk.storage import Storage, StoredChange
from demo.zendesk.write_log import WriteLog

Record = dict[str, Any]
Value = TypeVar("Value")

# Ids look like Zendesk's: 14 digits, and never the same in two accounts; the last eight begin here.
ID_START = {
    "users": 10_000_000,
    "organizations": 20_000_000,
    "ticket_fields": 30_000_000,
    "user_fields": 40_000_000,
    "organization_fields": 45_000_000,
    "custom_object_fields": 50_000_000,
    "groups": 60_000_000,
    "custom_roles": 62_000_000,
    "ticket_forms": 64_000_000,
    "identities": 70_000_000,
    "oauth_tokens": 80_000_000,
    "audits": 90_000_000,
}
ID_STEP = {"audits": 20}  # the events of an audit take the numbers between two audits
CHANGES_KEPT = 500
CHANGES_STORED_BY = 50  # the feed is for people's eyes: it is stored now and then, not with every call
AUDITS_KEPT = 20_000  # those without a comment; comments stay


@lru_cache(maxsize=4_096)
def stamp(moment: datetime) -> str:
    """A time as Zendesk prints it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4_096)
def moment_of(text: str) -> datetime:
    """The time behind a printed one."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Account:
    """All records of one subdomain. Take `lock` around everything that reads or writes them."""

    def __init__(self, subdomain: str, storage: Storage, time: DemoTime, now: Callable[[], datetime]) -> None:
        self.subdomain = subdomain
        self.lock = threading.RLock()
        self.version = 0
        self.time = time
        self._now = now
        self._storage = storage
        self._base = 36_000_000_000_000 + zlib.crc32(subdomain.encode()) % 10_000 * 100_000_000
        self._start_empty()

    def _start_empty(self) -> None:
        self.tables: dict[str, dict[Any, Record]] = {}
        self.audits_of: dict[int, list[Record]] = {}
        self.limits = LimitBook(self.time.scale)
        self.faults = FaultBoard(clock=lambda: self._now().timestamp())
        self.log = CallLog()
        self.writes = WriteLog(self.real_of)
        self.live_jobs: list[Record] = []
        self.job_texts: dict[str, str] = {}  # the results of finished jobs as JSON
        self.token_index: dict[str, int] = {}
        self._dirty: dict[tuple[str, Any], Record | None] = {}
        self._last_id: dict[str, int] = {}
        self._feed: dict[int, Record | None] = {}
        self._quiet_audits: deque[int] = deque()
        self._derived: dict[str, dict[Any, Any]] = {}

    def clear(self) -> None:
        """Forget everything, in storage too."""
        self._storage.forget(self.subdomain)
        self._start_empty()

    def table(self, kind: str) -> dict[Any, Record]:
        """The records of one kind by id."""
        return self.tables.setdefault(kind, {})

    def find(self, kind: str, key: Any) -> Record | None:
        """One record, or None."""
        return self.tables.get(kind, {}).get(key)

    def new_id(self, kind: str) -> int:
        """The next id of a kind; tickets count from 1, everything else looks like 36…"""
        if kind not in self._last_id:
            first = self._base + ID_START[kind] if kind in ID_START else 0
            self._last_id[kind] = max([key for key in self.table(kind) if isinstance(key, int)], default=first)
        self._last_id[kind] += ID_STEP.get(kind, 1)
        return self._last_id[kind]

    def put(self, kind: str, key: Any, record: Record) -> Record:
        """Keep a new or changed record; `commit` stores it."""
        if kind == "audits" and key not in self.table(kind):
            self._keep_audit(record)
        self.table(kind)[key] = record
        self._derived.pop(kind, None)
        self._dirty[(kind, key)] = record
        return record

    def _keep_audit(self, audit: Record) -> None:
        self.audits_of.setdefault(audit["ticket_id"], []).append(audit)
        if any(event["type"] == "Comment" for event in audit["events"]):
            return
        self._quiet_audits.append(audit["id"])
        if len(self._quiet_audits) > AUDITS_KEPT:
            oldest = self.table("audits").get(self._quiet_audits.popleft())
            if oldest is not None:
                self.audits_of[oldest["ticket_id"]].remove(oldest)
                self.drop("audits", oldest["id"])

    def derived(self, kind: str, name: str, build: Callable[[], Value]) -> Value:
        """Something computed from a table, kept until the table changes."""
        kept = self._derived.setdefault(kind, {})
        if name not in kept:
            kept[name] = build()
        found: Value = kept[name]
        return found

    def drop(self, kind: str, key: Any) -> None:
        """Remove a record."""
        if self.table(kind).pop(key, None) is not None:
            self._derived.pop(kind, None)
            self._dirty[(kind, key)] = None

    def commit(self) -> None:
        """Write what changed since the last commit, in one transaction."""
        if not self._dirty:
            return
        changes: list[StoredChange] = [(kind, str(key), record) for (kind, key), record in self._dirty.items()]
        self._dirty = {}
        self.version += 1
        self._storage.write(self.subdomain, changes)

    def load(self) -> bool:
        """Read the account back from storage; False when it was never stored."""
        was_stored = False
        for kind, key, record in self._storage.read(self.subdomain):
            was_stored = True
            self.table(kind)[int(key) if key.isdigit() else key] = record
        for _, audit in sorted(self.table("audits").items()):
            self._keep_audit(audit)
        self.limits.restore(self.setting("limits", {}))
        self.limits.is_precise = bool(self.setting("precise_seconds", False))
        self.live_jobs = [job for job in self.table("bulk_jobs").values() if not job["finished"]]
        return was_stored

    def setting(self, name: str, default: Any) -> Any:
        """A switch of the account."""
        return self.table("settings").get(name, {"value": default})["value"]

    def set_setting(self, name: str, value: Any) -> None:
        """Turn a switch."""
        self.put("settings", name, {"value": value})

    def clock(self, now: datetime) -> datetime:
        """The account's own time: the switchboard can move it forward."""
        return now + timedelta(seconds=self.setting("clock_offset_s", 0))

    def real_of(self, at: datetime) -> float:
        """The machine's time at a time of the account, in seconds since 1970."""
        return self.time.real_of(at.timestamp() - self.setting("clock_offset_s", 0))

    def note_change(self, *, at: datetime, actor: str, kind: str, key: Any, label: str, fields: list[Record]) -> None:
        """Remember for people's pages what was changed, by whom."""
        number = self.new_id("changes")
        change = {"n": number, "at": stamp(at), "actor": actor, "kind": kind, "id": key, "label": label}
        self.table("changes")[number] = self._feed[number] = {**change, "fields": fields}
        if self.table("changes").pop(number - CHANGES_KEPT, None) is not None:
            self._feed[number - CHANGES_KEPT] = None
        if len(self._feed) >= CHANGES_STORED_BY:
            self.store_feed()

    def store_feed(self) -> None:
        """Let the next commit take the feed along."""
        self._dirty |= {("changes", number): change for number, change in self._feed.items()}
        self._feed = {}


def differences(before: Record, after: Record) -> list[Record]:
    """The keys whose values differ, as {field, before, after}."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return [{"field": name, "before": before.get(name), "after": after.get(name)} for name in sorted(names)]
