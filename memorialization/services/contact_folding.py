"""Brings a contact's interactions up to date with its events: fold, judge, plan. The core of intake and of the sweep.

Runs in the caller's transaction, with the contacts locked; whatever it finds stored is recomputed from the events, so
it may run again at any time and changes nothing then.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from crm_integrations.models import Configuration
from memorialization.events.fold import ContactState, SegmentState, TimedValue, fold_events
from memorialization.events.parsing import parse_event
from memorialization.events.schema import EventInvalid, ParsedEvent, RecordLink
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.rules import RuleSettings, Verdict, VerdictState, judge
from memorialization.services.interaction_plans import PLAN_COLUMNS, plan_interactions
from memorialization.source_fields import WITHHELD_WHEN_CONTACT_ENDS_FIRST

logger = logging.getLogger(__name__)

State = Interaction.State
STATES = {VerdictState.OPEN: State.OPEN, VerdictState.WAITING: State.WAITING, VerdictState.DUE: State.DUE}
FOLDED_COLUMNS = (
    *("segment_id", "agent_id", "started_at", "ended_at", "ended_by", "state", "verdict_rule", "due_at", "values"),
    *("script_variables", "links", "unlinks", "withheld", "flags", "search_text"),
)
SAVED_COLUMNS = (*dict.fromkeys((*FOLDED_COLUMNS, *PLAN_COLUMNS)), "updated_at")
SEARCHED_KEYS = ("masterContactId", "interactionId", "agentId", "agentName", "ani")  # in the ledger's text filter
SEARCH_TEXT_LIMIT = 2000  # characters


@dataclass(frozen=True, slots=True)
class FoldOutcome:
    """`event_ids` are all events the contacts have; `planned` counts interactions planned for the first time."""

    event_ids: frozenset[str]
    planned: int


def fold_contacts(*, configuration: Configuration, contacts: Sequence[Contact], now: datetime) -> FoldOutcome:
    """Bring the interactions of these locked contacts up to date, and plan what fell due."""
    events = _read_events(contacts)
    rows = _read_rows(contacts)
    before = {row.pk: _snapshot(row) for row in rows}
    fell_due_at = {row.pk: due_at for row in rows if (due_at := _reached_limit(row, now))}
    settings = rule_settings(configuration)
    current: list[Interaction] = []
    for contact in contacts:
        state = fold_events(events[contact.pk])
        own = [row for row in rows if row.contact_id == contact.pk]
        current += _apply_state(contact, state, own, settings, now)
    Interaction.objects.bulk_create([row for row in current if row.pk is None])
    unplanned = {row.pk for row in current if row.planned_at is None}
    plan_interactions(configuration=configuration, interactions=current, now=now, fell_due_at=fell_due_at)
    _save_changed(current, before, now)
    planned = sum(1 for row in current if row.pk in unplanned and row.planned_at is not None)
    return FoldOutcome(frozenset(event.event_id for found in events.values() for event in found), planned)


def rule_settings(configuration: Configuration) -> RuleSettings:
    """What the configuration decides about falling due."""
    return RuleSettings(
        limit=timedelta(minutes=configuration.acw_limit_minutes),
        is_contact_first_for_voice=configuration.contact_ends_first_voice,
        is_due_when_closed=configuration.memorialize_on_closed,
    )


def _read_events(contacts: Sequence[Contact]) -> Mapping[int, list[ParsedEvent]]:
    stored = InteractionEvent.objects.filter(contact__in=contacts)
    found: dict[int, list[ParsedEvent]] = defaultdict(list)
    columns = ("contact_id", "event_id", "body", "ordered_at", "flags")
    for contact_id, event_id, body, ordered_at, flags in stored.values_list(*columns):
        event = _parse_stored(event_id, body)
        if event is not None:
            found[contact_id].append(replace(event, ordered_at=ordered_at, flags=tuple(flags)))
    return found


def _parse_stored(event_id: str, body: Any) -> ParsedEvent | None:
    """An event as its body says; its order and flags are stored beside, as the body does not say all of them."""
    try:
        return parse_event(body)
    except EventInvalid:  # accepted by an earlier version that knew other rules: never stop a contact for it
        logger.warning("The stored event %s can no longer be read and is left out.", event_id)
        return None


def _read_rows(contacts: Sequence[Contact]) -> list[Interaction]:
    rows = list(Interaction.objects.filter(contact__in=contacts).order_by("pk"))
    by_pk = {contact.pk: contact for contact in contacts}
    for row in rows:
        row.contact = by_pk[row.contact_id]
    return rows


def _reached_limit(row: Interaction, now: datetime) -> datetime | None:
    """When a limit made it due, if one has."""
    return row.due_at if row.state == State.WAITING and row.due_at is not None and row.due_at <= now else None


def _apply_state(
    contact: Contact, state: ContactState, rows: Sequence[Interaction], settings: RuleSettings, now: datetime
) -> list[Interaction]:
    """The rows of the contact's segments, each as the fold leaves it."""
    by_key = _match_rows(state, rows)
    found = []
    for segment in state.segments:
        row = by_key.get((segment.channel, segment.segment_id)) or Interaction(
            configuration_id=contact.configuration_id, contact=contact, channel=segment.channel
        )
        _write_segment(row, segment)
        _write_verdict(row, judge(segment, settings, now), segment)
        found.append(row)
    return found


def _match_rows(state: ContactState, rows: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
    """Rows by segment. A segment that a late start time renamed keeps its row, and with it what was planned."""
    present = {(segment.channel, segment.segment_id) for segment in state.segments}
    by_key = {(row.channel, row.segment_id): row for row in rows}
    for key, row in list(by_key.items()):
        if key in present:
            continue
        renamed = state.aliases.get(key)
        other = by_key.get(renamed) if renamed else None
        if renamed is not None and (other is None or (other.planned_at is None and row.planned_at is not None)):
            if other is not None:
                other.delete()
            row.segment_id = renamed[1]
            by_key[renamed] = row
        elif row.planned_at is None:
            row.delete()
    return by_key


def _write_segment(row: Interaction, segment: SegmentState) -> None:
    row.segment_id, row.agent_id = segment.segment_id, segment.agent_id
    row.started_at, row.ended_at, row.ended_by = segment.started_at, segment.ended_at, segment.ended_by
    row.values = _timed_as_json(segment.values)
    row.script_variables = _timed_as_json(segment.script_variables)
    row.links = _links_as_json(segment.linked_records)
    row.unlinks = _links_as_json(segment.unlinked_records)
    words = [segment.values[key].value for key in SEARCHED_KEYS if key in segment.values]
    text = " ".join(dict.fromkeys(str(word).lower() for word in (row.contact.contact_id, *words)))
    row.search_text = text[:SEARCH_TEXT_LIMIT]


def _write_verdict(row: Interaction, verdict: Verdict, segment: SegmentState) -> None:
    """Before the plan the verdict is the rules'; the one that led to the plan stays, and withheld stays withheld."""
    flags = [*segment.flags, *verdict.flags]
    if row.planned_at is None:
        row.state, row.verdict_rule = STATES[verdict.state], verdict.rule
        row.due_at, row.withheld, row.flags = verdict.due_at, list(verdict.withheld), list(dict.fromkeys(flags))
        return
    if set(verdict.withheld) - set(row.withheld):
        flags.append("contact_end_known_late")
    row.withheld = [key for key in WITHHELD_WHEN_CONTACT_ENDS_FIRST if key in row.withheld or key in verdict.withheld]
    row.flags = list(dict.fromkeys([*row.flags, *flags]))


def _timed_as_json(timed: Mapping[str, TimedValue]) -> dict[str, Any]:
    return {key: {"value": found.value, "occurred_at": found.occurred_at.isoformat()} for key, found in timed.items()}


def _links_as_json(links: Sequence[RecordLink]) -> list[dict[str, str]]:
    return [{"entity_type": link.entity_type, "id": link.id} for link in links]


def _snapshot(row: Interaction) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in SAVED_COLUMNS)


def _save_changed(rows: Sequence[Interaction], before: Mapping[int, tuple[Any, ...]], now: datetime) -> None:
    """Write the rows that differ from what is stored; a new row differs when it was planned."""
    changed = [
        row for row in rows if (before[row.pk] != _snapshot(row) if row.pk in before else row.planned_at is not None)
    ]
    for row in changed:
        row.updated_at = now
    Interaction.objects.bulk_update(changed, SAVED_COLUMNS)
