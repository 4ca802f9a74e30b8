"""Limits of a CRM in the port's words, and the gate that every call to one passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class LimitScope(StrEnum):
    """Who shares a limit."""

    ACCOUNT = "account"  # every call to the account
    RECORD = "record"  # calls on one record
    IN_FLIGHT = "in_flight"  # what runs at the same time in the account, not what was asked per window


@dataclass(frozen=True, slots=True)
class CallLimit:
    """A limit as the CRM documents it: `calls` per `window_s`, None = unknown. Answers correct it (LimitReport).

    `is_told`: whether answers say what is left of it. A record whose limit is known by refusals alone is written at an
    even pace.
    """

    limit_class: str
    calls: int | None
    window_s: float
    scope: LimitScope = LimitScope.ACCOUNT
    is_told: bool = True

    @property
    def pace_s(self) -> float:
        """The time between two calls that use it up and never go beyond it."""
        return self.window_s / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class LimitReport:
    """What the CRM said of one limit with an answer: calls per window, left, and seconds until it starts anew."""

    limit_class: str
    limit: int | None
    remaining: int | None
    resets_in_s: float | None
    scope: LimitScope = LimitScope.ACCOUNT


class CallGate(Protocol):
    """What every call of a connection to its CRM passes: asked before, told after. Implemented by the core."""

    def enter(self, limit_classes: Sequence[str]) -> None:
        """A call that spends these limits is about to be made. Raises RetryLater when it may not be made now."""

    def leave(
        self,
        *,
        reports: Sequence[LimitReport],
        refused: str = "",
        retry_after_s: float | None = None,
        has_failed: bool = False,
        words: str = "",
    ) -> None:
        """The call is over; never raises. `has_failed`: without a usable answer.

        `refused`: the limit class that refused it, after which the CRM asked for `retry_after_s` in these `words`.
        """
