"""Roles, groups, statuses and forms of a new account."""

from datetime import datetime
from typing import Any

from demo.zendesk.state import Account, stamp

FULL = {
    "assign_tickets_to_any_group": True,
    "chat_access": True,
    "end_user_list_access": "full",
    "end_user_profile_access": "full",
    "explore_access": "readonly",
    "forum_access": "readonly",
    "group_access": True,
    "light_agent": False,
    "macro_access": "full",
    "manage_business_rules": False,
    "manage_organization_fields": False,
    "manage_ticket_fields": False,
    "manage_ticket_forms": False,
    "manage_user_fields": False,
    "modify_closed_tickets": False,
    "organization_editing": True,
    "organization_notes_editing": True,
    "report_access": "readonly",
    "ticket_access": "all",
    "ticket_comment_access": "public",
    "ticket_deletion": False,
    "ticket_editing": True,
    "ticket_merge": True,
    "ticket_tag_editing": True,
    "view_access": "full",
    "voice_access": True,
}
LIMITED = {
    "end_user_profile_access": "readonly",
    "organization_editing": False,
    "organization_notes_editing": True,
    "ticket_merge": False,
}
LIGHT = {
    **LIMITED,
    "light_agent": True,
    "organization_notes_editing": False,
    "ticket_comment_access": "none",
    "ticket_editing": False,
    "ticket_tag_editing": False,
    "voice_access": False,
}
# name, role_type, what differs from a full agent
ROLES: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("Administrator", 4, {"manage_business_rules": True, "manage_ticket_fields": True, "manage_user_fields": True}),
    ("Support agent", 0, {}),
    ("Tickets only", 0, LIMITED),
    ("Light agent", 1, LIGHT),
)
GROUPS = ("Support", "Facturation", "Technical")
STATUS_NAMES = {"new": "New", "open": "Open", "pending": "Pending", "hold": "On-hold", "solved": "Solved"}


def seed_roles(account: Account, now: datetime) -> None:
    """Everything that people and tickets refer to."""
    at = {"created_at": stamp(now), "updated_at": stamp(now)}
    for name, role_type, differs in ROLES:
        key = account.new_id("custom_roles")
        role = {"id": key, "name": name, "description": "", "role_type": role_type, "team_member_count": 1}
        account.put("custom_roles", key, {**role, "configuration": {**FULL, **differs}, **at})
    for name in GROUPS:
        key = account.new_id("groups")
        account.put("groups", key, {"id": key, "name": name, "default": name == GROUPS[0], "deleted": False, **at})
    for category, name in STATUS_NAMES.items():
        key = account.new_id("ticket_forms")
        status = {"id": key, "status_category": category, "agent_label": name, "end_user_label": name}
        account.put("custom_statuses", key, {**status, "active": True, "default": True, **at})
    account.set_setting("brand_id", account.new_id("ticket_forms"))


def role_id(account: Account, name: str) -> int:
    """The id of a seeded role."""
    return next(int(key) for key, role in account.table("custom_roles").items() if role["name"] == name)


def group_ids(account: Account) -> list[int]:
    """The groups."""
    return [int(key) for key in account.table("groups")]
