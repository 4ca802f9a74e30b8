"""What the rules that ask the CRM came to, step by step, and the choices they make among what was found. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.providers.base import CRMRecord
from memorialization.targeting import Target

CANDIDATES_KEPT = 10
TITLE_LIMIT = 200  # characters of a candidate's title that are kept


class StepOutcome(StrEnum):
    """How one rule ended."""

    FOUND = "found"
    NOTHING = "nothing"
    UNUSABLE = "unusable"  # params: variable
    UNLINKED = "unlinked"  # params: record
    AMBIGUOUS = "ambiguous"
    SEVERAL_PEOPLE = "several_people"  # and no record of theirs to choose from
    NO_CLUE = "no_clue"  # neither number nor address nor id of the person is known
    NO_OPEN_CASE = "no_open_case"  # params: hours
    PASSED_OVER = "passed_over"  # params: words; the CRM refused the question
    CREATED = "created"
    REFUSED = "refused"  # params: words; the CRM refused the new record
    CALLER_UNKNOWN = "caller_unknown"
    CALLER_CONFIRMED = "caller_confirmed"
    NOT_CALLERS = "not_callers"


STEP_SENTENCES: Mapping[str, str | Promise] = {
    StepOutcome.FOUND: _("found"),
    StepOutcome.NOTHING: _("found nothing"),
    StepOutcome.UNUSABLE: _("the script variable %(variable)s does not hold the id of a record"),
    StepOutcome.UNLINKED: _("record %(record)s was unlinked"),
    StepOutcome.AMBIGUOUS: _("found more than one, so none was chosen"),
    StepOutcome.SEVERAL_PEOPLE: _("more than one person fits, so none was chosen"),
    StepOutcome.NO_CLUE: _("nothing is known to look for the person by"),
    StepOutcome.NO_OPEN_CASE: _("the person has no unsolved case that changed within %(hours)s hours"),
    StepOutcome.PASSED_OVER: _("passed over, because the CRM refused the question: %(words)s"),
    StepOutcome.CREATED: _("created"),
    StepOutcome.REFUSED: _("the CRM refused the new record: %(words)s"),
    StepOutcome.CALLER_UNKNOWN: _("who called is not known, so whose case it is was not checked"),
    StepOutcome.CALLER_CONFIRMED: _("the case is the caller's"),
    StepOutcome.NOT_CALLERS: _("the case belongs to somebody else than the caller"),
}


@dataclass
class Trail:
    """The steps that were taken for one record type, at one moment."""

    now: datetime
    steps: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, rule: str, outcome: StepOutcome, **params: Any) -> None:
        """Note how a rule ended."""
        step = {"rule": rule, "outcome": outcome.value, "at": self.now.isoformat()}
        self.steps.append({**step, "params": params} if params else step)


def as_candidate(record: CRMRecord) -> dict[str, str]:
    """A record among which a person is to choose."""
    return {"entity_type": record.entity_type, "id": record.id, "title": record.title[:TITLE_LIMIT]}


def ambiguous(rule: str, records: Sequence[CRMRecord], *, reason: str = "ambiguous") -> Target:
    """Nobody chooses among several; a person may."""
    candidates = tuple(as_candidate(record) for record in records[:CANDIDATES_KEPT])
    return Target(rule, reason=reason, params={"count": len(records)}, candidates=candidates)


def without(records: Iterable[CRMRecord], excluded: Collection[str]) -> list[CRMRecord]:
    """The records that were not unlinked or found to be gone."""
    return [record for record in records if record.id not in excluded]


def newest_case(cases: Iterable[CRMRecord], *, now: datetime, age_hours: int) -> CRMRecord | None:
    """The one that changed last, unless that is too long ago; one that does not tell when it changed is none."""
    since = now - timedelta(hours=age_hours)
    timed = [(changed_at, case) for case in cases if (changed_at := _read_time(case.updated_at)) is not None]
    recent = [(changed_at, case) for changed_at, case in timed if changed_at >= since and not case.is_closed]
    return max(recent, key=lambda pair: pair[0])[1] if recent else None


def belongs_to_caller(owner_id: str, callers: Collection[str]) -> bool | None:
    """Whether a case is one of the caller's; None when its owner or the caller is not known."""
    return owner_id in callers if owner_id and callers else None


def _read_time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
