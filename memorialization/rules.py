"""When a segment is memorialized, and what is never written: product page §5, exact in semantics §3. Pure.

`RULES` gives each verdict in words; the pages show them and the API answers them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from memorialization.events.fold import SegmentState
from memorialization.events.schema import EndedBy, EventType
from memorialization.source_fields import VOICE, WITHHELD_WHEN_CONTACT_ENDS_FIRST


class VerdictState(StrEnum):
    """Where a segment stands before it is planned; the words of `Interaction.State`."""

    OPEN = "open"
    WAITING = "waiting"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What a configuration decides: the limit for after-call work, and two switches."""

    limit: timedelta
    is_contact_first_for_voice: bool = False
    is_due_when_closed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is a key of RULES; `due_at` when a limit makes it due by itself; `withheld` source keys never written."""

    state: VerdictState
    rule: str
    due_at: datetime | None = None
    withheld: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


RULES: Mapping[str, str | Promise] = {
    "voice_in_progress": _("The call has not ended yet."),
    "voice_ended": _("The call has ended, and no after-call work is configured."),
    "voice_acw_completed": _("The call has ended and the agent has finished after-call work."),
    "voice_waits_for_acw": _("The call has ended; the agent has not finished after-call work yet."),
    "voice_acw_limit": _(
        "The call has ended. After-call work was not reported as finished within the limit and counts as finished."
    ),
    "voice_waits_for_end": _("The agent has finished after-call work; the end of the call was not reported yet."),
    "voice_end_limit": _(
        "The agent has finished after-call work. The end of the call was not reported within the limit and counts as "
        "reached."
    ),
    "digital_in_progress": _("The agent still has the interaction."),
    "digital_transferred": _("The agent transferred the interaction."),
    "digital_unassigned": _("The agent unassigned the interaction and dismissed it from themselves."),
    "digital_contact_ended": _(
        "The contact ended the interaction first: Status, Disposition Name, Disposition Notes and Tags are left out."
    ),
    "digital_closed": _("The interaction was closed, and this configuration memorializes closed interactions."),
    "digital_waits_for_agent": _("The interaction has ended; the agent has not let go of it yet."),
    "digital_limit": _(
        "The interaction has ended. The agent was not reported to have let go of it within the limit and counts as "
        "having done so."
    ),
}
CLOSING_RULES = {EventType.TRANSFERRED: "digital_transferred", EventType.UNASSIGNED: "digital_unassigned"}


def judge(segment: SegmentState, settings: RuleSettings, now: datetime) -> Verdict:
    """Whether the segment is due, until when it waits, and which source fields are withheld."""
    return _judge_voice(segment, settings, now) if segment.channel == VOICE else _judge_digital(segment, settings, now)


def _judge_voice(segment: SegmentState, settings: RuleSettings, now: datetime) -> Verdict:
    withheld = _withheld_from_voice(segment, settings)
    if segment.ended_at is None:
        if segment.acw_completed_at is None:
            return Verdict(VerdictState.OPEN, "voice_in_progress")
        due_at = segment.acw_completed_at + settings.limit
        return _judge_limit(now, due_at, ("voice_waits_for_end", "voice_end_limit"), "end_not_reported", withheld)
    if not segment.is_acw_configured:
        return Verdict(VerdictState.DUE, "voice_ended", withheld=withheld)
    due_at = segment.ended_at + settings.limit
    if segment.acw_completed_at is not None and segment.acw_completed_at <= due_at:
        return Verdict(VerdictState.DUE, "voice_acw_completed", withheld=withheld)
    # After-call work that was completed after the limit is late data.
    return _judge_limit(now, due_at, ("voice_waits_for_acw", "voice_acw_limit"), "acw_limit_reached", withheld)


def _withheld_from_voice(segment: SegmentState, settings: RuleSettings) -> tuple[str, ...]:
    """Callers who hang up are the normal end of a call, so only a switch makes them “the contact ends first”."""
    is_first = settings.is_contact_first_for_voice and segment.ended_by == EndedBy.CONTACT
    return WITHHELD_WHEN_CONTACT_ENDS_FIRST if is_first else ()


def _judge_digital(segment: SegmentState, settings: RuleSettings, now: datetime) -> Verdict:
    if segment.has_contact_ended_first:
        return Verdict(VerdictState.DUE, "digital_contact_ended", withheld=WITHHELD_WHEN_CONTACT_ENDS_FIRST)
    if segment.closing is not None:
        return Verdict(VerdictState.DUE, CLOSING_RULES[segment.closing])
    if settings.is_due_when_closed and (segment.ended_at or segment.status_closed_at):
        return Verdict(VerdictState.DUE, "digital_closed")
    if segment.ended_at is None:
        return Verdict(VerdictState.OPEN, "digital_in_progress")
    due_at = segment.ended_at + settings.limit
    return _judge_limit(now, due_at, ("digital_waits_for_agent", "digital_limit"), "agent_end_not_reported", ())


def _judge_limit(
    now: datetime, due_at: datetime, rules: tuple[str, str], flag: str, withheld: tuple[str, ...]
) -> Verdict:
    """Waiting until the limit, then due and flagged."""
    if now < due_at:
        return Verdict(VerdictState.WAITING, rules[0], due_at, withheld)
    return Verdict(VerdictState.DUE, rules[1], due_at, withheld, (flag,))
