"""Pushes one group of deliveries: decide what to send, store the try, look if an earlier outcome is unknown, write,
verify.

No transaction is open around a call. Every call is preceded by a check that the lane is still ours and that its lease
outlives the call; what comes back is stored under the same fence (services.outcomes).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import WriteAnswer
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    Misconfigured,
    ValueRefused,
)
from crm_integrations.services.connections import AuthenticatedConnection
from memorialization.deliveries.coalescing import Group, Member
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.precedence import Mark
from memorialization.models import Attempt, Delivery
from memorialization.services.access_checks import find_cause
from memorialization.services.call_errors import Next, read_error, read_error_after_write
from memorialization.services.claims import LaneHold, Leave
from memorialization.services.outcomes import (
    Conclusion,
    Outcome,
    begin_attempt,
    conclude_attempt,
    conclude_without_call,
    failed_outcome,
    postponed_outcome,
    settled_outcome,
)
from memorialization.services.push_calls import (
    Push,
    Unverified,
    look_first,
    settle_by_siblings,
    write,
)
from memorialization.services.unwanted import has_unlinked


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a try came to: how it ended, each member, and how the worker goes on (None: the rest at once)."""

    outcome: Outcome
    conclusions: Sequence[Conclusion]
    following: Next | None


def push_group(
    *,
    hold: LaneHold,
    group: Group,
    marks: Mapping[str, Mark],
    connection: AuthenticatedConnection,
    write_classes: Sequence[str],
    clock: Clock,
    is_last: bool,
    kept_back: Sequence[Member] = (),
) -> Next:
    """Try deliveries that share a write and store what came of it; the lane goes back with the last outcome.

    `marks`: those of the lane. While others are `kept_back`, the record is only read, and what does not stand there
    waits. Raises LeaseLost when the lane was taken away meanwhile, and BudgetSpent before anything was begun.
    """
    connection.gate.begin_record()
    push = Push(hold, group, connection, write_classes, clock, is_last, kept_back, is_looking=group.must_look_first)
    group.supersede(marks)
    if group.pending_comment is not None:
        settle_by_siblings(push)
    while not group.is_settled:
        following = _try_once(push)
        if following is not None:
            return following
    leave = _find_leave(push, Next.SAME_LANE)
    conclude_without_call(hold=hold, group=group, leave=leave, now=clock())
    return Next.OTHER_LANE if leave else Next.SAME_LANE


def _find_leave(push: Push, following: Next | None) -> Leave | None:
    """How the lane goes back, if it does; a record whose own limit is used up rests meanwhile."""
    if following is None:
        return None
    rest_s = push.connection.gate.record_rest_s()
    if following is Next.SAME_LANE and not push.is_last and rest_s is None:
        return None
    return Leave(None if rest_s is None else push.clock() + timedelta(seconds=rest_s))


def _try_once(push: Push) -> Next | None:
    """One attempt; None when what is left of the group is to be tried at once."""
    if not push.is_looking:  # a look comes before the write, and pays for itself
        push.connection.gate.reserve(push.write_classes)
    push.leased_at = time.monotonic()
    attempt_id = begin_attempt(hold=push.hold, group=push.group, is_looking=push.is_looking, now=push.clock())
    if attempt_id is None:
        return Next.SAME_LANE
    visit_failpoint("before_call")
    verdict = _make_calls(push)
    visit_failpoint("after_call")
    leave = _find_leave(push, verdict.following)
    conclude_attempt(
        hold=push.hold,
        attempt_id=attempt_id,
        outcome=verdict.outcome,
        conclusions=[*verdict.conclusions, *_keep_back(push, verdict.outcome)],
        leave=leave,
        now=push.clock(),
    )
    if verdict.following is None:
        return None
    return Next.OTHER_LANE if leave else Next.SAME_LANE


def _keep_back(push: Push, outcome: Outcome) -> list[Conclusion]:
    """While nobody knows whether the newest stands, those that it keeps back wait as long as it does."""
    due_at, was_looked = outcome.due_at, outcome.attempt == Attempt.Outcome.SUCCEEDED
    if was_looked or outcome.state != Delivery.State.WAITING or due_at is None or due_at <= push.clock():
        return []
    return [
        Conclusion(
            member,
            postponed_outcome(
                reason=DeliveryReason(outcome.reason),
                words=outcome.words,
                due_at=max(due_at, member.delivery.next_attempt_at or due_at),
                must_look_first=True,
            ),
        )
        for member in push.kept_back
    ]


def _make_calls(push: Push) -> Verdict:
    """All calls of one attempt, and what they amount to."""
    try:
        if push.is_looking:
            look_first(push)
            if not push.group.is_settled and (push.kept_back or has_unlinked(deliveries=push.group.deliveries)):
                return _end_after_look(push)
        answer = write(push) if not push.group.is_settled else None
    except ValueRefused as error:
        return _handle_refusal(push, error)
    except Unverified as unverified:
        return _judge_members(push, unverified.cause, is_after_write=True)
    except (AccessDenied, Misconfigured) as error:
        return _handle_denial(push, error)
    except CRMError as error:
        return _judge_members(push, error)
    return _conclude_success(push, answer)


def _end_after_look(push: Push) -> Verdict:
    """What does not stand is known to be unsent, so that what is unlinked is skipped; the others go on at once."""
    looked = Outcome(Attempt.Outcome.SUCCEEDED, Delivery.State.WAITING, due_at=push.clock(), answer={"looked": True})
    return Verdict(looked, _conclude_members(push, looked), Next.SAME_LANE)


def _handle_denial(push: Push, error: CRMError) -> Verdict:
    """Denied or malformed: where that is nobody's but a delivery's fault, the members of a group go on alone."""
    cause = find_cause(push.renewed(), push.hold.entity_type, error)
    if cause is error and len(push.group.members) > 1:
        return _go_apart(push, error)
    return _judge_members(push, cause)


def _judge_members(push: Push, error: CRMError, *, is_after_write: bool = False) -> Verdict:
    """The error's meaning for each member; one of which nothing is to be sent any more is not concerned."""
    read = read_error_after_write if is_after_write else read_error
    now = push.clock()
    verdicts = [read(error, delivery=member.delivery, now=now) for member in push.group.members]
    outcome, following = verdicts[0]
    conclusions = [
        Conclusion(member, verdict if member.sheet.pending else settled_outcome(member, outcome.attempt))
        for member, (verdict, _following) in zip(push.group.members, verdicts, strict=True)
    ]
    return Verdict(outcome, conclusions, following)


def _handle_refusal(push: Push, error: ValueRefused) -> Verdict:
    """Refused as data: the members of a group go on alone; one alone leaves out the fields that the CRM named.

    It ends: every round leaves out at least one field more. A refusal as a whole applied nothing; where an earlier
    write did, what is left is left out.
    """
    if len(push.group.members) > 1:
        return _go_apart(push, error)
    push.is_looking = False
    refused = failed_outcome(reason=DeliveryReason.VALUE_REFUSED, words=error.message, status=error.status)
    sheet = push.group.sheets[0]
    if not sheet.refuse(error.fields, error.message) and not sheet.leave_out_the_rest(error.message):
        return _judge_members(push, error)
    if sheet.pending:
        waiting = refused.as_waiting(due_at=push.clock())
        return Verdict(waiting, _conclude_members(push, waiting), None)
    state, _reason = sheet.conclude()
    ended = refused if state == Delivery.State.FAILED else refused.as_ended(state)
    return Verdict(ended, [Conclusion(push.group.members[0], ended)], Next.SAME_LANE)


def _go_apart(push: Push, error: CRMError) -> Verdict:
    """Have the members of a refused group tried alone; one that may have been applied before is still looked at."""
    refused = failed_outcome(reason=DeliveryReason.GOES_ALONE, words=error.message, status=error.status)
    apart = refused.as_waiting(due_at=push.clock(), goes_alone=True)
    conclusions = [
        _conclude_member(member, replace(apart, must_look_first=member.delivery.must_look_first))
        for member in push.group.members
    ]
    return Verdict(apart, conclusions, Next.SAME_LANE)


def _conclude_members(push: Push, outcome: Outcome) -> list[Conclusion]:
    """The outcome for every member of which something is still to be sent."""
    return [_conclude_member(member, outcome) for member in push.group.members]


def _conclude_member(member: Member, outcome: Outcome) -> Conclusion:
    return Conclusion(member, outcome if member.sheet.pending else settled_outcome(member, outcome.attempt))


def _conclude_success(push: Push, answer: WriteAnswer | None) -> Verdict:
    status = answer.status if answer else None
    words = dict(answer.answer) if answer else {"looked": True}
    succeeded = Attempt.Outcome.SUCCEEDED
    conclusions = [
        Conclusion(member, settled_outcome(member, succeeded, status=status, answer=words))
        for member in push.group.members
    ]
    return Verdict(conclusions[0].outcome, conclusions, Next.SAME_LANE)
