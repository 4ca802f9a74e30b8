"""The history of a ticket: one audit per change, its events, and the comments among them."""

import html
import re
from datetime import datetime
from typing import Any

from demo.zendesk.paging import page_reply
from demo.zendesk.replies import Call, Reply
from demo.zendesk.state import Account, Record, stamp
from demo.zendesk.ticket_reads import visible_ticket

VIA = {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}}


def add_audit(
    account: Account, ticket_id: int, events: list[Record], *, author_id: int, now: datetime, custom: Any = None
) -> Record:
    """Write an audit; its events are numbered here."""
    audit_id = account.new_id("audits")
    numbered = [{**event, "id": audit_id + place} for place, event in enumerate(events, start=1)]
    audit = {
        "id": audit_id,
        "ticket_id": ticket_id,
        "created_at": stamp(now),
        "author_id": author_id,
        "metadata": {"system": {"client": "API", "ip_address": "127.0.0.1"}, "custom": custom or {}},
        "events": numbered,
        "via": VIA,
    }
    return account.put("audits", audit_id, audit)


def comment_event(given: Any, *, author_id: int, is_public: bool) -> Record:
    """The event of a comment. HTML in `body` is text; `html_body` is markup."""
    parts = given if isinstance(given, dict) else {"body": given}
    marked = str(parts.get("html_body") or "")
    body = re.sub(r"<[^>]+>", "", marked) if marked else re.sub(r"<[^>]+>", "", str(parts.get("body") or ""))
    return {
        "type": "Comment",
        "author_id": parts.get("author_id") or author_id,
        "body": body,
        "html_body": marked or f'<div class="zd-comment" dir="auto">{html.escape(body)}</div>',
        "plain_body": body,
        "public": is_public,
        "attachments": [],
    }


def change_events(before: Record, after: Record, *, kind: str = "Change") -> list[Record]:
    """One event per property and custom field that differs."""
    events = [_change(kind, name, before.get(name), after[name]) for name in AUDITED if before.get(name) != after[name]]
    old, new = before.get("custom_fields", {}), after["custom_fields"]
    return events + [
        _change(kind, key, old.get(key), new.get(key))
        for key in sorted(set(old) | set(new))
        if old.get(key) != new.get(key)
    ]


AUDITED = (
    "subject", "status", "priority", "type", "group_id", "assignee_id", "requester_id", "organization_id",
    "external_id", "due_at", "problem_id", "ticket_form_id", "brand_id", "tags",
)  # fmt: skip


def _change(kind: str, name: str, old: Any, new: Any) -> Record:
    event = {"type": kind, "field_name": name, "value": new}
    return event if kind == "Create" else {**event, "previous_value": old}


def comments_of(account: Account, ticket_id: int) -> list[Record]:
    """The comments of a ticket, oldest first."""
    return [
        {
            **event,
            "audit_id": audit["id"],
            "created_at": audit["created_at"],
            "metadata": audit["metadata"],
            "via": audit["via"],
        }
        for audit in account.audits_of.get(ticket_id, [])
        for event in audit["events"]
        if event["type"] == "Comment"
    ]


def list_comments(call: Call) -> Reply:
    """`GET tickets/{id}/comments`."""
    ticket = visible_ticket(call)
    return page_reply(call, "comments", comments_of(call.account, ticket["id"]), dict, sorts=("id", "created_at"))


def list_audits(call: Call) -> Reply:
    """`GET tickets/{id}/audits`."""
    ticket = visible_ticket(call)
    return page_reply(call, "audits", call.account.audits_of.get(ticket["id"], []), dict, sorts=("id", "created_at"))
