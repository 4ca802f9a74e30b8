"""The interactions of a row: what a contact centre would report, and what every report wants in the CRM. Seeded.

Configurations share each account and its records: `fields` writes values of tickets (so its writes can be coalesced and
go in bulk), `notes` an internal note and tags, `users` and `organizations` values of these, `callers` values of users
whom the events do not link but name by their external id. Some segments are changed after their end (late data).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.checker import Claim, Kind

START = datetime(2026, 1, 15, 9, tzinfo=UTC)
Row = tuple[str, str]  # CRM field by key or title, source field
PERSON: tuple[Row, ...] = (("details", "agentName"), ("notes", "dispositionNotes"))
MAPPED: Mapping[str, tuple[str, tuple[Row, ...]]] = {
    "fields": ("ticket", (("subject", "agentName"), ("Call notes", "dispositionNotes"), ("status", "status"))),
    "notes": ("ticket", (("comment", "dispositionNotes"), ("tags", "tags"))),
    "users": ("user", PERSON),
    "organizations": ("organization", PERSON),
    "callers": ("user", PERSON),
}
CALLER_VARIABLE = "customer"  # of the script, with the external id
PLURAL = {"ticket": "tickets", "user": "users", "organization": "organizations"}
POISON = "solved"  # a ticket cannot be solved without its required fields: 422


@dataclass(frozen=True)
class Shape:
    """What the load looks like. Shares are probabilities; `window`: how far events are out of order."""

    accounts: int = 1
    per_record: int = 4  # interactions per record
    notes_share: float = 0.35
    users_share: float = 0.0  # of the events that write values: how many are about users
    organizations_share: float = 0.0
    callers_share: float = 0.0  # of the events about users: how many leave it to us to find them
    late_share: float = 0.1
    poison: int = 0  # events that the CRM refuses as data
    copies: int = 1  # how often each event is sent
    window: int = 40


@dataclass(frozen=True)
class Records:
    """The records of one account, and how its history calls the custom field."""

    account: str
    ids: tuple[str, ...]  # tickets
    notes_field: str
    users: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """The record that an event is about, and what its fields for the agent's name and the notes are called."""

    role: str
    entity_type: str
    id: str
    name_field: str
    notes_field: str

    @property
    def record(self) -> str:
        """As the CRM's logs call it."""
        return f"{PLURAL[self.entity_type]}/{self.id}"

    @property
    def naming(self) -> dict[str, Any]:
        """What an event says of it: the record itself, or who called."""
        if self.role == "callers":
            return {"scriptVariables": {CALLER_VARIABLE: f"made-{self.id}"}}
        return {"records": [{"entityType": self.entity_type, "id": self.id}]}


@dataclass(frozen=True)
class Report:
    """One event: to which configuration it goes, its body, and what it wants."""

    account: str
    role: str
    body: dict[str, Any]
    claims: tuple[Claim, ...]
    is_poison: bool = False

    @property
    def event_id(self) -> str:
        """Its id."""
        return str(self.body["eventId"])


def make_reports(*, size: int, seed: int, shape: Shape, records: Sequence[Records]) -> list[Report]:
    """`size` events (poison included) in the order they are sent."""
    chance = random.Random(f"{seed}:{size}:{shape}")
    reports: list[Report] = []
    number = 0
    while len(reports) < size:
        place = records[number % len(records)]
        ticket = Target("fields", "ticket", chance.choice(place.ids), "subject", place.notes_field)
        has_note = chance.random() < shape.notes_share
        target = replace(ticket, role="notes") if has_note else _choose_target(ticket, place, shape, chance)
        if number % max(1, size // (shape.poison + 1)) == size // (shape.poison + 2) and shape.poison:
            reports.append(_make_poison(number, place, ticket))
        else:
            reports.append(_make_ended(number, place, target, chance))
            if not has_note and chance.random() < shape.late_share and len(reports) < size:
                reports.append(_make_late(number, place, target))
        number += 1
    return _disorder(reports, shape, chance)


def _disorder(reports: list[Report], shape: Shape, chance: random.Random) -> list[Report]:
    """Copies of each, then everything a little out of order."""
    copies = [report for report in reports for _ in range(shape.copies)]
    places = {index: index + chance.uniform(0, shape.window) for index in range(len(copies))}
    return [copies[index] for index in sorted(places, key=lambda index: places[index])]


def _choose_target(ticket: Target, place: Records, shape: Shape, chance: random.Random) -> Target:
    """The ticket, or by the shape's shares a user or an organization."""
    drawn = chance.random() if place.users or place.organizations else 1.0
    if place.users and drawn < shape.users_share:
        role = "callers" if shape.callers_share and chance.random() < shape.callers_share else "users"
        return Target(role, "user", chance.choice(place.users), "details", "notes")
    if place.organizations and drawn < shape.users_share + shape.organizations_share:
        return Target("organizations", "organization", chance.choice(place.organizations), "details", "notes")
    return ticket


def contact_of(number: int) -> str:
    """The contact's id."""
    return f"c{number:06}"


def _ended_at(number: int) -> datetime:
    return START + timedelta(seconds=number)


def _body(number: int, suffix: str, kind: str, occurred_at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "eventId": f"{contact_of(number)}-{suffix}",
        "type": kind,
        "occurredAt": occurred_at.isoformat(),
        "channel": "voice",
        "contactId": contact_of(number),
        **more,
    }


def _make_ended(number: int, place: Records, target: Target, chance: random.Random) -> Report:
    contact, ended_at = contact_of(number), _ended_at(number)
    fields: dict[str, Any]
    if target.role == "notes":
        fields = {"dispositionNotes": f"note {contact}", "tags": [f"tag_{contact}"]}
        wanted = [("comment", Kind.NOTE, f"note {contact}"), ("tags", Kind.TAG, f"tag_{contact}")]
    else:
        fields = {"agentName": f"agent {contact}"}
        wanted = [(target.name_field, Kind.VALUE, f"agent {contact}")]
        if chance.random() < 0.6:
            fields["dispositionNotes"] = f"words {contact}"
            wanted.append((target.notes_field, Kind.VALUE, f"words {contact}"))
    body = _body(number, "end", "interaction.ended", ended_at, endedBy="agent", fields=fields, **target.naming)
    claims = _claims(body, place.account, target.record, wanted, (ended_at, contact, ended_at))
    return Report(place.account, target.role, body, claims)


def _make_late(number: int, place: Records, target: Target) -> Report:
    contact, ended_at = contact_of(number), _ended_at(number)
    occurred_at = ended_at + timedelta(milliseconds=500)
    value = f"agent {contact} late"
    body = _body(number, "late", "interaction.updated", occurred_at, fields={"agentName": value})
    wanted = [(target.name_field, Kind.VALUE, value)]
    claims = _claims(body, place.account, target.record, wanted, (ended_at, contact, occurred_at))
    return Report(place.account, target.role, body, claims)


def _make_poison(number: int, place: Records, target: Target) -> Report:
    ended_at, fields = _ended_at(number), {"status": POISON}
    body = _body(number, "poison", "interaction.ended", ended_at, endedBy="agent", fields=fields, **target.naming)
    wanted = [("status", Kind.VALUE, POISON)]
    claims = _claims(body, place.account, target.record, wanted, (ended_at, contact_of(number), ended_at))
    return Report(place.account, target.role, body, claims, is_poison=True)


def _claims(
    body: Mapping[str, Any], account: str, record_id: str, wanted: Sequence[tuple[str, Kind, str]], precedence: Any
) -> tuple[Claim, ...]:
    event_id = str(body["eventId"])
    return tuple(Claim(event_id, account, record_id, field, kind, value, precedence) for field, kind, value in wanted)
