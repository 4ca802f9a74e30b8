"""What an answer carries beside its records when `include=` asks for it: users, organizations and groups they name."""

from collections.abc import Iterable
from typing import Any

from demo.zendesk.organizations import render_organization
from demo.zendesk.replies import Call
from demo.zendesk.state import Record
from demo.zendesk.user_records import identities_of, render_user

USER_KEYS = ("requester_id", "submitter_id", "assignee_id")


def sideload(call: Call, records: Iterable[Record]) -> dict[str, Any]:
    """The arrays asked for, by name; unknown names are ignored, as in Zendesk."""
    asked = {name.strip() for name in call.args.get("include", "").split(",")}
    listed = list(records)
    account, base = call.account, call.base_url
    found: dict[str, Any] = {}
    if "users" in asked:
        found["users"] = [render_user(account, user, base) for user in _named(call, "users", listed, USER_KEYS)]
    if "organizations" in asked:
        named = _named(call, "organizations", listed, ("organization_id",))
        found["organizations"] = [render_organization(account, record, base) for record in named]
    if "groups" in asked:
        found["groups"] = _named(call, "groups", listed, ("group_id", "default_group_id"))
    if "identities" in asked:
        found["identities"] = [one for record in listed for one in identities_of(account, record["id"])]
    return found


def _named(call: Call, table: str, records: list[Record], keys: tuple[str, ...]) -> list[Record]:
    """Each record that is named once, deleted users too."""
    ids = dict.fromkeys(record.get(key) for record in records for key in keys)
    found = [call.account.find(table, key) for key in ids if key]
    return [record for record in found if record is not None]
