"""User records: how they are made, shown and found, and their identities (e-mail addresses and phone numbers)."""

from datetime import datetime
from typing import Any

from demo.zendesk.replies import Call, value_invalid
from demo.zendesk.state import Account, Record, stamp


def blank_user(user_id: int, name: str, now: datetime) -> Record:
    """A new active end user."""
    return {
        "id": user_id,
        "name": name,
        "email": None,
        "created_at": stamp(now),
        "updated_at": stamp(now),
        "time_zone": "Eastern Time (US & Canada)",
        "iana_time_zone": "America/New_York",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": None,
        "role": "end-user",
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "last_active": None,
        "signature": None,
        "details": "",
        "notes": "",
        "role_type": None,
        "custom_role_id": None,
        "moderator": False,
        "ticket_restriction": "requested",
        "only_private_comments": False,
        "restricted_agent": True,
        "suspended": False,
        "default_group_id": None,
        "user_fields": {},
    }


def render_user(account: Account, user: Record, base_url: str) -> Record:
    """A user with every active user field, unset ones as null."""
    values = user["user_fields"]
    shown = {
        field["key"]: values.get(field["key"], False if field["type"] == "checkbox" else None)
        for field in account.table("user_fields").values()
        if field["active"]
    }
    return {**user, "url": f"{base_url}/api/v2/users/{user['id']}.json", "user_fields": shown}


def identities_of(account: Account, user_id: int) -> list[Record]:
    """The e-mail addresses and phone numbers of a user."""
    return [identity for identity in account.table("identities").values() if identity["user_id"] == user_id]


def add_identity(account: Account, user_id: int, kind: str, value: str, now: datetime, *, primary: bool) -> Record:
    """Another address or number."""
    identity = {
        "id": account.new_id("identities"),
        "user_id": user_id,
        "type": kind,
        "value": value,
        "verified": True,
        "primary": primary,
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }
    return account.put("identities", identity["id"], identity)


def owner_of(account: Account, kind: str, value: str) -> int | None:
    """The user who has this address or number as an identity."""
    for identity in account.table("identities").values():
        if identity["type"] == kind and identity["value"].lower() == value.lower():
            return int(identity["user_id"])
    return None


def set_phone(account: Account, user: Record, phone: Any, now: datetime) -> None:
    """Write the phone: a number that is another user's stays a shared number and no identity."""
    number = str(phone).strip() if phone else ""
    for identity in identities_of(account, user["id"]):
        if identity["type"] == "phone_number" and identity["primary"]:
            account.drop("identities", identity["id"])
    user["phone"] = number or None
    owner = owner_of(account, "phone_number", number) if number else None
    user["shared_phone_number"] = None if not number else owner is not None and owner != user["id"]
    if number and owner is None:
        add_identity(account, user["id"], "phone_number", number, now, primary=True)


def find_requester(call: Call, change: Record) -> Record:
    """The requester a new ticket names: by id, by e-mail, a new end user (not yet kept), or the acting user."""
    wanted = change.get("requester_id")
    if wanted is not None:
        found = call.account.find("users", int(wanted)) if str(wanted).isdigit() else None
        if found is None or not found["active"]:
            raise value_invalid("requester", "Requester: is not valid")
        return found
    person = change.get("requester")
    if not isinstance(person, dict):
        return call.actor
    email = str(person.get("email") or "").lower()
    for user in call.account.table("users").values():
        if email and user["email"] == email:
            return user
    if not person.get("name"):
        raise value_invalid("requester", "Requester: Name:  is too short (minimum one character)", None)
    fresh = blank_user(call.account.new_id("users"), str(person["name"]), call.now)
    return fresh | {"email": email or None}
