"""Brings a contact's interactions up to date with its events: fold, judge, plan.

Runs in the caller's transaction, with the contacts locked; whatever it finds stored is recomputed from the events, so
it may run again at any time and changes nothing then.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_integrations.models import Configuration
from crm_integrations.new_rows import new_row
from crm_integrations.row_inserts import insert_rows
from crm_integrations.row_sql import places_for, read_rows, read_values, table_of, update_row
from memorialization.events.fold import ContactState, SegmentState, TimedValue, fold_events
from memorialization.events.parsing import parse_event
from memorialization.events.schema import EventInvalid, ParsedEvent, RecordLink
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.rules import RuleSettings, Verdict, VerdictState, judge
from memorialization.services.interaction_plans import PLAN_COLUMNS, PlanSubject, plan_interactions
from memorialization.source_fields import WITHHELD_WHEN_CONTACT_ENDS_FIRST

logger = logging.getLogger(__name__)

State = Interaction.State
STATES = {VerdictState.OPEN: State.OPEN, VerdictState.WAITING: State.WAITING, VerdictState.DUE: State.DUE}
FOLDED_COLUMNS = (
    *("segment_id", "agent_id", "started_at", "ended_at", "ended_by", "state", "verdict_rule", "due_at", "values"),
    *("script_variables", "links", "unlinks", "withheld", "flags", "search_text", "master_contact_id"),
)
SAVED_COLUMNS = tuple(dict.fromkeys((*FOLDED_COLUMNS, *PLAN_COLUMNS)))
SEARCHED_KEYS = ("masterContactId", "interactionId", "agentId", "agentName", "ani")  # in the ledger's text filter
SEARCH_TEXT_LIMIT = 2000  # characters
STORED_EVENTS = (
    f"SELECT contact_id, event_id, body, ordered_at, flags FROM {table_of(InteractionEvent)} WHERE contact_id IN"  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class FreshEvents:
    """Events that the caller has read, by contact, and the contacts that it made: those have nothing else.

    `heard_at`: when the last of a contact's events was received.
    """

    events: Mapping[int, Sequence[ParsedEvent]] = field(default_factory=dict)
    new_contacts: frozenset[int] = frozenset()
    heard_at: Mapping[int, datetime] = field(default_factory=dict)


def fold_contacts(
    *, configuration: Configuration, contacts: Sequence[Contact], now: datetime, fresh: FreshEvents | None = None
) -> int:
    """Bring the interactions of these locked contacts up to date, and plan what fell due; how many were planned anew.

    `fresh` spares reading again what the caller has at hand. Nothing follows from events of erased contacts.
    """
    fresh = fresh or FreshEvents()
    contacts = [contact for contact in contacts if contact.erased_at is None]
    known = [contact for contact in contacts if contact.pk not in fresh.new_contacts]
    events, rows = _read_events(known, fresh), _read_rows(known)
    before = {row.pk: _snapshot(row) for row in rows}
    limits = {row.pk: row.due_at for row in rows if row.state == State.WAITING}
    unlinked = {row.pk: row.unlinks for row in rows if row.unlinks}
    settings = rule_settings(configuration)
    by_contact: dict[int, list[Interaction]] = defaultdict(list)
    for row in rows:
        by_contact[row.contact_id].append(row)
    current: list[Interaction] = []
    for contact in contacts:
        current += _apply_state(contact, fold_events(events[contact.pk]), by_contact[contact.pk], settings, now)
    unplanned = [row for row in current if row.planned_at is None]
    concerned = [
        PlanSubject(
            row,
            fell_due_at=_fell_due_at(row, limits.get(row.pk), fresh.heard_at.get(row.contact.pk), now),
            is_linked_again=any(record not in row.unlinks for record in unlinked.get(row.pk, ())),
        )
        for row in current
    ]
    plan = plan_interactions(configuration=configuration, subjects=concerned, now=now)
    insert_rows([row for row in current if row.pk is None])
    _save_changed(current, before, now)
    plan.store()
    return sum(1 for row in unplanned if row.planned_at is not None)


def _fell_due_at(row: Interaction, limit: datetime | None, heard_at: datetime | None, now: datetime) -> datetime | None:
    """When it fell due: by its limit, or once the event was received that made it due; None = now."""
    if limit is not None and limit <= now:
        return limit
    return max(heard_at, row.due_at or heard_at) if heard_at is not None else None


def rule_settings(configuration: Configuration) -> RuleSettings:
    """What the configuration decides about falling due."""
    return RuleSettings(
        limit=timedelta(minutes=configuration.acw_limit_minutes),
        is_contact_first_for_voice=configuration.contact_ends_first_voice,
        is_due_when_closed=configuration.memorialize_on_closed,
    )


def _read_events(contacts: Sequence[Contact], fresh: FreshEvents) -> Mapping[int, list[ParsedEvent]]:
    """All events of the contacts, and the fresh ones of every contact."""
    found: dict[int, list[ParsedEvent]] = defaultdict(list)
    at_hand: set[str] = set()
    for contact_id, events in fresh.events.items():
        found[contact_id] += events
        at_hand.update(event.event_id for event in events)
    if not contacts:
        return found
    statement = f"{STORED_EVENTS} ({places_for(contacts)})"
    for contact_id, event_id, body, ordered_at, flags in read_values(statement, [each.pk for each in contacts]):
        if event_id in at_hand:
            continue
        moment = ordered_at if ordered_at.tzinfo else ordered_at.replace(tzinfo=UTC)  # SQLite knows no zone
        event = read_stored(event_id, json.loads(body), moment, json.loads(flags))
        found[contact_id] += [event] if event is not None else []
    return found


def read_stored(event_id: str, body: Any, ordered_at: datetime, flags: Iterable[str]) -> ParsedEvent | None:
    """A stored event, if it can be read; order and flags stand beside the body, which does not say all of them."""
    try:
        event = parse_event(body)
    except EventInvalid:  # accepted by an earlier version that knew other rules: never stop a contact for it
        logger.warning("The stored event %s can no longer be read and is left out.", event_id)
        return None
    return replace(event, ordered_at=ordered_at, flags=tuple(flags))


def _read_rows(contacts: Sequence[Contact]) -> list[Interaction]:
    by_pk = {contact.pk: contact for contact in contacts}
    if not by_pk:
        return []
    rows = read_rows(Interaction, f"contact_id IN ({places_for(contacts)}) ORDER BY id", list(by_pk))
    for row in rows:
        row.contact = by_pk[row.contact_id]
    return rows


def _apply_state(
    contact: Contact, state: ContactState, rows: Sequence[Interaction], settings: RuleSettings, now: datetime
) -> list[Interaction]:
    """The rows of the contact's segments, each as the fold leaves it."""
    by_key = _match_rows(state, rows)
    found = []
    for segment in state.segments:
        row = by_key.get((segment.channel, segment.segment_id)) or new_row(
            Interaction, configuration_id=contact.configuration_id, contact=contact, channel=segment.channel
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
    master = segment.values.get("masterContactId")
    row.master_contact_id = str(master.value) if master is not None else None
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
    moments = {found.occurred_at for found in timed.values()}  # few: an event has one for all that it brings
    texts = {moment: moment.isoformat() for moment in moments}
    return {key: {"value": found.value, "occurred_at": texts[found.occurred_at]} for key, found in timed.items()}


def _links_as_json(links: Sequence[RecordLink]) -> list[dict[str, str]]:
    return [{"entity_type": link.entity_type, "id": link.id} for link in links]


def _snapshot(row: Interaction) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in SAVED_COLUMNS)


def _save_changed(rows: Sequence[Interaction], before: Mapping[int, tuple[Any, ...]], now: datetime) -> None:
    """Write what differs from what is stored."""
    for row in rows:
        if row.pk not in before:
            continue
        pairs = zip(SAVED_COLUMNS, before[row.pk], _snapshot(row), strict=True)
        if changed := [name for name, old, new in pairs if old != new]:
            row.updated_at = now
            update_row(row, [*changed, "updated_at"])
