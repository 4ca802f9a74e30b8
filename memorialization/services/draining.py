"""A worker's turn on an account: fold its events, look at its bulk writes, look for records, push what is due, say when
to look again.

A turn is bounded by time, so that accounts take turns; for a limit it waits only when that opens in a moment. All its
calls to one account run over one connection per authentication.
"""

import random
import time
from collections.abc import Callable, Sequence

from crm_integrations.budgets.circuits import CircuitState
from crm_integrations.database_clock import Clock, SteadyClock
from crm_integrations.services.account_rows import read_account
from crm_integrations.services.circuits import give_probe_back, may_push
from memorialization.services.account_turn import Turn
from memorialization.services.bulk_polling import poll_bulk_writes
from memorialization.services.bulk_pushes import push_in_bulk
from memorialization.services.claims import claim_lanes, claim_suspect_lane
from memorialization.services.due_work import DueWork, Work, WorkFinder
from memorialization.services.event_folding import fold_account_events
from memorialization.services.late_bulk_writes import look_after_given_up
from memorialization.services.match_holds import look_for_matches
from memorialization.services.matching import MatchReport, match_interactions
from memorialization.services.recovery import recover_lost_lanes
from memorialization.services.single_pushes import push_lanes
from memorialization.services.wake_ups import note_wake_up, wake_at

TURN_S = 3.0  # then other accounts have their turn; the rest is claimed again
FOLDING_S = 1.0  # of a turn, at the most: however much comes in, something goes out
MATCHING_S = 1.0  # the same for looking for records


def drain_account(
    *,
    account_id: int,
    clock: Clock | None = None,
    turn_s: float = TURN_S,
    call_others: Callable[[], None] | None = None,
) -> Turn:
    """Fold and push what is due on the account for at most about `turn_s` seconds. Raises CRMAccount.DoesNotExist.

    `call_others` is called at once, and once, when a claim took something and more is due than it takes.
    """
    clock = clock or SteadyClock()
    recover_lost_lanes(now=clock())
    turn = Turn(read_account(account_id=account_id), clock, time.monotonic() + turn_s, call_others=call_others)
    has_more_events = fold_account_events(account_id=account_id, clock=clock, most_s=min(FOLDING_S, turn_s))
    verdict = may_push(account_id=account_id, now=clock())
    if verdict.state is CircuitState.OPEN:
        turn.opens_at = verdict.until
        wake_at(account_id=account_id, moment=verdict.until)
        turn.has_more = has_more_events
        return turn
    turn.is_probe = verdict.state is CircuitState.PROBE
    _work(turn)
    if turn.is_probe and not turn.tally.calls:
        give_probe_back(account_id=account_id, verdict=verdict, now=clock())
    note_wake_up(account_id=account_id, opens_at=turn.opens_at, since=turn.looked_at or clock())
    turn.has_more |= has_more_events
    return turn


def _work(turn: Turn) -> None:
    finder = WorkFinder(turn.account)
    try:
        has_polled = _poll(turn)
        if has_polled:
            finder.note_in_flight(turn.clock())
        if turn.is_probe and (has_polled or (_match(turn).looked and turn.calls)):
            return  # what our own tables answered proves nothing of the CRM
        if turn.is_probe:
            _push_rounds(turn, finder)
        else:
            _match_and_push(turn, finder)
    finally:
        turn.close()
        turn.tally.store(account_id=turn.account.pk, now=turn.clock())


def _match_and_push(turn: Turn, finder: WorkFinder) -> None:
    """Neither is always first, so that neither takes every call that a tight limit lets through."""
    look = look_for_matches(account_id=turn.account.pk, now=turn.clock())
    if not look.due:
        wake_at(account_id=turn.account.pk, moment=look.next_at)
        _push_rounds(turn, finder)
        return
    if random.random() < 1 / 2:  # noqa: S311 - a coin, not a secret
        _match(turn)
        _push_rounds(turn, finder)
        return
    with turn.leaving(MATCHING_S):
        _push_rounds(turn, finder)
    if _match(turn).matched:
        _push_rounds(turn, finder)


def _match(turn: Turn) -> MatchReport:
    """Look for the records of some interactions; one as a probe."""
    return match_interactions(turn=turn, most_s=MATCHING_S, most=1 if turn.is_probe else None)


def _poll(turn: Turn) -> bool:
    """Look at the bulk writes whose time has come; whether there were any."""
    with turn.counting_bulk_calls():
        report = poll_bulk_writes(account_id=turn.account.pk, connect=turn.connection_of, clock=turn.clock)
        if not turn.is_probe:
            look_after_given_up(turn)
    turn.tally.add_concluded(report.concluded)
    return report.looked_at > 0


def _push_rounds(turn: Turn, finder: WorkFinder) -> None:
    """Every record type in its turn, until nothing is due that the limits let through; one push as a probe."""
    while True:
        turn.flush()
        turn.looked_at = turn.clock()
        due = finder.find(turn.looked_at)
        turn.opens_at = due.opens_at
        if not _push_round(turn, finder, due):
            if turn.is_probe or not turn.await_opening():
                return
            continue
        if turn.is_over or turn.is_probe:
            turn.has_more = True
            return


def _push_round(turn: Turn, finder: WorkFinder, due: DueWork) -> bool:
    """Suspect lanes, each alone, then some of each kind; whether there was anything that the limits let through."""
    is_any = _push_suspects(turn, finder, due.suspect_types)
    for work in _in_any_order(due.works):
        if is_any and (turn.is_over or turn.is_probe):
            break
        is_any |= _push_work(turn, finder, work)
    return is_any


def _push_suspects(turn: Turn, finder: WorkFinder, entity_types: Sequence[str]) -> bool:
    """One of each record type; whether there was any."""
    is_any = False
    for entity_type in entity_types:
        if is_any and (turn.is_over or turn.is_probe):
            break
        suspect = claim_suspect_lane(account_id=turn.account.pk, entity_type=entity_type, now=turn.clock())
        is_any |= push_lanes(turn, finder, suspect)
    return is_any


def _in_any_order(works: Sequence[Work]) -> list[Work]:
    """Bulk writes first, which are soon on their way; of the others none is always first, turns being too short."""
    return sorted(random.sample(works, len(works)), key=lambda work: not work.is_bulk)


def _push_work(turn: Turn, finder: WorkFinder, work: Work) -> bool:
    """Claim what one write takes, or a few do, as often as it is worth while; whether there was any.

    A limit that stopped a bulk write would stop the next, too, after all that was claimed had been read in vain.
    """
    is_any = turn.is_bulk_at_limit = False
    for _claim in range(work.claims):
        if turn.is_bulk_at_limit or (is_any and (turn.is_over or turn.is_probe)):
            break
        if not _push_claim(turn, finder, work):
            break
        is_any = True
    return is_any


def _push_claim(turn: Turn, finder: WorkFinder, work: Work) -> bool:
    holds = claim_lanes(
        account_id=turn.account.pk,
        entity_type=work.entity_type,
        goes_alone=work.goes_alone,
        limit=1 if turn.is_probe else work.size,
        now=turn.clock(),
    )
    if holds and work.rest > 0:
        turn.ask_for_help()
    if work.is_bulk and len(holds) >= work.fewest and not turn.is_probe:
        return push_in_bulk(turn, finder, holds, fewest=work.fewest)
    return push_lanes(turn, finder, holds)
