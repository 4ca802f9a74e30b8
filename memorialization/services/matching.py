"""Looks for the records of interactions that the pure rules could not answer; part of an account's turn.

No transaction is open while the CRM is asked. What was found is stored and planned under the contact's lock; a crash
anywhere before that leaves the interaction to whoever comes when its lease is over, and repeats nothing but questions.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError

from crm_integrations.models import Configuration
from crm_integrations.providers.errors import CRMError, CRMUnavailable, GrantEnded, Reauthenticate
from crm_integrations.services.call_budgets import BudgetSpent
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.models import Interaction
from memorialization.services.account_turn import Turn
from memorialization.services.frozen_mappings import FrozenMappings
from memorialization.services.heartbeats import MATCH, note_heartbeat
from memorialization.services.match_errors import gave_up, read_fault, read_wait
from memorialization.services.match_holds import (
    MatchHold,
    MatchLost,
    MatchWait,
    claim_match,
    look_for_matches,
    postpone_match,
    renew_match,
    store_match,
)
from memorialization.services.match_reworks import give_up_reworks, rework_deliveries
from memorialization.services.record_matching import RecordMatcher
from memorialization.services.wake_ups import wake_at
from memorialization.services.working_configurations import get_working_configuration
from memorialization.targeting import Target
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

WORK_NOTED_EVERY_S = 10.0  # by each process
STOPPING = (BudgetSpent, CRMUnavailable, GrantEnded, Reauthenticate)  # it would be the same for the next interaction

_noted_at: list[float] = []  # the monotonic time when this process last noted its work


@dataclass(slots=True)
class MatchReport:
    """What a share of a turn came to. `may_go_on`: nothing but the time it was given stopped it."""

    matched: int = 0
    looked: int = 0
    may_go_on: bool = True


@dataclass
class _Match:
    """One interaction on its way: what was found of it so far, and what it waits for, if anything."""

    hold: MatchHold
    interaction: Interaction
    found: dict[str, Target] = field(default_factory=dict)
    wait: MatchWait | None = None
    is_stopping: bool = False


def match_interactions(*, turn: Turn, most_s: float, most: int | None = None) -> MatchReport:
    """Look for records of the account's interactions, the longest due first, for about `most_s` seconds.

    The one look that finds nothing due costs one query; the moment of what is due later is noted for the timers.
    """
    report, ends_at = MatchReport(), time.monotonic() + most_s
    while True:
        look = look_for_matches(account_id=turn.account.pk, now=turn.clock())
        if not look.due:
            wake_at(account_id=turn.account.pk, moment=look.next_at)
            return report
        for row in look.due:
            if time.monotonic() >= ends_at or report.looked == most:
                turn.has_more = True
                return report
            hold = claim_match(row=row, now=turn.clock())
            interaction = None if hold is None else _read(hold)
            if hold is None or interaction is None:
                continue
            report.looked += 1
            _note_work(turn)
            match = _match_one(turn, hold, interaction)
            report.matched += match.wait is None
            if match.is_stopping:
                report.may_go_on = False
                _note_next(turn, match)
                return report


def _note_work(turn: Turn) -> None:
    """Leave a sign that interactions are looked after, for readiness; seldom, since a write for each would be waste."""
    if not _noted_at or time.monotonic() - _noted_at[0] >= WORK_NOTED_EVERY_S:
        note_heartbeat(name=MATCH, now=turn.clock())
        _noted_at[:] = [time.monotonic()]


def _note_next(turn: Turn, match: _Match) -> None:
    """Everything else that is due waits for the same: have the account looked at then."""
    if match.wait is not None and match.wait.due_at > turn.clock():
        wake_at(account_id=turn.account.pk, moment=match.wait.due_at)


def _read(hold: MatchHold) -> Interaction | None:
    """The interaction; None when a late start time has put it together with another one meanwhile."""
    return Interaction.objects.select_related("contact").filter(pk=hold.interaction_id).first()


def _match_one(turn: Turn, hold: MatchHold, interaction: Interaction) -> _Match:
    """Look for the records of one interaction and store what came of it, also when it was cut short."""
    match = _Match(hold, interaction)
    try:
        _guard(turn, match, lambda: _find(turn, match))
        visit_failpoint("after_match")
        _conclude(turn, match)
    except (OperationalError, InterfaceError):
        raise
    except MatchLost:
        logger.info("Interaction %s was taken by another worker meanwhile.", hold.interaction_id)
    except Exception as error:  # noqa: BLE001 - one interaction's surprise must not stop the others
        logger.error("Storing the match of interaction %s raised %s.", hold.interaction_id, describe_error(error))
        match.wait = read_fault(now=turn.clock())
        postpone_match(hold=hold, wait=match.wait)
    return match


def _guard(turn: Turn, match: _Match, act: Callable[[], None]) -> None:
    """Do it; what the CRM does not answer now is looked for later, and so is what meets a fault of ours."""
    try:
        act()
    except (OperationalError, InterfaceError, MatchLost):
        raise
    except CRMError as error:
        if isinstance(error, BudgetSpent):
            turn.rest(error)
        match.is_stopping = isinstance(error, STOPPING)
        match.wait = read_wait(error, interaction=match.interaction, now=turn.clock())
    except Exception as error:  # noqa: BLE001 - what was found before counts, and in three days it is given up
        logger.error("Matching interaction %s raised %s.", match.hold.interaction_id, describe_error(error))
        match.wait = read_fault(now=turn.clock())


def _find(turn: Turn, match: _Match) -> None:
    """Ask type by type; each that is answered counts, whatever becomes of the next. Nothing for an erased contact."""
    if match.interaction.contact.erased_at is not None:
        return
    configuration = get_working_configuration(match.hold.configuration_id)
    rows = FrozenMappings(configuration).rows(match.interaction.planned_versions, channel=match.interaction.channel)
    connection = turn.connection_of(match.hold.authentication_id)
    matcher = RecordMatcher(connection, configuration, match.interaction, rows, turn.clock())
    for position, entity_type in enumerate(matcher.missing):
        if position:
            renew_match(hold=match.hold, now=turn.clock())
        match.found[entity_type] = matcher.match(entity_type)
    if match.found:
        renew_match(hold=match.hold, now=turn.clock())
    rework_deliveries(matcher=matcher, connection=connection, clock=turn.clock)


def _conclude(turn: Turn, match: _Match) -> None:
    """Store and plan; what could not be looked for in three days of failures is given up."""
    if match.wait is not None:
        given_up = gave_up(match.interaction, match.wait)
        if given_up is not None:
            match.found = dict.fromkeys(_open_types(match), given_up) | match.found
            match.wait = None
            give_up_reworks(interaction_id=match.hold.interaction_id, now=turn.clock())
        elif not match.found:
            postpone_match(hold=match.hold, wait=match.wait)
            return
    store_match(hold=match.hold, found=match.found, now=turn.clock(), wait=match.wait)


def _open_types(match: _Match) -> list[str]:
    """The mapped types that are not settled."""
    configuration = Configuration.objects.get(pk=match.hold.configuration_id)
    rows = FrozenMappings(configuration).rows(match.interaction.planned_versions, channel=match.interaction.channel)
    return [entity_type for entity_type in rows if entity_type not in match.interaction.targets]
