"""The gate of one connection: every call of it is paid from the account's budgets before, and told of after.

To save transactions the answer of a call is noted together with the next call's grant, and while there is plenty of
every limit a few calls are granted at once; `flush` notes what is left and gives back what was not used.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import DatabaseError

from crm_integrations.broken_connections import drop_connection
from crm_integrations.budgets.windows import BLOCK_WITHOUT_A_TIME_S
from crm_integrations.database_clock import Clock
from crm_integrations.providers.limits import CallLimit, LimitReport, LimitScope
from crm_integrations.services.call_budgets import BudgetSpent, CallAnswer, Grant, acquire_several, is_blocked, settle

logger = logging.getLogger(__name__)

AT_ONCE = 8  # calls that are granted together, at most
JUST_NOW = timedelta(seconds=0.5)  # reserved since then: no block is looked for


class AccountCallGate:
    """See CallGate. Not for several threads.

    `limits`: as the provider documents them. `expected`: calls that a person's request will make, as far as is known;
    those of deliveries are granted AT_ONCE.
    """

    def __init__(
        self,
        *,
        account_id: int,
        is_interactive: bool,
        clock: Clock,
        limits: Sequence[CallLimit] = (),
        expected: int = 1,
    ) -> None:
        self._account_id = account_id
        self._is_interactive = is_interactive
        self._at_once = min(expected, AT_ONCE) if is_interactive else AT_ONCE
        self._clock = clock
        self._of_records = {limit.limit_class: limit for limit in limits if limit.scope is LimitScope.RECORD}
        self._answers: list[CallAnswer] = []
        self._reserved: list[Grant] = []
        self._ahead: list[Grant] = []
        self._current: Grant | None = None
        self.calls = 0  # made so far
        self._record_opens_at: datetime | None = None

    def enter(self, limit_classes: Sequence[str]) -> None:
        """Use what was reserved for such a call, or spend now. Raises BudgetSpent."""
        classes, now = tuple(limit_classes), self._clock()
        grant = self._take_reserved(classes, now)
        if grant is None:
            self._give_back(self._reserved)  # what is kept for a later call would look like one under way
            grant = self._acquire(classes, now)
        self._current = grant

    def leave(
        self,
        *,
        reports: Sequence[LimitReport],
        refused: str = "",
        retry_after_s: float | None = None,
        has_failed: bool = False,
        words: str = "",
    ) -> None:
        """Keep what the answer said for the next grant; a refusal is noted at once, for everybody."""
        grant, self._current = self._current, None
        if grant is None:
            return
        self.calls += 1
        now = self._clock()
        self._answers.append(
            CallAnswer(grant, now, tuple(reports), refused, retry_after_s, words=words, has_failed=has_failed)
        )
        self._note_record_rest(grant, reports, refused, retry_after_s, now)
        if refused or has_failed:
            self._give_back(self._ahead)  # the next call is asked for anew, when this one is noted
        if refused:
            self._flush_quietly()

    def reserve(self, limit_classes: Sequence[str]) -> None:
        """Spend one call ahead; the next `enter` with the same limits uses it. Raises BudgetSpent."""
        classes, now = tuple(limit_classes), self._clock()
        grant = self._take(self._reserved, classes, now) or self._acquire(classes, now)
        self._reserved.append(grant)

    def release(self) -> None:
        """Give back what was reserved and not used, with the next grant or `flush`."""
        self._give_back(self._reserved)
        self._give_back(self._ahead)

    def flush(self) -> None:
        """Note every answer, and give back what was reserved."""
        self.release()
        if self._answers:
            settle(account_id=self._account_id, answers=self._answers)
            self._answers = []

    def note_unusable(self) -> None:
        """The last answer turned out to be none: a page of some proxy, or half a body."""
        if self._answers and not self._answers[-1].is_given_back:
            self._answers[-1] = replace(self._answers[-1], has_failed=True)
            self._give_back(self._ahead)

    def begin_record(self) -> None:
        """The calls that follow are about another record, or another time of this one."""
        self._record_opens_at = None

    def record_rest_s(self) -> float | None:
        """How long the record that the calls are about takes no more writes; None = it takes them."""
        if self._record_opens_at is None:
            return None
        rest_s = (self._record_opens_at - self._clock()).total_seconds()
        return rest_s if rest_s > 0 else None

    def _take_reserved(self, classes: tuple[str, ...], now: datetime) -> Grant | None:
        """What was reserved for such a call; one that waited a while does not begin when a block came meanwhile."""
        grant = self._take(self._reserved, classes, now)
        if grant is None or now - grant.granted_at < JUST_NOW or not self._is_void(grant):
            return grant
        self._reserved.append(grant)
        return None

    def _take(self, kept: list[Grant], classes: tuple[str, ...], now: datetime) -> Grant | None:
        """One of these calls, of such limits; one that has grown old is given back, others may reckon without it."""
        for found in [grant for grant in kept if grant.limit_classes == classes]:
            kept.remove(found)
            if found.use_by > now:
                return found
            self._answers.append(CallAnswer(found, now, is_given_back=True))
        return None

    def _give_back(self, kept: list[Grant]) -> None:
        now = self._clock()
        self._answers += [CallAnswer(grant, now, is_given_back=True) for grant in kept]
        kept.clear()

    def _acquire(self, classes: tuple[str, ...], now: datetime) -> Grant:
        """One that was granted ahead, or spend now: with it the answers are noted, also when the budget refuses."""
        ahead = self._take(self._ahead, classes, now)
        if ahead is not None and not self._is_void(ahead):
            return ahead
        self._ahead += [ahead] if ahead is not None else []
        self._give_back(self._ahead)
        answers, self._answers = self._answers, []
        try:
            grant, *self._ahead = acquire_several(
                account_id=self._account_id,
                limit_classes=classes,
                is_interactive=self._is_interactive,
                most=self._at_once,
                now=now,
                answers=answers,
            )
        except BudgetSpent:
            raise
        except BaseException:
            self._answers = answers
            raise
        return grant

    def _is_void(self, grant: Grant) -> bool:
        """Whether the CRM has asked to be left alone since it was granted, be that over or not: it counts anew then."""
        return is_blocked(account_id=self._account_id, limit_classes=grant.limit_classes, now=grant.granted_at)

    def _note_record_rest(
        self, grant: Grant, reports: Sequence[LimitReport], refused: str, retry_after_s: float | None, now: datetime
    ) -> None:
        own = [self._of_records[name] for name in grant.limit_classes if name in self._of_records]
        waits = [limit.pace_s for limit in own if not limit.is_told]
        waits += [
            report.resets_in_s or 0.0
            for report in reports
            if report.scope is LimitScope.RECORD and report.remaining == 0
        ]
        if refused in self._of_records:
            waits.append(retry_after_s or BLOCK_WITHOUT_A_TIME_S)
        if waits:
            self._record_opens_at = now + timedelta(seconds=max(waits))

    def _flush_quietly(self) -> None:
        """A database that is away must not hide what the CRM answered; the answers stay for the next try."""
        try:
            if self._answers:
                settle(account_id=self._account_id, answers=self._answers)
                self._answers = []
        except DatabaseError:
            drop_connection()
            logger.exception("A refusal of account %s could not be noted.", self._account_id)
