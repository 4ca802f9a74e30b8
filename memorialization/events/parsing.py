"""The only reader of raw event JSON: a payload becomes a `ParsedEvent`, or is refused field by field.

The contract is interfaces `POST …/events` and semantics §2: ids are kept exactly, top-level keys win over the same
keys in `fields`, unknown keys are kept and reported as ignored, a blank says nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from memorialization.events.canonical_json import hash_text
from memorialization.events.schema import (
    FUTURE_TOLERANCE,
    LINK_TYPES,
    RECORDS_LIMIT,
    SEGMENT_ID_LIMIT,
    VARIABLE_NAME_LIMIT,
    VARIABLES_LIMIT,
    EndedBy,
    EventInvalid,
    EventType,
    FieldError,
    ParsedEvent,
    RecordLink,
    SourceValue,
)
from memorialization.events.times import read_time
from memorialization.events.values import (
    ValueRefused,
    is_blank,
    read_entity_type,
    read_id,
    read_record_id,
    read_source_value,
    read_truth,
    storable_text,
)
from memorialization.source_fields import BY_KEY, DIGITAL, ID_KEYS, VOICE

CHANNELS = (VOICE, DIGITAL)
OWN_KEYS = frozenset(
    {
        *("eventId", "type", "occurredAt", "channel", "contactId", "segmentId", "endedBy", "acwConfigured"),
        *("fields", "scriptVariables", "records"),
    }
)
IGNORED_KEYS_LIMIT = 100  # reported per event
IGNORED_KEY_LENGTH = 200  # characters of a reported key


@dataclass(frozen=True, slots=True)
class Reading:
    """An event, the JSON text that is stored of it, and the hash by which it is known when it comes again."""

    event: ParsedEvent
    body: str
    body_hash: str


def read_payload(payload: Any) -> Reading:
    """The event behind a JSON value. Raises EventInvalid with everything that is wrong with it."""
    if not isinstance(payload, dict):
        raise EventInvalid([FieldError("", _("An event is a JSON object."))])
    try:
        text = storable_text(payload)
    except ValueRefused as refusal:
        raise EventInvalid([FieldError("", str(refusal))]) from refusal
    event, body = parse_event(payload), storable_body(payload)
    return Reading(event, text if body is payload else storable_text(body), hash_text(text))


def parse_event(body: dict[str, Any]) -> ParsedEvent:
    """The event behind an object that can be stored, or is. Raises EventInvalid likewise."""
    return _EventReader(body).read()


def read_records(body: dict[str, Any]) -> tuple[RecordLink, ...]:
    """The records alone that a stored event names; one that can no longer be read is left out."""
    return _EventReader(body).records(None)


def order_event(event: ParsedEvent, *, received_at: datetime) -> ParsedEvent:
    """The event in its place: a time in the future is kept, flagged, and ordered by the time of receipt."""
    if event.occurred_at <= received_at + FUTURE_TOLERANCE:
        return event
    return replace(event, ordered_at=received_at, flags=(*event.flags, "future_time"))


def storable_body(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as it is stored: of script variables equal after lower-casing only the last, which is what counts.

    PostgreSQL keeps no order of keys, so “the last” could not be told later.
    """
    variables = payload.get("scriptVariables")
    if not isinstance(variables, dict):
        return payload
    last = {name.strip().lower(): name for name in variables}
    if len(last) == len(variables):
        return payload
    return {**payload, "scriptVariables": {name: variables[name] for name in last.values()}}


class _EventReader:
    """Reads one payload and collects what is wrong."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.errors: list[FieldError] = []
        self.flags: list[str] = []
        self.ignored: list[str] = [key for key in payload if key not in OWN_KEYS and key not in BY_KEY]

    def read(self) -> ParsedEvent:
        event_type = self._choice("type", EventType)
        occurred_at = self._occurred_at()
        contact_id = self._own_id("contactId")
        event_id = self._own_id("eventId")
        values = self._values(contact_id)
        event = {
            "channel": self._channel(event_type),
            "segment_id": self._own_id("segmentId", is_required=False, limit=SEGMENT_ID_LIMIT) or None,
            "agent_id": str(values.get("agentId", "")),
            "started_at": self._started_at(values),
            "ended_by": self._choice("endedBy", EndedBy, default=EndedBy.UNKNOWN),
            "is_acw_configured": self._acw_configured(),
            "script_variables": self._script_variables(),
            "records": self.records(event_type),
        }
        if self.errors or event_type is None or occurred_at is None:
            raise EventInvalid(self.errors)
        return ParsedEvent(
            event_id,
            event_type,
            occurred_at,
            occurred_at,
            contact_id,
            values=values,
            ignored_keys=tuple(key[:IGNORED_KEY_LENGTH] for key in self.ignored[:IGNORED_KEYS_LIMIT]),
            flags=tuple(dict.fromkeys(self.flags)),
            **event,
        )

    def _refuse(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    def _read(self, field: str, reader: Callable[[Any], Any], value: Any) -> Any:
        try:
            return reader(value)
        except ValueRefused as refusal:
            self._refuse(field, str(refusal))
            return None

    def _own_id(self, key: str, *, is_required: bool = True, limit: int | None = None) -> str:
        value = self.payload.get(key)
        if is_blank(value):
            if is_required:
                self._refuse(key, _("This key is required."))
            return ""
        return self._read(key, lambda raw: read_id(raw, limit=limit) if limit else read_id(raw), value) or ""

    def _choice(self, key: str, choices: type[StrEnum], default: Any = None) -> Any:
        value: Any = self.payload.get(key)
        if is_blank(value):
            if default is None:
                self._refuse(key, _("This key is required."))
            return default
        with suppress(ValueError):
            return choices(value)
        self._refuse(key, _("Send one of: %(choices)s.") % {"choices": ", ".join(choices)})
        return default

    def _occurred_at(self) -> datetime | None:
        value = self.payload.get("occurredAt")
        if is_blank(value):
            self._refuse("occurredAt", _("This key is required."))
            return None
        found = read_time(value) if isinstance(value, str) else None
        if found is None:
            self._refuse("occurredAt", _("Send a time in ISO 8601, such as 2026-11-22T10:04:58-05:00."))
        elif not found.has_offset:
            self._refuse("occurredAt", _("Add the offset from UTC, such as 2026-11-22T10:04:58-05:00 or …T15:04:58Z."))
        else:
            return found.moment
        return None

    def _channel(self, event_type: EventType | None) -> str:
        value = self.payload.get("channel")
        if is_blank(value):
            if event_type not in LINK_TYPES:
                self._refuse("channel", _("This key is required: voice or digital."))
            return ""
        if value not in CHANNELS:
            self._refuse("channel", _("Send one of: %(choices)s.") % {"choices": ", ".join(CHANNELS)})
            return ""
        return str(value)

    def _acw_configured(self) -> bool | None:
        value = self.payload.get("acwConfigured")
        return None if is_blank(value) else self._read("acwConfigured", read_truth, value)

    def _values(self, contact_id: str) -> dict[str, SourceValue]:
        """The source fields that say something: `fields`, then the same keys at the top."""
        fields = self.payload.get("fields")
        if fields is not None and not isinstance(fields, dict):
            self._refuse("fields", _("Send an object: source field keys with their values."))
        inner = fields if isinstance(fields, dict) else {}
        self.ignored += [f"fields.{key}" for key in inner if key not in BY_KEY]
        values: dict[str, SourceValue] = {}
        for prefix, holder in (("fields.", inner), ("", self.payload)):
            for key in [known for known in BY_KEY if known in holder]:
                if not is_blank(holder[key]):
                    self._add_value(values, prefix + key, key, holder[key])
        if contact_id:
            values["contactId"] = contact_id
        return values

    def _add_value(self, values: dict[str, SourceValue], path: str, key: str, raw: Any) -> None:
        value = self._read(path, read_id if key in ID_KEYS else read_source_value, raw)
        if value is None:
            return
        values[key] = value
        if BY_KEY[key].is_time:
            found = read_time(value) if isinstance(value, str) else None
            if found is None:
                self.flags.append("time_unreadable")
            elif not found.has_offset:
                self.flags.append("time_without_offset")

    def _started_at(self, values: dict[str, SourceValue]) -> datetime | None:
        value = values.get("startTime")
        found = read_time(value) if isinstance(value, str) else None
        return found.moment if found else None

    def _script_variables(self) -> dict[str, SourceValue]:
        variables = self.payload.get("scriptVariables")
        if variables is None:
            return {}
        if not isinstance(variables, dict) or len(variables) > VARIABLES_LIMIT:
            message = _("Send an object of at most %(limit)s script variables: names with their values.")
            self._refuse("scriptVariables", message % {"limit": VARIABLES_LIMIT})
            return {}
        found: dict[str, Any] = {}
        for raw_name, raw in variables.items():
            name = raw_name.strip().lower()
            path = f"scriptVariables.{raw_name[:VARIABLE_NAME_LIMIT]}"
            if not name or len(name) > VARIABLE_NAME_LIMIT:
                message = _("Name the variable, in at most %(limit)s characters.")
                self._refuse(path, message % {"limit": VARIABLE_NAME_LIMIT})
                continue
            if name in found:
                self.flags.append("script_variable_repeated")
            found[name] = None if is_blank(raw) else self._read(path, read_source_value, raw)
        return {name: value for name, value in found.items() if value is not None}

    def records(self, event_type: EventType | None) -> tuple[RecordLink, ...]:
        records = self.payload.get("records")
        if records is None:
            records = []
        if not isinstance(records, list) or len(records) > RECORDS_LIMIT:
            message = _("Send a list of at most %(limit)s records, each with entityType and id.")
            self._refuse("records", message % {"limit": RECORDS_LIMIT})
            return ()
        if not records and event_type in LINK_TYPES:
            self._refuse("records", _("Name at least one record, with entityType and id."))
        links = [self._record(f"records[{position}]", record) for position, record in enumerate(records)]
        return tuple(dict.fromkeys(link for link in links if link is not None))

    def _record(self, path: str, record: Any) -> RecordLink | None:
        if not isinstance(record, dict):
            self._refuse(path, _("Send an object with entityType and id."))
            return None
        entity_type = self._read(f"{path}.entityType", read_entity_type, record.get("entityType"))
        record_id = self._read(f"{path}.id", read_record_id, record.get("id"))
        return RecordLink(entity_type, record_id) if entity_type and record_id else None
