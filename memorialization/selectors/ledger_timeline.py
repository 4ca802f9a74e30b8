"""The timeline of an interaction or a delivery: events, verdict, plans, tries and answers as they happened."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from memorialization.models import Attempt, Delivery, Interaction
from memorialization.reasons import FLAGS, explain_reason
from memorialization.rules import RULES
from memorialization.selectors.ledger_deliveries import DeliveryRow
from memorialization.selectors.ledger_events import ENDED_BY, EVENT_TITLES, ORIGINS, OwnEvent
from memorialization.targeting import describe_rule

ATTEMPTS_SHOWN = 100  # the newest of a page
ATTEMPT_TITLES: Mapping[str, str | Promise] = {
    Attempt.Outcome.STARTED: gettext_lazy("A try is under way on %(record)s"),
    Attempt.Outcome.SUCCEEDED: gettext_lazy("Tried on %(record)s: succeeded"),
    Attempt.Outcome.REFUSED: gettext_lazy("Tried on %(record)s: refused"),
    Attempt.Outcome.RETRY: gettext_lazy("Tried on %(record)s: will be tried again"),
    Attempt.Outcome.UNKNOWN: gettext_lazy("Tried on %(record)s: outcome unknown"),
    Attempt.Outcome.POSTPONED: gettext_lazy("Postponed on %(record)s"),
}
UNANSWERED = {Attempt.Outcome.UNKNOWN, Attempt.Outcome.RETRY}  # when they have no status


@dataclass(frozen=True, slots=True)
class Folded:
    """Raw data that a page folds away."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened, or will (`at` in the future); `is_still` marks what has no moment of its own."""

    state: str
    title: str
    at: datetime | None
    texts: list[str] = field(default_factory=list)
    words: str = ""  # the CRM's own
    code: str = ""
    folded: list[Folded] = field(default_factory=list)


def interaction_timeline(
    interaction: Interaction,
    events: Sequence[OwnEvent],
    rows: Sequence[DeliveryRow],
    *,
    title_of: Callable[[str], str],
    matching: Sequence[TimelineEntry] = (),
) -> list[TimelineEntry]:
    """Everything that led from the first event to the present state of each record; `title_of` names entity types."""
    entries = [_event_entry(event, title_of) for event in events]
    entries += [_verdict_entry(interaction)] if interaction.verdict_rule else []
    entries += matching
    entries += [_plan_entry(row) for row in rows]
    return _in_order([*entries, *_attempt_entries(rows)])


def delivery_timeline(row: DeliveryRow) -> list[TimelineEntry]:
    """The plan of one delivery and every try at it."""
    return _in_order([_plan_entry(row), *_attempt_entries([row]), *_ending_entries(row)])


def _in_order(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """By time, what has none last; of equal times the first stays first."""
    entries = list(entries)
    timed = [entry for entry in entries if entry.at]
    return sorted(timed, key=lambda entry: entry.at.timestamp() if entry.at else 0) + [e for e in entries if not e.at]


def _event_entry(event: OwnEvent, title_of: Callable[[str], str]) -> TimelineEntry:
    stored, parsed = event.stored, event.parsed
    texts = [str(ORIGINS.get(stored.origin, stored.origin))]
    if parsed and stored.type == "interaction.ended":
        texts.insert(0, str(ENDED_BY[parsed.ended_by.value]))
    if parsed and parsed.records:
        texts.insert(0, ", ".join(f"{title_of(record.entity_type)} {record.id}" for record in parsed.records))
    texts += flag_sentences(stored.flags)
    if stored.ignored_keys:
        texts.append(_("Ignored, because no such field is known: %(keys)s") % {"keys": ", ".join(stored.ignored_keys)})
    return TimelineEntry(
        state="info",
        title=str(EVENT_TITLES.get(stored.type, stored.type)),
        at=stored.ordered_at,
        texts=texts,
        code=stored.event_id,
        folded=[Folded(_("Event as received"), pretty_json(stored.body))],
    )


def _verdict_entry(interaction: Interaction) -> TimelineEntry:
    """What the rules say; before the plan it has no moment, or the one when a limit makes it due."""
    texts = [str(RULES.get(interaction.verdict_rule, interaction.verdict_rule)), *flag_sentences(interaction.flags)]
    if interaction.planned_at:
        return TimelineEntry("planned", _("Verdict: due"), interaction.planned_at, texts)
    if interaction.state == Interaction.State.WAITING:
        return TimelineEntry("waiting", _("Verdict: waiting; falls due by itself"), interaction.due_at, texts)
    title = _("Verdict: due") if interaction.state == Interaction.State.DUE else _("Verdict: not due yet")
    return TimelineEntry(interaction.state, title, None, texts)


def _plan_entry(row: DeliveryRow) -> TimelineEntry:
    delivery = row.delivery
    record = {"record": str(row.record), "revision": delivery.revision}
    texts = [str(describe_rule(delivery.target_rule))] if delivery.record_id else []
    texts += row.mappings
    if delivery.state == Delivery.State.SKIPPED:
        texts += [text for text in (row.reason.what, row.reason.do) if text]
        return TimelineEntry("skipped", _("Skipped: %(record)s") % record, delivery.created_at, texts)
    if delivery.replay_of_id:
        title = _("Replayed to %(record)s as revision %(revision)s")
    elif delivery.revision > 1:
        title = _("Planned again for %(record)s, revision %(revision)s")
    else:
        title = _("Planned for %(record)s")
    return TimelineEntry("planned", title % record, delivery.created_at, texts)


def _attempt_entries(rows: Sequence[DeliveryRow]) -> list[TimelineEntry]:
    """The newest tries at these deliveries; a try that several share shows once."""
    by_id = {row.delivery.pk: row for row in rows}
    tries = Delivery.attempts.through.objects.filter(delivery__in=by_id).select_related("attempt")
    found = {each.attempt_id: each for each in tries.order_by("-attempt_id")[:ATTEMPTS_SHOWN]}
    return [_attempt_entry(each.attempt, by_id[each.delivery_id]) for each in reversed(found.values())]


def _attempt_entry(attempt: Attempt, row: DeliveryRow) -> TimelineEntry:
    title = str(ATTEMPT_TITLES[attempt.outcome]) % {"record": str(row.record)}
    raw = ((_("Request, redacted"), attempt.request), (_("Answer, redacted"), attempt.answer))
    return TimelineEntry(
        state=attempt.outcome,
        title=title,
        at=attempt.started_at,
        texts=_attempt_texts(attempt),
        words=attempt.message,
        folded=[Folded(name, pretty_json(content)) for name, content in raw if content],
    )


def _attempt_texts(attempt: Attempt) -> list[str]:
    texts = []
    if attempt.request.get("looks_first"):
        texts.append(_("The record was read first, because an earlier outcome was unknown."))
    if attempt.finished_at and (attempt.status or attempt.outcome != Attempt.Outcome.POSTPONED):
        texts.append(_describe_answer(attempt, attempt.finished_at - attempt.started_at))
    return texts


def _describe_answer(attempt: Attempt, took: timedelta) -> str:
    """When an answer came; or that none did, be it that the CRM said nothing or that the worker was gone."""
    count = {"count": round(took.total_seconds() * 1000)}
    if attempt.status is None and attempt.outcome in UNANSWERED:
        return ngettext("No answer in %(count)d ms", "No answer in %(count)d ms", count["count"]) % count
    words = ngettext("Answered after %(count)d ms", "Answered after %(count)d ms", count["count"]) % count
    if attempt.status is None:
        return words
    return _("%(answered)s, status %(status)s") % {"answered": words, "status": attempt.status}


def _ending_entries(row: DeliveryRow) -> list[TimelineEntry]:
    """The delivery's end, or when it goes on."""
    delivery = row.delivery
    if delivery.state == Delivery.State.SKIPPED:
        return []
    texts = [text for text in (row.reason.what, row.reason.do) if text]
    at = delivery.finished_at or delivery.next_attempt_at
    return [TimelineEntry(row.state, str(row.state_label), at, texts)]


def flag_sentences(flags: Iterable[str]) -> list[str]:
    """Flags in words; what is to be done follows what happened."""
    explained = [explain_reason(flag) for flag in flags if flag in FLAGS]
    return [f"{text.what} {text.do}".strip() for text in explained]


def pretty_json(content: Any) -> str:
    """JSON to look at."""
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
