"""One account of the demo Zendesk: its switchboard, its records, and the history that is the checker's evidence."""

import json
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.faults.checker import Evidence, Kind, Place, Write

PAGE = 10_000
SCALARS = ("users", "organizations")  # tables whose fields all hold one value here


@dataclass(frozen=True)
class LoggedCall:
    """One call of the log."""

    number: int
    at: float  # epoch seconds
    method: str
    path: str
    endpoint: str
    status: int
    is_applied: bool
    records: tuple[str, ...]
    fault: str = ""  # what the switchboard did to it
    retry_after: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether a limit of the account refused it, not a fault."""
        return self.status == 429 and not self.fault


@dataclass(frozen=True)
class AppliedWrite:
    """One change of a record: when, and the texts that it wrote."""

    number: int
    at: float
    record: str
    values: Mapping[str, Any]
    note: Mapping[str, Any]

    @property
    def texts(self) -> set[str]:
        """Values, tags and the note."""
        found = {str(value) for value in self.values.values() if not isinstance(value, list)}
        found |= {str(entry) for value in self.values.values() if isinstance(value, list) for entry in value}
        return found | ({str(self.note["body"])} if self.note else set())


@dataclass
class ZendeskAccount:
    """An account by its subdomain; `begin` marks where the row's history starts."""

    url: str
    subdomain: str
    token: str = ""
    first_audit: int = 0
    first_write: int = 0
    before: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, path: str, body: Mapping[str, Any] | None = None, *, method: str = "") -> Any:
        """GET, or POST with a body, under /_control/."""
        return self._request(f"/_control/{self.subdomain}/{path}", body, method)

    def _request(self, path: str, body: Mapping[str, Any] | None, method: str = "", **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method or None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def mint_pair(self) -> dict[str, Any]:
        """A token pair of the system user."""
        pair: dict[str, Any] = self.ask("tokens", {"expires_in": 7200})
        self.token = pair["access_token"]
        return pair

    def open_tickets(self, count: int) -> tuple[str, ...]:
        """Fresh tickets that nobody has touched."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        made = []
        for number in range(count):
            wanted = {"ticket": {"subject": f"Ticket {number}", "comment": {"body": "Hello"}}}
            made.append(str(self._request(f"/{self.subdomain}/api/v2/tickets", wanted, **headers)["ticket"]["id"]))
        return tuple(made)

    def make_users(self, count: int) -> tuple[str, ...]:
        """Fresh end users."""
        return tuple(map(str, self.ask("users", {"count": count})["ids"])) if count else ()

    def organizations(self) -> tuple[str, ...]:
        """Those that the account came with."""
        return tuple(str(row["id"]) for row in self.ask("records/organizations")["organizations"])

    def field_id(self, title: str) -> str:
        """The id of a custom field of tickets."""
        rows = self.ask("records/ticket_fields")["ticket_fields"]
        return str(next(row["id"] for row in rows if row["title"] == title))

    def begin(self) -> None:
        """From here on every change is the product's."""
        self.ask("log", method="DELETE")
        audits = self.ask("records/audits")["audits"]
        self.first_audit = max((audit["id"] for audit in audits), default=0)
        self.first_write = self._request(f"/_control/{self.subdomain}", None)["last_write"]
        self.before = self._records()

    def calls(self) -> list[LoggedCall]:
        """The log since `begin`."""
        found: list[LoggedCall] = []
        since = 0
        while True:
            page = self.ask(f"log?since={since}&limit={PAGE}")["calls"]
            found += [_read_call(entry) for entry in page]
            if len(page) < PAGE:
                return found
            since = page[-1]["n"]

    def wait_for_call(self, *, patience_s: float = 30) -> bool:
        """Whether some call came in time; look at the log since `begin`."""
        ends_at = time.monotonic() + patience_s
        while time.monotonic() < ends_at:
            if self.ask("log?limit=1")["calls"]:
                return True
            time.sleep(0.1)
        return False

    def _records(self) -> dict[str, dict[str, Any]]:
        tables = ("tickets", *SCALARS)
        return {f"{table}/{row['id']}": row for table in tables for row in self.ask(f"records/{table}")[table]}

    def applied(self) -> list[AppliedWrite]:
        """Every write since `begin`, oldest first."""
        found: list[AppliedWrite] = []
        since: int | None = self.first_write
        while since is not None:
            page = self.ask(f"writes?since={since}&limit={PAGE}")
            rows = [dict(zip(page["columns"], row, strict=True)) for row in page["writes"]]
            found += [
                AppliedWrite(row["n"], row["real_at"], row["record"], row["values"], row["comment"] or {})
                for row in rows
            ]
            since = page["next"]
        return found

    def writes(self) -> list[Write]:
        """Every change since `begin`, oldest first: of tickets by their audits, of others by the applied writes."""
        audits = [audit for audit in self.ask("records/audits")["audits"] if audit["id"] > self.first_audit]
        found = [write for audit in sorted(audits, key=lambda audit: audit["id"]) for write in self._read_audit(audit)]
        for write in self.applied():
            if write.record.startswith(SCALARS):
                found += [
                    Write(write.number, self.subdomain, write.record, name, Kind.VALUE, str(value))
                    for name, value in write.values.items()
                ]
        return found

    def _read_audit(self, audit: Mapping[str, Any]) -> Iterable[Write]:
        record = f"tickets/{audit['ticket_id']}"
        for event in audit["events"]:
            number = event["id"]
            if event["type"] == "Comment":
                yield Write(
                    number, self.subdomain, record, "comment", Kind.NOTE, event["body"], is_public=event["public"]
                )
            elif event["field_name"] == "tags":
                old, new = set(event.get("previous_value") or ()), set(event["value"] or ())
                for tag in sorted(new - old):
                    yield Write(number, self.subdomain, record, "tags", Kind.TAG, tag)
                for tag in sorted(old - new):
                    yield Write(number, self.subdomain, record, "tags", Kind.TAG, tag, is_removal=True)
            else:
                name, value = str(event["field_name"]), str(event["value"])
                yield Write(number, self.subdomain, record, name, Kind.VALUE, value)

    def evidence(self) -> Evidence:
        """What stands now, what stood before, and the way there."""
        values, lists = self._stand(self._records())
        values_before, lists_before = self._stand(self.before)
        comments = self._comments()
        lists |= comments
        return Evidence(tuple(self.writes()), values, lists, values_before, lists_before)

    def _stand(self, rows: Mapping[str, Mapping[str, Any]]) -> tuple[dict[Place, str], dict[Place, tuple[str, ...]]]:
        values: dict[Place, str] = {}
        lists: dict[Place, tuple[str, ...]] = {}
        for key, row in rows.items():
            shown = {name: value for name, value in row.items() if not isinstance(value, (dict, list))}
            for name, value in (shown | dict(row.get("custom_fields") or {})).items():
                values[self.subdomain, key, name] = "" if value is None else str(value)
            lists[self.subdomain, key, "tags"] = tuple(row["tags"])
        return values, lists

    def _comments(self) -> dict[Place, tuple[str, ...]]:
        found: dict[Place, tuple[str, ...]] = {}
        for audit in self.ask("records/audits")["audits"]:
            if audit["id"] > self.first_audit:
                place = self.subdomain, f"tickets/{audit['ticket_id']}", "comment"
                bodies = [event["body"] for event in audit["events"] if event["type"] == "Comment"]
                found[place] = found.get(place, ()) + tuple(bodies)
        return found


def _read_call(entry: Mapping[str, Any]) -> LoggedCall:
    return LoggedCall(
        number=entry["n"],
        at=datetime.fromisoformat(entry["at"]).timestamp(),
        method=entry["method"],
        path=entry["path"],
        endpoint=entry["endpoint"],
        status=entry["status"],
        is_applied=entry["applied"],
        records=tuple(entry["records"]),
        fault=entry["fault"] or "",
        retry_after=entry["retry_after"] or "",
    )


def merge_evidence(parts: Iterable[Evidence]) -> Evidence:
    """The evidence of several accounts as one."""
    found = list(parts)
    return Evidence(
        tuple(write for part in found for write in part.writes),
        {place: value for part in found for place, value in part.values.items()},
        {place: value for part in found for place, value in part.lists.items()},
        {place: value for part in found for place, value in part.values_before.items()},
        {place: value for part in found for place, value in part.lists_before.items()},
    )
