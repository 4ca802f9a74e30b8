"""The events of an interaction as they came: which of its contact's events are its own, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from memorialization.events.parsing import parse_event
from memorialization.events.schema import EventInvalid, EventType, ParsedEvent
from memorialization.events.segments import assign_events
from memorialization.models import Interaction, InteractionEvent

EVENTS_LIMIT = 500  # of one contact that a page reads; the newest ones

EVENT_TITLES: Mapping[str, str | Promise] = {
    EventType.STARTED.value: _("Interaction started"),
    EventType.ENDED.value: _("Interaction ended"),
    EventType.ACW_COMPLETED.value: _("After-call work completed"),
    EventType.TRANSFERRED.value: _("Interaction transferred"),
    EventType.UNASSIGNED.value: _("Interaction unassigned and dismissed"),
    EventType.UPDATED.value: _("Data added or changed"),
    EventType.LINKED.value: _("Record linked"),
    EventType.UNLINKED.value: _("Record unlinked"),
}
ENDED_BY: Mapping[str, str | Promise] = {
    "agent": _("By the agent"),
    "contact": _("By the contact"),
    "system": _("By the system"),
    "unknown": _("Nobody said by whom"),
}
ORIGINS: Mapping[str, str | Promise] = {
    "api": _("Received through the API"),
    "command": _("Read from a file"),
    "person": _("Done by a person in Agent Integrations"),
    "workflow": _("Done by a workflow"),
    "customer_card": _("Done by an agent on the customer card"),
    "rule": _("Done by the rules of record matching"),
}


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """A stored event with what could be read of it; `parsed` is None for one that today's rules cannot read."""

    stored: InteractionEvent
    parsed: ParsedEvent | None


def events_of(interaction: Interaction) -> list[OwnEvent]:
    """The events that made the interaction what it is, oldest first."""
    newest = InteractionEvent.objects.filter(contact=interaction.contact_id).order_by("-ordered_at", "-event_id")
    events = [OwnEvent(stored, _parse(stored)) for stored in reversed(list(newest[:EVENTS_LIMIT]))]
    own = _own_ids(interaction, events)
    return [event for event in events if event.parsed is None or event.stored.event_id in own]


def _own_ids(interaction: Interaction, events: Sequence[OwnEvent]) -> set[str]:
    """Ids of the events that belong to this segment of the contact."""
    assignment = assign_events([event.parsed for event in events if event.parsed])
    key = interaction.channel, interaction.segment_id
    return {parsed.event_id for parsed, _is_data_only in assignment.events.get(key, [])}


def _parse(stored: InteractionEvent) -> ParsedEvent | None:
    try:
        return replace(parse_event(stored.body), ordered_at=stored.ordered_at)
    except EventInvalid:
        return None
