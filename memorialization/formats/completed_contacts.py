"""Rows of `GET /contacts/completed` (CXone Reporting API) become the events of a finished call.

Sources: the API's schema as the domain notes record it; newer versions rename columns (fromAddress, contactStartDate,
mediaTypeId) and change their case, so keys are compared loosely. A row yields up to three events: the call's end,
after-call work when it is done, and its data at the row's last update, so that a row exported again with other data
is late data. Chats and e-mails are left to the digital events, which know the case number.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from memorialization.formats.rows import (
    Payload,
    Row,
    RowRefused,
    format_time,
    full_name,
    read_row,
    with_event_id,
    without_blanks,
)

DIGITAL_MEDIA = {"1", "3", "9"}  # e-mail, chat, digital
MEDIA_NAMES = {"4": "voice", "5": "voicemail", "6": "work item"}


def read_completed_contact(document: Any) -> list[Payload]:
    """The events of one row. Raises RowRefused."""
    row = read_row(document)
    if row.id("mediaType", "mediaTypeId") in DIGITAL_MEDIA:
        return []
    contact_id, started_at = row.id("contactId"), row.time("contactStart", "contactStartDate")
    if not contact_id or started_at is None:
        raise RowRefused(_("The row needs contactId and contactStart."))
    ended_at = started_at + timedelta(seconds=_duration_s(row))
    acw_done_at = row.time("dateACWWarehoused")
    events = [_end_event(row, contact_id, ended_at)]
    if acw_done_at is not None:
        events.append(_event(contact_id, "interaction.acw_completed", acw_done_at, "acw"))
    updated_at = max(moment for moment in (row.time("lastUpdateTime"), acw_done_at, ended_at) if moment)
    fields = _fields(row, contact_id, started_at, ended_at)
    events.append(_event(contact_id, "interaction.updated", updated_at, "data", fields=fields))
    return events


def _duration_s(row: Row) -> float:
    """The call's length; after-call work is not part of it. Raises RowRefused."""
    duration = row.number("totalDurationSeconds")
    if duration is None or not 0 <= duration < 10**7:
        raise RowRefused(_("The row needs totalDurationSeconds."))
    return duration


def _end_event(row: Row, contact_id: str, ended_at: datetime) -> Payload:
    """A row with the column for finished after-call work, filled or not yet, is of a call that has after-call work."""
    has_acw = row.has("dateACWWarehoused")
    return _event(contact_id, "interaction.ended", ended_at, "ended", endedBy="unknown", acwConfigured=has_acw)


def _event(contact_id: str, event_type: str, at: datetime, kind: str, **keys: Any) -> Payload:
    payload = {
        "type": event_type,
        "occurredAt": format_time(at),
        "channel": "voice",
        "contactId": contact_id,
        **keys,
    }
    return with_event_id(f"completed-{contact_id}-{kind}", payload)


def _fields(row: Row, contact_id: str, started_at: datetime, ended_at: datetime) -> Payload:
    is_outbound = bool(row.truth("isOutbound"))
    addresses = [row.id("fromAddr", "fromAddress"), row.id("toAddr", "toAddress")]
    contact_number, own_number = reversed(addresses) if is_outbound else addresses
    agent_name = full_name(row.text("firstName"), row.text("lastName"))
    return without_blanks(
        {
            "agentId": row.id("agentId"),
            "agentName": agent_name,
            "to": agent_name,
            "ani": contact_number,
            "dnis": own_number,
            "contactId": contact_id,
            "masterContactId": row.id("masterContactId"),
            "interactionId": row.id("interactionId"),
            "contactType": "voice",
            "mediaType": MEDIA_NAMES.get(row.id("mediaType", "mediaTypeId"), "voice"),
            "direction": "outbound" if is_outbound else "inbound",
            "startTime": format_time(started_at),
            "endTime": format_time(ended_at),
            "finalState": True,
            "skillId": row.id("skillId"),
            "skillName": row.text("skillName"),
            "dispositionName": row.text("dispositionName", "primaryDispositionName"),
            "dispositionNotes": row.text("dispositionNotes"),
            "tags": [name for tag in row.rows("tags") if (name := tag.text("tagName"))],
            "recordingUrl": row.text("recordingUrl", "recordingLink"),
        }
    )
