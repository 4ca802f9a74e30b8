"""Which segment each event of a contact belongs to (semantics §1.2–3). Pure.

For voice every agent's part has a contact id of its own, so its segment is called "". A digital case is shared by its
agents: a segment is `agentId@startTime`; an event without a start time joins that agent's latest segment that began at
or before it, else opens one. Events without an agent belong to the contact: to the segment open at their time, else to
the latest, and those from before the first segment to the first one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from memorialization.events.schema import CLOSING_TYPES, LINK_TYPES, EndedBy, EventType, ParsedEvent
from memorialization.events.times import format_utc
from memorialization.source_fields import DIGITAL, VOICE

SegmentKey = tuple[str, str]
"""(channel, segment id)"""

OPENING_TYPES = frozenset({EventType.STARTED, *CLOSING_TYPES})  # tell of an agent's part even without naming the agent


@dataclass(slots=True)
class Assignment:
    """`events` per segment in order, each with whether only its data count; `starts` where a start time is known."""

    keys: list[SegmentKey] = field(default_factory=list)
    events: dict[SegmentKey, list[tuple[ParsedEvent, bool]]] = field(default_factory=lambda: defaultdict(list))
    agents: dict[SegmentKey, str] = field(default_factory=dict)
    starts: dict[SegmentKey, datetime] = field(default_factory=dict)
    aliases: dict[SegmentKey, SegmentKey] = field(default_factory=dict)


def assign_events(ordered: Sequence[ParsedEvent]) -> Assignment:
    """Give every event its segment; events that belong to none (yet) are left out."""
    return _Assigner(ordered).assign()


def named_segment(event: ParsedEvent) -> SegmentKey | None:
    """The segment that an event names by itself, whatever came before."""
    if event.type in LINK_TYPES:
        return None
    if event.segment_id:
        return event.channel, event.segment_id
    if event.channel == DIGITAL and event.agent_id and event.started_at:
        return DIGITAL, f"{event.agent_id}@{format_utc(event.started_at)}"
    return None


class _Assigner:
    """Walks the events in order and knows which segments have begun and which are open."""

    def __init__(self, ordered: Sequence[ParsedEvent]) -> None:
        self.ordered = ordered
        self.result = Assignment()
        self.begins: dict[SegmentKey, datetime] = {}
        self.closed: set[SegmentKey] = set()
        self.openers: dict[SegmentKey, ParsedEvent] = {}  # of segments that no event names
        self.early: list[ParsedEvent] = []  # before the first segment
        self.named_links: list[ParsedEvent] = []

    def assign(self) -> Assignment:
        self._note_named_segments()
        for event in self.ordered:
            self._place(event)
        self._place_early_events()
        self._place_named_links()
        for key, found in self.result.events.items():
            self.result.events[key] = sorted(found, key=lambda pair: (pair[0].ordered_at, pair[0].event_id))
        self.result.keys = sorted(self.result.events, key=lambda key: (self.begins[key], key))
        return self.result

    def _note_named_segments(self) -> None:
        """Segments that some event names are known from the start, so that a late event changes no assignment."""
        for event in self.ordered:
            key = named_segment(event)
            if key is None:
                continue
            begin = event.started_at or event.ordered_at
            self.begins[key] = min(begin, self.begins.get(key, begin))
            if event.started_at:
                self.result.starts[key] = min(event.started_at, self.result.starts.get(key, event.started_at))
            if event.agent_id:
                self.result.agents.setdefault(key, event.agent_id)

    def _place(self, event: ParsedEvent) -> None:
        if event.type in LINK_TYPES and _linked_segment_id(event):
            self.named_links.append(event)
            return
        key = named_segment(event) or self._find_segment(event)
        if key is None:
            self.early.append(event)
            return
        self.result.events[key].append((event, False))
        if _closes(event):
            self.closed.add(key)

    def _find_segment(self, event: ParsedEvent) -> SegmentKey | None:
        if event.type in LINK_TYPES:
            return self._latest_of_agent(event) or self._segment_of_contact(event)
        if event.channel == VOICE:
            found = None if event.agent_id else self._segment_of_contact(event)
            if found:
                self.result.aliases.setdefault((VOICE, ""), found)  # its name as long as the source's own is not known
            return found or self._open((VOICE, ""), event)
        if event.agent_id:
            return self._segment_of_agent(event)
        found = self._segment_of_contact(event)
        if event.type in OPENING_TYPES:
            found = found or self._open(_opened_key(event), event)
            self.result.aliases[_opened_key(event)] = found  # what it opens as long as no earlier event is known
        return found

    def _segment_of_agent(self, event: ParsedEvent) -> SegmentKey:
        """That agent's latest segment of the case, else a new one; a start after a closing is a new one too."""
        latest = self._latest_of_agent(event)
        if latest is None or (event.type is EventType.STARTED and latest in self.closed):
            latest = self._open(_opened_key(event), event)
        self.result.aliases[_opened_key(event)] = latest
        return latest

    def _latest_of_agent(self, event: ParsedEvent) -> SegmentKey | None:
        if not event.agent_id:
            return None
        own = [key for key in self._begun(event) if self.result.agents.get(key) == event.agent_id]
        return max(own, key=lambda key: (self.begins[key], key), default=None)

    def _segment_of_contact(self, event: ParsedEvent) -> SegmentKey | None:
        """The segment open at the event's time, else the latest."""
        begun = self._begun(event)
        still_open = [key for key in begun if key not in self.closed]
        return max(still_open or begun, key=lambda key: (self.begins[key], key), default=None)

    def _begun(self, event: ParsedEvent) -> list[SegmentKey]:
        return [
            key for key, begin in self.begins.items() if begin <= event.ordered_at and event.channel in {"", key[0]}
        ]

    def _open(self, key: SegmentKey, event: ParsedEvent) -> SegmentKey:
        if key not in self.begins:
            self.begins[key] = event.ordered_at
            self.openers[key] = event
            self.result.aliases[_opened_key(event)] = key
        if event.agent_id:
            self.result.agents.setdefault(key, event.agent_id)
        return key

    def _place_early_events(self) -> None:
        """What came before the first segment is its data; a contact who left before an unknown start left first."""
        for event in self.early:
            keys = [key for key in self.begins if event.channel in {"", key[0]}]
            first = min(keys, key=lambda key: (self.begins[key], key), default=None)
            if first is not None:
                self.result.events[first].append((event, not self._has_unknown_start(first)))

    def _has_unknown_start(self, key: SegmentKey) -> bool:
        opener = self.openers.get(key)
        return opener is not None and opener.started_at is None and opener.type is not EventType.STARTED

    def _place_named_links(self) -> None:
        for event in self.named_links:
            for channel in (event.channel,) if event.channel else (VOICE, DIGITAL):
                key = (channel, _linked_segment_id(event))
                key = key if key in self.begins else self.result.aliases.get(key, key)
                if key in self.begins:
                    self.result.events[key].append((event, False))


def _linked_segment_id(event: ParsedEvent) -> str:
    """The segment that a link names; empty when it names none."""
    if event.segment_id or not (event.agent_id and event.started_at):
        return event.segment_id or ""
    return f"{event.agent_id}@{format_utc(event.started_at)}"


def _opened_key(event: ParsedEvent) -> SegmentKey:
    return event.channel, f"{event.agent_id}@{format_utc(event.started_at or event.ordered_at)}"


def _closes(event: ParsedEvent) -> bool:
    if event.channel == VOICE:
        return event.type is EventType.ENDED
    return event.type in CLOSING_TYPES or (event.type is EventType.ENDED and event.ended_by is EndedBy.CONTACT)
