"""The field definitions of a new account, written as tables."""

from datetime import datetime
from typing import Any

from demo.zendesk.seed_field_tables import (
    ORGANIZATION_FIELDS,
    SYSTEM_FIELDS,
    TICKET_FIELDS,
    USER_FIELDS,
)
from demo.zendesk.state import Account, Record, stamp

EXTRA_TYPES = ("text", "textarea", "integer", "decimal", "date", "checkbox", "tagger", "multiselect")
STATUS_OPTIONS = ("open", "pending", "hold", "solved", "closed")
PRIORITY_OPTIONS = ("low", "normal", "high", "urgent")
TYPE_OPTIONS = ("question", "incident", "problem", "task")
OPTION_NAMES = {"hold": "On-hold"}  # as Zendesk writes it; every other name is the value, capitalised
SYSTEM_OPTIONS = {"status": STATUS_OPTIONS, "priority": PRIORITY_OPTIONS, "tickettype": TYPE_OPTIONS}


def seed_fields(account: Account, now: datetime, *, ticket_fields: int | None) -> None:
    """All field definitions and one form; `ticket_fields` fills up to that many."""
    for name, kind, extra in (*SYSTEM_FIELDS, *TICKET_FIELDS):
        add_ticket_field(account, now, name, kind, extra)
    for number in range(len(account.table("ticket_fields")), ticket_fields or 0):
        kind = EXTRA_TYPES[number % len(EXTRA_TYPES)]
        add_ticket_field(account, now, f"Site survey {number:03d}", kind, extra_options(kind, number))
    for key, title, kind, extra in USER_FIELDS:
        add_keyed_field(account, now, "user_fields", key, title, kind, extra)
    for key, title, kind, extra in ORGANIZATION_FIELDS:
        add_keyed_field(account, now, "organization_fields", key, title, kind, extra)
    add_form(account, now)


def extra_options(kind: str, number: int) -> dict[str, Any]:
    """Options for the fields that only fill the large account."""
    if kind not in ("tagger", "multiselect"):
        return {}
    return {"options": [(f"Choice {letter}", f"survey_{number}_{letter.lower()}") for letter in "ABCDE"]}


def add_ticket_field(account: Account, now: datetime, title: str, kind: str, extra: dict[str, Any]) -> Record:
    """A system or custom ticket field."""
    key = account.new_id("ticket_fields")
    is_system = kind in {"subject", "description", "status", "tickettype", "priority", "group", "assignee"}
    is_system = is_system or kind == "custom_status"
    field = {
        **base_field(key, title, kind, len(account.table("ticket_fields")), now),
        "raw_title_in_portal": title,
        "title_in_portal": title,
        "visible_in_portal": is_system,
        "editable_in_portal": False,
        "required": False,
        "required_in_portal": False,
        "collapsed_for_agents": False,
        "tag": None,
        "removable": not is_system,
        "agent_can_edit": True,
        "agent_description": None,
        "key": None,
    }
    if kind in SYSTEM_OPTIONS:
        shown = [
            {"name": OPTION_NAMES.get(value, value.capitalize()), "value": value} for value in SYSTEM_OPTIONS[kind]
        ]
        field["system_field_options"] = shown
    if kind == "custom_status":
        field["custom_statuses"] = list(account.table("custom_statuses").values())
    if kind in ("status", "priority"):
        field["sub_type_id"] = 1 if kind == "status" else 0
    return account.put("ticket_fields", key, with_options(account, field, extra))


def add_keyed_field(
    account: Account, now: datetime, table: str, key: str, title: str, kind: str, extra: dict[str, Any]
) -> Record:
    """A field of a user or an organization."""
    field_id = account.new_id(table)
    field = {**base_field(field_id, title, kind, len(account.table(table)), now), "key": key, "system": False}
    field["tag"] = None
    return account.put(table, field_id, with_options(account, field, extra))


def base_field(key: int, title: str, kind: str, position: int, now: datetime) -> Record:
    """What all field definitions have."""
    return {
        "id": key,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": position,
        "active": True,
        "regexp_for_validation": None,
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }


def with_options(account: Account, field: Record, extra: dict[str, Any]) -> Record:
    """Drop-down options with ids; everything else in `extra` overrides."""
    rest = dict(extra)
    options = rest.pop("options", None)
    if options is not None:
        field["custom_field_options"] = [
            {
                "id": account.new_id("ticket_forms"),
                "name": name,
                "raw_name": name,
                "value": value,
                "default": False,
            }
            for name, value in options
        ]
    return field | rest


def add_form(account: Account, now: datetime) -> None:
    """The one ticket form, with every field on it."""
    key = account.new_id("ticket_forms")
    form = {
        "id": key,
        "name": "Default ticket form",
        "raw_name": "Default ticket form",
        "display_name": "Default ticket form",
        "raw_display_name": "Default ticket form",
        "end_user_visible": True,
        "position": 1,
        "active": True,
        "default": True,
        "in_all_brands": True,
        "restricted_brand_ids": [],
        "ticket_field_ids": list(account.table("ticket_fields")),
        "agent_conditions": [],
        "end_user_conditions": [],
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }
    account.put("ticket_forms", key, form)


def field_id(account: Account, title: str) -> str:
    """The id of a seeded ticket field as it stands in a ticket's values."""
    fields = account.table("ticket_fields").values()
    return next(str(field["id"]) for field in fields if field["title"] == title)
