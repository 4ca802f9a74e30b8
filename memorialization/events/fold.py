"""The fold: all events of one contact, in any order of arrival, become the states of its segments.

Pure; the rules are semantics §1–3. `segment_assignment` says which segment each event belongs to; here the events of
a segment, in order, become its state. Nothing depends on when an event arrived, so arrival order and repetition do not
matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from memorialization.events.schema import (
    CLOSING_TYPES,
    EndedBy,
    EventType,
    ParsedEvent,
    RecordLink,
    SourceValue,
)
from memorialization.events.segments import Assignment, SegmentKey, assign_events
from memorialization.source_fields import DIGITAL, VOICE

CLOSED_STATUS = "closed"


@dataclass(frozen=True, slots=True)
class TimedValue:
    """A value and the time of the event that brought it."""

    value: SourceValue
    occurred_at: datetime


@dataclass(slots=True)
class SegmentState:
    """One segment as its events leave it; times are None until something reports them. Not changed after the fold."""

    channel: str
    segment_id: str
    agent_id: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    is_acw_configured: bool = False
    acw_completed_at: datetime | None = None
    closing: EventType | None = None  # how the agent let go of a digital segment, and since when
    closed_at: datetime | None = None
    has_contact_ended_first: bool = False
    status_closed_at: datetime | None = None
    values: dict[str, TimedValue] = field(default_factory=dict)
    script_variables: dict[str, TimedValue] = field(default_factory=dict)
    links: dict[RecordLink, bool] = field(default_factory=dict)  # record → whether it is linked now
    flags: tuple[str, ...] = ()

    @property
    def linked_records(self) -> tuple[RecordLink, ...]:
        """Records that are linked now, in the order of their names."""
        return tuple(sorted(link for link, is_linked in self.links.items() if is_linked))

    @property
    def unlinked_records(self) -> tuple[RecordLink, ...]:
        """Records that were unlinked and not linked again."""
        return tuple(sorted(link for link, is_linked in self.links.items() if not is_linked))


@dataclass(frozen=True, slots=True)
class ContactState:
    """The segments of a contact, oldest first; `aliases` leads from ids that were given for want of a start time."""

    segments: tuple[SegmentState, ...]
    aliases: Mapping[SegmentKey, SegmentKey]


def fold_events(events: Iterable[ParsedEvent]) -> ContactState:
    """The state of a contact after these events."""
    unique = {event.event_id: event for event in events}
    ordered = sorted(unique.values(), key=lambda event: (event.ordered_at, event.event_id))
    assignment = assign_events(ordered)
    return ContactState(tuple(_fold_segment(key, assignment) for key in assignment.keys), assignment.aliases)


def _fold_segment(key: SegmentKey, assignment: Assignment) -> SegmentState:
    channel, segment_id = key
    state = SegmentState(channel, segment_id, agent_id=assignment.agents.get(key, ""))
    state.started_at = assignment.starts.get(key)
    for event, is_data_only in assignment.events[key]:
        _keep_data(state, event)
        if not is_data_only:
            _keep_life(state, event)
    return state


def _keep_data(state: SegmentState, event: ParsedEvent) -> None:
    """Each key keeps its newest non-blank value; of link and unlink the later wins (semantics §2.6, §4.14)."""
    for key, value in event.values.items():
        state.values[key] = TimedValue(value, event.ordered_at)
    for name, value in event.script_variables.items():
        state.script_variables[name] = TimedValue(value, event.ordered_at)
    for record in event.records:
        state.links[record] = event.type is not EventType.UNLINKED
    if event.agent_id:
        state.agent_id = event.agent_id
    if event.is_acw_configured is not None:
        state.is_acw_configured = event.is_acw_configured
    state.flags = tuple(dict.fromkeys((*state.flags, *event.flags)))


def _keep_life(state: SegmentState, event: ParsedEvent) -> None:
    if state.started_at is None:
        state.started_at = event.started_at or (event.ordered_at if event.type is EventType.STARTED else None)
    if state.channel == VOICE:
        _keep_voice_life(state, event)
    elif state.channel == DIGITAL:
        _keep_digital_life(state, event)


def _keep_voice_life(state: SegmentState, event: ParsedEvent) -> None:
    """Transfers of a call are recorded and trigger nothing: each part ends by itself (semantics §3.10)."""
    if event.type is EventType.ENDED and state.ended_at is None:
        state.ended_at, state.ended_by = event.ordered_at, event.ended_by.value
    elif event.type is EventType.ACW_COMPLETED and state.acw_completed_at is None:
        state.acw_completed_at = event.ordered_at


def _keep_digital_life(state: SegmentState, event: ParsedEvent) -> None:
    if _says_closed(event) and state.status_closed_at is None:
        state.status_closed_at = event.ordered_at
    if state.closed_at is not None or state.has_contact_ended_first:
        return  # a second closing event closes nothing new (semantics §1.3)
    is_contact = event.ended_by is EndedBy.CONTACT
    if event.type in CLOSING_TYPES:
        state.closing, state.closed_at = event.type, event.ordered_at
        state.ended_at, state.has_contact_ended_first = event.ordered_at, is_contact
        if is_contact or not state.ended_by:
            state.ended_by = event.ended_by.value
    elif event.type is EventType.ENDED and is_contact:
        state.ended_at, state.ended_by, state.has_contact_ended_first = event.ordered_at, EndedBy.CONTACT.value, True
    elif event.type is EventType.ENDED and state.ended_at is None:
        state.ended_at, state.ended_by = event.ordered_at, event.ended_by.value


def _says_closed(event: ParsedEvent) -> bool:
    status = event.values.get("status")
    return isinstance(status, str) and status.strip().lower() == CLOSED_STATUS
