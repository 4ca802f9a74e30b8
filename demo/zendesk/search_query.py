"""Zendesk's search syntax, `type:ticket requester_id:12 status<solved "free text"`, as conditions on records."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.zendesk.state import Account, Record
from demo.zendesk.ticket_reads import STATUSES
from demo.zendesk.user_records import identities_of

TOKEN = re.compile(r'(-?)(?:([A-Za-z_][\w.]*)(:|<=|>=|<|>))?("[^"]*"|\S+)')
STEERING = {"type", "order_by", "sort"}
PRIORITY_ORDER = ("low", "normal", "high", "urgent")


@dataclass(frozen=True)
class Condition:
    """One part of a query; `name` is empty for free text."""

    name: str
    operator: str
    value: str
    is_negated: bool = False


def parse_query(query: str) -> list[Condition]:
    """The conditions of a query."""
    return [
        Condition(name.lower(), operator, value.strip('"'), bool(minus))
        for minus, name, operator, value in TOKEN.findall(query)
        if value.strip('"')
    ]


def find_matching(account: Account, kind: str, conditions: list[Condition]) -> list[Record]:
    """Records that meet every condition; repeated positive properties are alternatives."""
    values = VALUES[kind]
    groups: dict[tuple[str, bool, bool], list[Condition]] = {}
    for place, condition in enumerate(conditions):
        if condition.name in STEERING:
            continue
        is_alternative = bool(condition.name) and condition.operator == ":" and not condition.is_negated
        key = (condition.name if is_alternative else f"{condition.name}#{place}", condition.is_negated, is_alternative)
        groups.setdefault(key, []).append(condition)
    return [
        record
        for record in account.table(kind).values()
        if record.get("active", True)
        and all(any(_meets(account, record, part, values) for part in group) for group in groups.values())
    ]


def sort_matching(records: list[Record], conditions: list[Condition], args: Any) -> list[Record]:
    """By `order_by:`/`sort_by`, falling unless told otherwise."""
    steering = {condition.name: condition.value for condition in conditions if condition.name in STEERING}
    field = {"created": "created_at", "updated": "updated_at"}.get(
        steering.get("order_by", args.get("sort_by", "")), steering.get("order_by", args.get("sort_by", "created_at"))
    )
    is_rising = steering.get("sort", args.get("sort_order", "desc")) == "asc"
    return sorted(records, key=lambda record: (str(record.get(field) or ""), record["id"]), reverse=not is_rising)


def _meets(account: Account, record: Record, part: Condition, values: "Values") -> bool:
    found = [str(value) for value in values(account, record, part.name) if value not in (None, "")]
    is_met = not found if part.value == "none" else any(_compare(part, value) for value in found)
    return is_met is not part.is_negated


def _compare(part: Condition, value: str) -> bool:
    if part.operator in ("<", ">", "<=", ">="):
        left, right = _ranked(part.name, value), _ranked(part.name, part.value)
        return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[part.operator])
    have, want = value.lower(), part.value.lower()
    if "*" in want:
        return fnmatch.fnmatchcase(have, want)
    if not part.name:
        return have == want or any(word.startswith(want) for word in re.split(r"[\s@.,;:()\[\]/]+", have))
    return have == want or (part.name in ("name", "subject", "notes", "details", "description") and want in have)


def _ranked(name: str, value: str) -> Any:
    orders = {"status": STATUSES, "priority": PRIORITY_ORDER}
    order = orders.get(name, ())
    return f"{order.index(value):02d}" if value in order else value


def _ticket_values(account: Account, ticket: Record, name: str) -> list[Any]:
    if name.startswith("custom_field_"):
        value = ticket["custom_fields"].get(name.removeprefix("custom_field_"))
        return value if isinstance(value, list) else [value]
    direct: dict[str, list[Any]] = {
        "": [ticket["subject"], ticket["description"], ticket["id"]],
        "requester": _person(account, ticket["requester_id"]),
        "requester_id": [ticket["requester_id"]],
        "assignee": _person(account, ticket["assignee_id"]),
        "submitter": _person(account, ticket["submitter_id"]),
        "organization": [ticket["organization_id"], _name(account, "organizations", ticket["organization_id"])],
        "group": [ticket["group_id"], _name(account, "groups", ticket["group_id"])],
        "ticket_type": [ticket["type"]],
        "created": [ticket["created_at"]],
        "updated": [ticket["updated_at"]],
        "tags": ticket["tags"],
    }
    return direct.get(name, [ticket.get(name)])


def _user_values(account: Account, user: Record, name: str) -> list[Any]:
    own = identities_of(account, user["id"]) if name in ("", "email", "phone") else []
    addresses = [identity["value"] for identity in own if identity["type"] == "email"]
    numbers = _phone_forms([user["phone"], *(one["value"] for one in own if one["type"] == "phone_number")])
    direct: dict[str, list[Any]] = {
        "": [user["name"], user["notes"], *addresses, *numbers],
        "email": addresses,
        "phone": numbers,
        "tags": user["tags"],
        "user": [user["id"]],
        "organization": [user["organization_id"], _name(account, "organizations", user["organization_id"])],
        "created": [user["created_at"]],
        "updated": [user["updated_at"]],
    }
    return direct.get(name, [user.get(name, user["user_fields"].get(name))])


def _organization_values(_account: Account, organization: Record, name: str) -> list[Any]:
    if name in ("", "tags"):
        return organization["tags"] if name else [organization["name"], organization["notes"]]
    return [organization.get(name, organization["organization_fields"].get(name))]


def _phone_forms(numbers: list[Any]) -> list[str]:
    """An E.164 number is also found by its digits; one typed with spaces and brackets only as it stands."""
    stored = [str(number) for number in numbers if number]
    return stored + [number[1:] for number in stored if re.fullmatch(r"\+\d+", number)]


def _person(account: Account, user_id: Any) -> list[Any]:
    user = account.find("users", user_id)
    return [] if user is None else [user["id"], user["name"], user["email"]]


def _name(account: Account, kind: str, key: Any) -> Any:
    record = account.find(kind, key)
    return record["name"] if record else None


Values = Callable[[Account, Record, str], list[Any]]
VALUES: dict[str, Values] = {
    "tickets": _ticket_values,
    "users": _user_values,
    "organizations": _organization_values,
}
