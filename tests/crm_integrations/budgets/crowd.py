"""A crowd of workers against one limit of a CRM, with everything that makes its windows hard to read, and no real time.

Calls take their time both ways, so that answers come out of order; workers' clocks differ; another integration takes
its share; the CRM reports whole seconds, or no time at all, and begins its windows with a call or with the minute.
"""

import heapq
import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crm_integrations.budgets.windows import BudgetWindow, WindowReport, block, grant, head_room, opens_at, settle

START = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
WINDOW_S = 60.0
LOOK_S = 0.5  # who found a limit used up looks this much after its moment at the latest
WORK_S = 0.02  # what a worker does between two calls, at least


@dataclass(frozen=True)
class Setting:
    """One situation. `round_resets`: seconds left → what is told, None = no time; `pause_s`: between calls."""

    seed: int = 1
    workers: int = 24
    limit: int = 100
    head: int = 30
    others: int = 30  # calls a window, at an even pace
    skew_s: float = 0.0  # clocks are off by up to so much
    latency_s: tuple[float, float] = (0.05, 0.4)  # each way
    pause_s: float = WORK_S
    starts_at_s: float = 7.0  # into a minute
    begins_by_the_minute: bool = False
    round_resets: Callable[[float], float | None] = math.ceil


@dataclass
class Limit:
    """The CRM's side: windows that last their length whatever happens, and what was taken of each."""

    setting: Setting
    begins_at: float = -math.inf
    used: int = 0
    ours: Counter[float] = field(default_factory=Counter)
    others: Counter[float] = field(default_factory=Counter)
    refused: int = 0

    def take(self, at: float, taken: Counter[float]) -> tuple[bool, WindowReport]:
        """One call, and what its answer says."""
        if at >= self.begins_at + WINDOW_S:
            self.begins_at = at // WINDOW_S * WINDOW_S if self.setting.begins_by_the_minute else at
            self.used = 0
        is_taken = self.used < self.setting.limit
        self.used += is_taken
        taken[self.begins_at] += is_taken
        resets_in_s = self.setting.round_resets(self.begins_at + WINDOW_S - at)
        return is_taken, WindowReport(self.setting.limit, self.setting.limit - self.used, resets_in_s)


@dataclass
class Crowd:
    """Runs a setting; afterwards `share_used` and `refused_share` say how it went."""

    setting: Setting
    window: BudgetWindow = field(init=False)
    limit: Limit = field(init=False)

    def __post_init__(self) -> None:
        self.window, self.limit = BudgetWindow(self.setting.limit, WINDOW_S), Limit(self.setting)
        self._random = random.Random(self.setting.seed)
        self._numbers = itertools.count()
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []
        self.calls = 0

    def run(self, windows: int) -> "Crowd":
        """Let so many windows pass."""
        spread = self.setting.skew_s
        for _worker in range(self.setting.workers):
            self._ask_later(self.setting.starts_at_s + self._random.random(), self._random.uniform(-spread, spread))
        if self.setting.others:
            self._at(0.0, self._call_of_others)
        while self._queue[0][0] < windows * WINDOW_S:
            at, _number, act = heapq.heappop(self._queue)
            act(at)
        return self

    @property
    def share_used(self) -> float:
        """Our calls of those allowed, in all windows but the first, of which we have a part, and the last."""
        begins = sorted(set(self.limit.ours) | set(self.limit.others))[1:]
        setting = self.setting
        reserved = head_room(setting.limit, setting.head)
        full = begins[:-1]
        allowed = sum(setting.limit - max(reserved, self.limit.others[begin]) for begin in full) / len(full)
        return sum(self.limit.ours[begin] for begin in full) / (allowed * (begins[-1] - begins[0]) / WINDOW_S)

    @property
    def refused_share(self) -> float:
        """Our refused calls of all of ours."""
        return self.limit.refused / self.calls

    def _at(self, seconds: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._queue, (seconds, next(self._numbers), act))

    def _call_of_others(self, at: float) -> None:
        self.limit.take(at, self.limit.others)
        self._at(at + WINDOW_S / self.setting.others, self._call_of_others)

    def _ask_later(self, at: float, skew_s: float) -> None:
        self._at(at, lambda moment: self._ask(moment, skew_s))

    def _ask(self, at: float, skew_s: float) -> None:
        """A worker wants to call; its clock is off."""
        now = START + timedelta(seconds=at + skew_s)
        until = opens_at(self.window, reserved=head_room(self.setting.limit, self.setting.head), now=now)
        if until is not None:
            wait_s = (until - now).total_seconds() + self._random.uniform(0, LOOK_S)
            self._ask_later(at + wait_s, skew_s)
            return
        self.window = grant(self.window, now=now)
        self.calls += 1
        stamp = self.window.stamp
        self._at(at + self._random.uniform(*self.setting.latency_s), lambda moment: self._arrive(moment, stamp, skew_s))

    def _arrive(self, at: float, stamp: object, skew_s: float) -> None:
        is_taken, report = self.limit.take(at, self.limit.ours)
        self.limit.refused += not is_taken
        back = at + self._random.uniform(*self.setting.latency_s)
        self._at(back, lambda moment: self._answer(moment, stamp, skew_s, report, is_taken))

    def _answer(self, at: float, stamp: object, skew_s: float, report: WindowReport, is_taken: bool) -> None:
        now = START + timedelta(seconds=at + skew_s)
        self.window = settle(self.window, stamp=stamp, report=report, now=now)
        if not is_taken:
            self.window = block(self.window, seconds=report.resets_in_s, reason="429", now=now)
        self._ask_later(at + self.setting.pause_s * self._random.uniform(1, 2), skew_s)
