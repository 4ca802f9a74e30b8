"""Applying a change to a ticket: all of it or nothing, in one audit. Used by single, bulk and tag updates."""

from datetime import datetime
from typing import Any

from demo.zendesk.audits import add_audit, change_events, comment_event
from demo.zendesk.field_values import DROPPED, accept_value, normalise_tags, tags_of
from demo.zendesk.replies import ApiError, ValueRefused, record_invalid, update_conflict, value_invalid
from demo.zendesk.rights import only_private_comments
from demo.zendesk.state import Account, Record, moment_of, stamp
from demo.zendesk.ticket_properties import write_properties

FIELD_CLASSES = {"tagger": "FieldTagger", "partialcreditcard": "FieldPartialCreditCard"}
COMMENT_MOST = 65_536


def apply_update(account: Account, ticket: Record, change: Record, *, actor: Record, now: datetime) -> Record:
    """Change the ticket; returns the audit (an unchanged ticket answers with its newest old one). Raises ApiError."""
    if ticket["status"] == "closed":
        raise value_invalid("status", "Status: closed prevents ticket update", None)
    check_stamp(ticket, change)
    problems: dict[str, list[Record]] = {}
    draft = draft_change(account, ticket, change, problems)
    comment = draft_comment(account, ticket, change, actor, problems)
    check_solvable(account, ticket, draft, problems)
    if problems:
        raise record_invalid(problems)
    events = comment + change_events(ticket, draft)
    if not events:
        history = account.audits_of.get(ticket["id"])
        return history[-1] if history else {"events": []}
    draft["updated_at"] = stamp(now)
    if comment and comment[0]["public"]:
        draft["is_public"] = True
    account.put("tickets", ticket["id"], draft)
    custom = change.get("metadata")
    return add_audit(account, ticket["id"], events, author_id=actor["id"], now=now, custom=custom)


def check_stamp(ticket: Record, change: Record) -> None:
    """Safe update: the mere presence of `safe_update` asks for it, even when false."""
    if "safe_update" not in change:
        return
    try:
        seen = moment_of(str(change.get("updated_stamp", "")))
        is_stale = seen < moment_of(ticket["updated_at"])
    except (ValueError, TypeError):
        raise ApiError(
            400, {"error": "ParameterMissing", "description": "Parameter updated_stamp is required"}
        ) from None
    if is_stale:
        raise update_conflict()


def draft_change(account: Account, ticket: Record, change: Record, problems: dict[str, list[Record]]) -> Record:
    """The ticket as it would be, with refusals collected in `problems`."""
    draft = {**ticket, "custom_fields": dict(ticket["custom_fields"])}
    write_properties(account, draft, change, problems)
    write_tags(account, draft, change)
    write_custom_fields(account, draft, change, problems)
    return draft


def write_tags(account: Account, draft: Record, change: Record) -> None:
    """`tags` sets all of them; `additional_tags` and `remove_tags` add and remove. Drop-downs follow their tags."""
    if not {"tags", "additional_tags", "remove_tags"} & set(change):
        return
    tags = set(normalise_tags(change["tags"]) if "tags" in change else draft["tags"])
    tags |= set(normalise_tags(change.get("additional_tags")))
    tags -= set(normalise_tags(change.get("remove_tags")))
    draft["tags"] = sorted(tags)
    for field in account.table("ticket_fields").values():
        key = str(field["id"])
        if field["type"] == "tagger":
            chosen = [option["value"] for option in field["custom_field_options"] if option["value"] in tags]
            current = draft["custom_fields"].get(key)
            draft["custom_fields"][key] = current if current in tags else (chosen or [None])[0]


def write_custom_fields(account: Account, draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """`custom_fields` or its alias `fields`: [{id, value}]. Unknown, inactive and locked fields are ignored."""
    given = change.get("custom_fields", change.get("fields"))
    pairs = [{"id": key, "value": value} for key, value in given.items()] if isinstance(given, dict) else given
    for pair in pairs if isinstance(pairs, list) else []:
        field = writable_field(account, pair)
        if field is None:
            continue
        try:
            value = accept_value(account, field, pair.get("value"), on_ticket=True)
        except ValueRefused as refusal:
            problems.setdefault("base", []).append({**_named(field, str(refusal)), "error": "InvalidValue"})
            continue
        if value is not DROPPED:
            set_custom_value(draft, field, value)


def writable_field(account: Account, pair: Any) -> Record | None:
    """The field of an {id, value} pair when agents may write it."""
    key = str(pair.get("id", "")) if isinstance(pair, dict) else ""
    field = account.find("ticket_fields", int(key)) if key.isdigit() else None
    if field is None or not field["active"] or not field["removable"] or not field["agent_can_edit"]:
        return None
    return field


def set_custom_value(draft: Record, field: Record, value: Any) -> None:
    """Put the value in, and exchange the tags it brings."""
    key = str(field["id"])
    leaving = set(tags_of(field, draft["custom_fields"].get(key)))
    draft["custom_fields"][key] = value
    draft["tags"] = sorted((set(draft["tags"]) - leaving) | set(tags_of(field, value)))


def draft_comment(
    account: Account, ticket: Record, change: Record, actor: Record, problems: dict[str, list[Record]]
) -> list[Record]:
    """The event of the new comment, if there is one. Without `public` it is as public as the first comment was."""
    given = change.get("comment")
    if not given:
        return []
    wanted = given.get("public") if isinstance(given, dict) else None
    is_public = first_comment_public(account, ticket) if wanted is None else wanted in (True, "true")
    if only_private_comments(account, actor):
        is_public = False
    event = comment_event(given, author_id=actor["id"], is_public=is_public)
    if len(event["body"]) > COMMENT_MOST:
        words = f"Comment: is too long (maximum is {COMMENT_MOST} characters)"
        problems.setdefault("comment", []).append({"description": words, "error": "InvalidValue"})
    return [event] if event["body"].strip() else []


def first_comment_public(account: Account, ticket: Record) -> bool:
    """Was the ticket's first comment public?"""
    for audit in account.audits_of.get(ticket["id"], []):
        for event in audit["events"]:
            if event["type"] == "Comment":
                return bool(event["public"])
    return True


def check_solvable(account: Account, ticket: Record, draft: Record, problems: dict[str, list[Record]]) -> None:
    """Required fields are required when solving, whoever solves."""
    if draft["status"] not in ("solved", "closed") or ticket["status"] == "solved":
        return
    for field in account.table("ticket_fields").values():
        if field["active"] and field["required"] and is_blank(draft, field):
            words = f"{field['title']}: is required when solving a ticket"
            problems.setdefault("base", []).append({**_named(field, words), "error": None})


def is_blank(draft: Record, field: Record) -> bool:
    """Is a required field still empty?"""
    if field["removable"]:
        return draft["custom_fields"].get(str(field["id"])) in (None, "", [], False)
    names = {"assignee": "assignee_id", "group": "group_id", "tickettype": "type"}
    return draft.get(str(names.get(field["type"], field["type"])), "kept elsewhere") in (None, "")


def _named(field: Record, words: str) -> Record:
    kind = FIELD_CLASSES.get(field["type"], "Field" + field["type"].capitalize())
    return {"description": words, "ticket_field_id": field["id"], "ticket_field_type": kind}
