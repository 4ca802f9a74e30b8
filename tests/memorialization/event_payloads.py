"""Event payloads for tests, as contact-centre scripts send them."""

import itertools
from typing import Any

_numbers = itertools.count(1)


def make_event(type_: str = "interaction.ended", at: str = "2026-11-22T15:00:00Z", **keys: Any) -> dict[str, Any]:
    """A valid voice event; keywords are top-level keys, None takes a key away."""
    payload: dict[str, Any] = {
        "eventId": f"event-{next(_numbers)}",
        "type": type_ if "." in type_ else f"interaction.{type_}",
        "occurredAt": at if "T" in at else f"2026-11-22T{at}Z",
        "channel": "voice",
        "contactId": "415203958123",
        **keys,
    }
    return {key: value for key, value in payload.items() if value is not None}


def voice(type_: str = "ended", at: str = "15:00:00", **keys: Any) -> dict[str, Any]:
    """A voice event."""
    return make_event(type_, at, **keys)


def digital(type_: str, at: str = "15:00:00", agent: str | None = "A", **keys: Any) -> dict[str, Any]:
    """A digital event of an agent, or of the contact when `agent` is None."""
    fields = {**({"agentId": agent} if agent else {}), **keys.pop("fields", {})}
    return make_event(type_, at, **{"channel": "digital", "contactId": "507345195372", "fields": fields, **keys})


def link(at: str = "15:00:00", *, entity_type: str = "ticket", record: str = "35436", **keys: Any) -> dict[str, Any]:
    """A records.linked event of the voice contact; `type_="records.unlinked"` for the opposite."""
    type_ = keys.pop("type_", "records.linked")
    records = [{"entityType": entity_type, "id": record}]
    return make_event(type_, at, **{"channel": None, "records": records, **keys})
