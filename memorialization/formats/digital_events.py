"""Events of CXone's Digital Experience (DFO) become events of our own; the case number is the Contact ID.

Sources: real event files, as the domain notes record them. An assignee who changes ends one agent's segment and may
begin another's; `EndContact` is the contact's own end. Offsets differ within one tenant, ids are numbers or text,
blank names are one space, and a person who was anonymized is not written about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from memorialization.events.canonical_json import hash_payload
from memorialization.formats.rows import Payload, Row, RowRefused, format_time, full_name, read_row, without_blanks

CLOSED_STATUS = "closed"


@dataclass(frozen=True, slots=True)
class DigitalEvent:
    """The envelope and the parts that every event has."""

    id: str
    occurred_at: datetime
    data: Row
    case: Row
    contact_id: str


def read_digital_event(document: Any) -> list[Payload]:
    """The events of one document; none for those that say nothing about an agent's part. Raises RowRefused."""
    row = read_row(document)
    reader = READERS.get(row.text("eventType").replace("_", "").lower())
    return [] if reader is None else reader(_read_envelope(row, document))


def _read_envelope(row: Row, document: Any) -> DigitalEvent:
    data = row.row("data")
    case = data.row("case")
    contact_id = case.id("id") or data.row("contact").id("id")
    occurred_at = row.time("createdAtWithMilliseconds") or row.time("createdAt") or data.time("createdAt")
    if not contact_id or occurred_at is None:
        raise RowRefused(_("The event needs createdAt and the case number (data.case.id)."))
    event_id = row.id("eventId") or f"digital-{contact_id}-{_hash_document(document)[:32]}"
    return DigitalEvent(event_id, occurred_at, data, case, contact_id)


def _hash_document(document: Any) -> str:
    try:
        return hash_payload(document)
    except (ValueError, RecursionError) as error:  # NaN and Infinity, which Python's reader takes, or deep nesting
        raise RowRefused(_("This is not valid JSON.")) from error


def _read_assignee_change(event: DigitalEvent) -> list[Payload]:
    """One agent lets go, another takes over, or both."""
    before, after = event.data.row("previousInboxAssignee"), event.data.row("inboxAssignee")
    after_id = _agent_id(after)
    after = after if after_id else event.case.row("inboxAssigneeUser")
    old, new = _agent_id(before), after_id or _agent_id(after)
    is_same = old == new or bool(before.id("id") and before.id("id") == after.id("id"))
    events = []
    if old and not is_same:
        is_transfer = bool(new) or bool(event.data.row("acceptRejectFlow").truth("isTransfer"))
        started_at = None if new else event.case.time("inboxAssigneeLastAssignedAt")  # it is the new agent's by then
        fields = {**_agent_fields(before, started_at), "endTime": format_time(event.occurred_at)}
        kind = "interaction.transferred" if is_transfer else "interaction.unassigned"
        events.append(_event(event, kind, "", fields))
    if new and not is_same:
        started_at = event.case.time("inboxAssigneeLastAssignedAt") or event.occurred_at
        events.append(_event(event, "interaction.started", ":started", _agent_fields(after, started_at)))
    return events or [_event(event, "interaction.updated", "", {})]


def _read_status_change(event: DigitalEvent) -> list[Payload]:
    """A case that closes has ended; who ended it, the event does not say."""
    if event.case.text("status").lower() != CLOSED_STATUS:
        return [_event(event, "interaction.updated", "", _present_agent(event))]
    fields = {**_present_agent(event), "endTime": format_time(event.case.time("statusUpdatedAt") or event.occurred_at)}
    return [_event(event, "interaction.ended", "", fields, endedBy="unknown")]


def _read_contact_end(event: DigitalEvent) -> list[Payload]:
    """The contact closes a live chat."""
    return [_event(event, "interaction.ended", "", {}, endedBy="contact")]


READERS: Mapping[str, Callable[[DigitalEvent], list[Payload]]] = {
    "caseinboxassigneechanged": _read_assignee_change,
    "assignedagentchanged": _read_assignee_change,
    "casestatuschanged": _read_status_change,
    "contactstatuschanged": _read_status_change,
    "endcontact": _read_contact_end,
}


def _event(event: DigitalEvent, kind: str, suffix: str, fields: Payload, **keys: Any) -> Payload:
    """One event of ours; `suffix` tells apart those that come from one event of theirs."""
    variables = _script_variables(event)
    return {
        "eventId": event.id + suffix,
        "type": kind,
        "occurredAt": format_time(event.occurred_at),
        "channel": "digital",
        "contactId": event.contact_id,
        **keys,
        "fields": without_blanks({**_case_fields(event), **fields}),
        **({"scriptVariables": variables} if variables else {}),
    }


def _case_fields(event: DigitalEvent) -> Payload:
    case, channel, queue = event.case, event.data.row("channel"), event.data.row("routingQueue")
    customer = _customer_name(event)
    return {
        "contactId": event.contact_id,
        "interactionId": case.id("interactionId"),
        "channelName": channel.text("name"),
        "channelType": channel.text("realExternalPlatformId"),
        "customerName": customer,
        "from": customer,
        "direction": case.text("direction"),
        "eventType": "digital",
        "mediaType": "digital",
        "skillId": queue.id("skillId"),
        "skillName": queue.text("name"),
        "status": case.text("status"),
        "transcriptUrl": "" if _is_anonymized(event) else case.text("detailUrl"),
    }


def _agent_fields(agent: Row, started_at: datetime | None) -> Payload:
    name = full_name(agent.text("firstName"), agent.text("surname", "lastName"))
    return {"agentId": _agent_id(agent), "agentName": name, "to": name, "startTime": format_time(started_at)}


def _present_agent(event: DigitalEvent) -> Payload:
    """The agent who has the case; nothing when nobody has it."""
    agent = event.case.row("inboxAssigneeUser")
    if not _agent_id(agent):
        return {}
    return _agent_fields(agent, event.case.time("inboxAssigneeLastAssignedAt"))


def _agent_id(agent: Row) -> str:
    return agent.id("agentId") or agent.id("incontactId") or agent.id("id")


def _customer_name(event: DigitalEvent) -> str:
    if _is_anonymized(event):
        return ""
    end_user, author = event.case.row("endUser"), event.case.row("authorEndUserIdentity")
    return end_user.text("fullName") or author.text("fullName")


def _is_anonymized(event: DigitalEvent) -> bool:
    people = [event.case.row("endUser"), event.case.row("authorEndUserIdentity"), *event.case.rows("recipients")]
    return any(person.get("anonymizedAt") for person in people)


def _script_variables(event: DigitalEvent) -> Payload:
    """Custom fields of the case and of the customer; they are no predefined fields, so they are script variables."""
    custom = event.case.rows("customFields")
    if not _is_anonymized(event):
        custom = [*event.case.row("endUser").rows("customFields"), *custom]
    named = {row.text("ident"): row.get("value") for row in custom if row.text("ident")}
    return {name: value for name, value in named.items() if isinstance(value, (str, int, float)) and value != ""}
