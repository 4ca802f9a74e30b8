"""How records were looked for, on an interaction's page: the rules with their outcomes, and records to choose from."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from memorialization.match_steps import STEP_SENTENCES
from memorialization.models import Interaction
from memorialization.reasons import ReasonText, explain_reason
from memorialization.selectors.ledger_records import RecordName, RecordNames, configuration_account
from memorialization.selectors.ledger_timeline import TimelineEntry
from memorialization.targeting import describe_rule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that a person may choose; `event_id` makes choosing it twice one link.

    One of another type than is looked for, such as a person for a case, is shown and cannot be chosen.
    """

    entity_type: str
    name: RecordName
    title: str
    event_id: str
    is_choosable: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The records of one type among which nobody chose, and why."""

    type_title: str
    why: ReasonText
    candidates: list[Candidate]


def record_choices(interaction: Interaction, names: RecordNames) -> list[Choice]:
    """What a person may choose from, for every type that has no record yet."""
    account = configuration_account(interaction.configuration)
    return [
        Choice(
            names.title(account, entity_type),
            explain_reason(target["reason"], target.get("params")),
            [_candidate(interaction, names, each, wanted=entity_type) for each in target["candidates"]],
        )
        for entity_type, target in interaction.targets.items()
        if not target["ids"] and target.get("candidates")
    ]


def _candidate(interaction: Interaction, names: RecordNames, stored: Mapping[str, str], *, wanted: str) -> Candidate:
    account = configuration_account(interaction.configuration)
    name = names.name(interaction.configuration, account, stored["entity_type"], stored["id"])
    is_choosable = stored["entity_type"] == wanted
    return Candidate(stored["entity_type"], name, stored.get("title", ""), str(uuid.uuid4()), is_choosable)


def matching_entries(interaction: Interaction, title_of: Callable[[str], str]) -> list[TimelineEntry]:
    """Which rules were tried for each record type, and what is still looked for; `title_of` names entity types."""
    found = [
        _entry(title_of(entity_type), target["steps"], is_found=bool(target["ids"]))
        for entity_type, target in interaction.targets.items()
        if target.get("steps")
    ]
    return [*found, *([_waiting_entry(interaction)] if interaction.match_due_at else [])]


def _entry(title: str, steps: list[Mapping[str, Any]], *, is_found: bool) -> TimelineEntry:
    moment = steps[-1].get("at")
    texts = [_("%(rule)s: %(outcome)s") % {"rule": describe_rule(step["rule"]), "outcome": _sentence(step)}
             for step in steps]  # fmt: skip
    return TimelineEntry(
        "planned" if is_found else "skipped",
        _("Record looked for: %(type)s") % {"type": title},
        datetime.fromisoformat(moment) if moment else None,
        texts,
    )


def _sentence(step: Mapping[str, Any]) -> str:
    sentence = str(STEP_SENTENCES.get(step["outcome"], step["outcome"]))
    params = step.get("params")
    return sentence % params if params else sentence


def _waiting_entry(interaction: Interaction) -> TimelineEntry:
    """What has still to be asked of the CRM, and what it waits for."""
    reason = explain_reason(interaction.match_reason).what if interaction.match_reason else ""
    return TimelineEntry(
        "waiting", _("Records are being looked for"), interaction.match_due_at, [reason] if reason else []
    )
