"""One Zendesk account in memory: its tables, its ids, its limits, faults and call log, written through to storage."""

import threading
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.zendesk.call_log import CallLog
from demo.zendesk.faults import FaultBoard
from demo.zendesk.limits import LimitBook
from demo.zendesk.storage import Storage, StoredChange

Record = dict[str, Any]

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


def stamp(moment: datetime) -> str:
    """A time as Zendesk prints it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """The time behind a printed one."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Account:
    """All records of one subdomain. Take `lock` around everything that reads or writes them."""

    def __init__(self, subdomain: str, storage: Storage) -> None:
        self.subdomain = subdomain
        self.lock = threading.RLock()
        self.version = 0
        self._storage = storage
        self._base = 36_000_000_000_000 + zlib.crc32(subdomain.encode()) % 10_000 * 100_000_000
        self._start_empty()

    def _start_empty(self) -> None:
        self.tables: dict[str, dict[Any, Record]] = {}
        self.audits_of: dict[int, list[Record]] = {}
        self.limits = LimitBook()
        self.faults = FaultBoard()
        self.log = CallLog()
        self.live_jobs: list[Record] = []
        self.token_index: dict[str, int] = {}
        self._dirty: dict[tuple[str, Any], Record | None] = {}
        self._last_id: dict[str, int] = {}

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
            self.audits_of.setdefault(record["ticket_id"], []).append(record)
        self.table(kind)[key] = record
        self._dirty[(kind, key)] = record
        return record

    def drop(self, kind: str, key: Any) -> None:
        """Remove a record."""
        if self.table(kind).pop(key, None) is not None:
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
            self.audits_of.setdefault(audit["ticket_id"], []).append(audit)
        self.limits.restore(self.setting("limits", {}))
        self.live_jobs = [job for job in self.table("jobs").values() if not job["finished"]]
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

    def note_change(self, *, at: datetime, actor: str, kind: str, key: Any, label: str, fields: list[Record]) -> None:
        """Remember for people's pages what was changed, by whom."""
        number = self.new_id("changes")
        change = {"n": number, "at": stamp(at), "actor": actor, "kind": kind, "id": key, "label": label}
        self.put("changes", number, {**change, "fields": fields})
        self.drop("changes", number - CHANGES_KEPT)


def differences(before: Record, after: Record) -> list[Record]:
    """The keys whose values differ, as {field, before, after}."""
    names = sorted(set(before) | set(after))
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]
