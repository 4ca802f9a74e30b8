"""What an event says, as data: the border between raw JSON and everything behind it (interfaces: `POST …/events`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

ID_LIMIT = 200  # characters of eventId, contactId, agentId and record ids
SEGMENT_ID_LIMIT = 300
VARIABLE_NAME_LIMIT = 200
VARIABLES_LIMIT = 1000  # script variables of one event
RECORDS_LIMIT = 100  # records of one event
DEPTH_LIMIT = 20  # nesting of one event
FUTURE_TOLERANCE = timedelta(minutes=5)  # a source's clock may be that much ahead (semantics §2.8)

SourceValue = str | int | float | bool | list[str]
"""A value of a source field or script variable; never blank."""


class EventType(StrEnum):
    """What can be reported about an interaction."""

    STARTED = "interaction.started"
    ENDED = "interaction.ended"
    ACW_COMPLETED = "interaction.acw_completed"
    TRANSFERRED = "interaction.transferred"
    UNASSIGNED = "interaction.unassigned"
    UPDATED = "interaction.updated"
    LINKED = "records.linked"
    UNLINKED = "records.unlinked"


LINK_TYPES = frozenset({EventType.LINKED, EventType.UNLINKED})
CLOSING_TYPES = frozenset({EventType.TRANSFERRED, EventType.UNASSIGNED})


class EndedBy(StrEnum):
    """Who ended the interaction."""

    AGENT = "agent"
    CONTACT = "contact"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class RecordLink:
    """A CRM record named by its type and id."""

    entity_type: str
    id: str


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One event. `channel` is empty only for links; `segment_id` is None when the source left it to us.

    `ordered_at` is what counts for order and precedence; it differs from `occurred_at` only for times in the future.
    """

    event_id: str
    type: EventType
    occurred_at: datetime
    ordered_at: datetime
    contact_id: str
    channel: str
    segment_id: str | None = None
    agent_id: str = ""
    started_at: datetime | None = None
    ended_by: EndedBy = EndedBy.UNKNOWN
    is_acw_configured: bool | None = None
    values: Mapping[str, SourceValue] = field(default_factory=dict)
    script_variables: Mapping[str, SourceValue] = field(default_factory=dict)
    records: tuple[RecordLink, ...] = ()
    ignored_keys: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of an event; an empty field is the event itself."""

    field: str
    message: str


class EventInvalid(Exception):
    """The event cannot be accepted; `errors` says why, field by field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)
