"""Writing tickets one at a time: create (with Idempotency-Key), update, and the people's change feed."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from demo.zendesk.audits import VIA, add_audit, change_events, comment_event
from demo.zendesk.replies import ApiError, Call, Reply, not_allowed, record_invalid, required_body, value_invalid
from demo.zendesk.rights import is_light, only_private_comments, require_agent, require_ticket_editing
from demo.zendesk.state import Record, differences, moment_of, stamp
from demo.zendesk.ticket_reads import encode_ticket, render_with, visible_ticket
from demo.zendesk.ticket_updates import apply_update, check_solvable, draft_change
from demo.zendesk.user_records import add_identity, find_requester

KEY_KEPT = timedelta(hours=2)
KEY_MOST = 255
COMMENT_FIELD = "comment"
BULK_ONLY = {"additional_tags", "remove_tags"}  # understood by update_many, ignored here
NO_VALUES = {*BULK_ONLY, COMMENT_FIELD, "metadata", "safe_update", "updated_stamp"}


def update_ticket(call: Call) -> Reply:
    """`PUT tickets/{id}`."""
    ticket = visible_ticket(call)
    asked = required_body(call, "ticket")
    change = {name: value for name, value in asked.items() if name not in BULK_ONLY}
    require_ticket_editing(call.account, call.actor, change)
    audit = change_ticket(call, ticket, change)
    changed = call.account.table("tickets")[ticket["id"]]
    return Reply({"ticket": encode_ticket(call.account, changed, call.base_url), "audit": audit})


def change_ticket(call: Call, ticket: Record, change: Record) -> Record:
    """Apply, and tell the log and the feed; returns the audit."""
    audit = apply_update(call.account, ticket, change, actor=call.actor, now=call.now)
    record_change(call, ticket, change)
    return audit


def record_change(call: Call, before: Record, change: Record) -> None:
    """Note a ticket write for the logs and for people."""
    after = call.account.table("tickets")[before["id"]]
    call.note_write("tickets", before["id"], written_names(change), values_of(after, change), comment_of(call, change))
    fields = differences(_flat(before), _flat(after))
    if COMMENT_FIELD in change:
        fields.append({"field": COMMENT_FIELD, "before": None, "after": "added"})
    if fields:
        _feed(call, after, fields)


def _feed(call: Call, ticket: Record, fields: list[Record]) -> None:
    call.account.note_change(
        at=call.now,
        actor=call.actor["name"],
        kind="tickets",
        key=ticket["id"],
        label=ticket["subject"] or "",
        fields=fields,
    )


def _flat(ticket: Record) -> Record:
    values = {f"custom_fields.{key}": value for key, value in ticket["custom_fields"].items()}
    return {name: value for name, value in ticket.items() if name not in ("custom_fields", "updated_at")} | values


def written_names(change: Record) -> list[str]:
    """The names of what a request asks to write, never the values."""
    pairs = change.get("custom_fields", change.get("fields")) or []
    ids = pairs.keys() if isinstance(pairs, dict) else [pair.get("id") for pair in pairs if isinstance(pair, dict)]
    return [name for name in change if name not in ("custom_fields", "fields")] + [
        f"custom_fields.{key}" for key in ids
    ]


def values_of(after: Record, change: Record) -> Record:
    """What a written ticket now has, by name; of tags added and removed what was asked."""
    own = {name: change[name] for name in BULK_ONLY & change.keys()}
    names = [name for name in written_names(change) if name not in NO_VALUES]
    custom = {name: after["custom_fields"].get(name[14:]) for name in names if name.startswith("custom_fields.")}
    return {name: after.get(name) for name in names if name not in custom} | custom | own


def comment_of(call: Call, change: Record) -> Record | None:
    """The comment of a write, with the metadata of its audit."""
    given = change.get(COMMENT_FIELD)
    if not given:
        return None
    parts = given if isinstance(given, dict) else {"body": given}
    told = {"body": parts.get("html_body") or parts.get("body"), "public": parts.get("public")}
    return {**told, "author_id": parts.get("author_id") or call.actor["id"], "metadata": change.get("metadata")}


def create_ticket(call: Call) -> Reply:
    """`POST tickets`, replayed when the Idempotency-Key was seen within two hours."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return insert_ticket(call)
    if len(key) > KEY_MOST:
        raise ApiError(400, {"error": "IdempotentRequestError", "description": "Idempotency key is too long"})
    known = call.account.find("idempotency", "k:" + key)
    digest = hashlib.sha256(call.raw).hexdigest()
    if known is not None and call.now < moment_of(known["created_at"]) + KEY_KEPT:
        return replay(known, digest)
    reply = insert_ticket(call)
    kept = {"digest": digest, "body": json.loads(json.dumps(reply.body)), "created_at": stamp(call.now)}
    call.account.put("idempotency", "k:" + key, kept)
    reply.headers["x-idempotency-lookup"] = "miss"
    return reply


def replay(known: Record, digest: str) -> Reply:
    """The first answer again, or the refusal of another body under the same key."""
    if known["digest"] != digest:
        words = "Request parameters don't match the given idempotency key"
        raise ApiError(400, {"error": "IdempotentRequestError", "description": words})
    return Reply(known["body"], 201, {"x-idempotency-lookup": "hit"})


def insert_ticket(call: Call) -> Reply:
    """Make the ticket with its first comment."""
    change = required_body(call, "ticket")
    require_agent(call.actor)
    if is_light(call.actor):
        raise not_allowed()
    given = change.get("comment") or change.get("description")
    event = comment_event(given or "", author_id=call.actor["id"], is_public=first_is_public(call, given))
    if not event["body"].strip():
        raise value_invalid("base", "Description: cannot be blank", "BlankValue")
    ticket = draft_ticket(call, change, event["body"])
    created = call.account.put("tickets", ticket["id"], ticket)
    events = [event, *change_events({}, created, kind="Create")]
    metadata: Any = change.get("metadata")
    audit = add_audit(call.account, ticket["id"], events, author_id=call.actor["id"], now=call.now, custom=metadata)
    call.note_write(
        "tickets", ticket["id"], written_names(change), values_of(created, change), comment_of(call, change)
    )
    _feed(call, created, [{"field": "ticket", "before": None, "after": "created"}])
    headers = {"Location": f"{call.base_url}/api/v2/tickets/{ticket['id']}.json"}
    return Reply({"ticket": render_with(call, created), "audit": audit}, 201, headers)


def first_is_public(call: Call, given: Any) -> bool:
    """Is the first comment public? By default yes."""
    if only_private_comments(call.account, call.actor):
        return False
    return not (isinstance(given, dict) and given.get("public") in (False, "false"))


def draft_ticket(call: Call, change: Record, description: str) -> Record:
    """A new ticket, checked; raises ApiError and leaves nothing behind."""
    followed = find_followed(call, change)
    requester = find_requester(call, change)
    problems: dict[str, list[Record]] = {}
    blank = blank_ticket(description, requester, stamp(call.now))
    if followed is not None:
        blank["tags"] = list(followed["tags"])
        blank["via"] = {"channel": "follow_up", "source": {"from": {"ticket_id": followed["id"]}, "rel": "follow_up"}}
    draft = draft_change(call.account, blank, {**change, "requester_id": call.actor["id"]}, problems)
    check_solvable(call.account, blank, draft, problems)
    if problems:
        raise record_invalid(problems)
    if call.account.find("users", requester["id"]) is None and requester["email"]:
        add_identity(call.account, requester["id"], "email", requester["email"], call.now, primary=True)
    call.account.put("users", requester["id"], requester)
    own = {"id": call.account.new_id("tickets"), "requester_id": requester["id"], "submitter_id": call.actor["id"]}
    return draft | own


def find_followed(call: Call, change: Record) -> Record | None:
    """The closed ticket this one follows up."""
    source = change.get("via_followup_source_id")
    if source is None:
        return None
    ticket = call.account.find("tickets", int(source)) if str(source).isdigit() else None
    if ticket is None or ticket["status"] != "closed":
        raise value_invalid("base", "Followup source is invalid: it must be a closed ticket")
    return ticket


def blank_ticket(description: str, requester: Record, created_at: str) -> Record:
    """A ticket before anything is written to it."""
    return {
        "id": 0,
        "external_id": None,
        "created_at": created_at,
        "updated_at": created_at,
        "type": None,
        "subject": description[:80],
        "description": description,
        "priority": None,
        "status": "new",
        "recipient": None,
        "requester_id": requester["id"],
        "submitter_id": requester["id"],
        "assignee_id": None,
        "organization_id": requester["organization_id"],
        "group_id": None,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": [],
        "custom_fields": {},
        "satisfaction_rating": None,
        "sharing_agreement_ids": [],
        "ticket_form_id": None,
        "brand_id": None,
        "allow_channelback": False,
        "allow_attachments": True,
        "via": VIA,
    }
